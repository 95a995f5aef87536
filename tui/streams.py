"""Standard output as it is given to us: closed, full, or with a reader that has gone. Light to import."""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

LOST: Final = (
    "Standard output took only a part of what there was to say ({why}). What was asked for is done, or"
    " refused, all the same: send the output to another place and look again."
)
_OF_WRITING: Final = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT})


def have_some() -> None:
    """Give whoever closed them before they started us something to write to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as we live


def why_lost(error: OSError | None = None) -> str | None:
    """Say why standard output cannot be written; None where it can. What it held back goes nowhere then.

    error: what a command failed of, which may be that. A reader that has gone (BrokenPipeError) is another
    matter, and passes.
    """
    try:
        sys.stdout.flush()
        if error is not None and error.filename is None and error.errno in _OF_WRITING:
            os.write(sys.stdout.fileno(), b"\n")  # nothing was held back: only another write can tell
    except BrokenPipeError:
        raise
    except OSError as lost:
        forget()
        return lost.strerror or type(lost).__name__
    return None


def forget() -> None:
    """Send what standard output holds back to nowhere: Python would complain of it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
