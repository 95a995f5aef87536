"""Whether a database does not answer, as against answering with a no: the spool keeps what is said then."""

from __future__ import annotations

from typing import Final

_CODES: Final = ("57P01", "57P02", "57P03", "53300", "25P03")
"""What PostgreSQL calls its going down, its coming up, too many sessions, and one that was silent for too
long (appendix A of its manual)."""
_PASSES: Final = ("starting up", "shutting down", "recovery", "too many c", "connection slots")
"""What it says while nobody is let in for a while, where the driver hands on no code."""


def is_away(error: Exception) -> bool:
    """Whether an error of SQLAlchemy's or of the driver's means that nobody answers. A file is never away."""
    cause = getattr(error, "orig", None) or error
    if not type(cause).__module__.startswith("psycopg"):
        return False
    code = getattr(cause, "sqlstate", None)
    if code is not None:
        return code in _CODES or str(code).startswith("08")
    if type(cause).__name__ not in ("OperationalError", "ConnectionTimeout"):
        return bool(getattr(error, "connection_invalidated", False))
    words = str(cause)
    return "FATAL:" not in words or any(sign in words for sign in _PASSES)
