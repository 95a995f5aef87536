"""Does this look like a credential? Asked of configuration files, in which none may stand."""

from __future__ import annotations

import re
from typing import Final

_KEY: Final = re.compile(
    r"(?:^|[_.-])(?:token|password|passwd|pwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credentials?|bearer|authorization|cookie|pat|pin)s?(?:$|[_.-])",
    re.IGNORECASE,
)
_VALUE: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"://[^/?#\s]*@",  # a name, and perhaps a password, in an address
        r"(?i)^(?:bearer|basic|token|apikey)\s+\S{6,}$",  # a whole Authorization header
        r"-----BEGIN [A-Z ]*PRIVATE KEY",
        r"^(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk[_-](?:live|test|ant)|AKIA|eyJ[A-Za-z0-9_-]{8})",
        r"^\d+-\d+-[0-9a-f]{32}$",  # Request Tracker
        r"^[0-9A-Fa-f]{32,}$",
        r"^(?=[^\s]*[a-z])(?=[^\s]*[A-Z])(?=[^\s]*\d)[A-Za-z0-9+/]{24,}={0,2}$",  # random base 64
        r"(?i)[?&](?:token|key|api_?key|secret|password)=\S",
    )
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def secret_key(name: str) -> bool:
    """Whether a key of this name would hold a credential: `api_key`, `authToken`, `smtp-password`."""
    return _KEY.search(_HUMP.sub("_", name)) is not None


def secret_value(value: str) -> bool:
    """Whether a value is, or contains, what looks like a credential."""
    return any(pattern.search(value.strip()) for pattern in _VALUE)
