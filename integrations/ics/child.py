"""Reads one calendar, in a process of its own with bounds on its time and memory, and ends.

A calendar of a few lines can repeat a billion times, and neither of the libraries can be stopped at that: a
process can. In: one line of JSON (begin, end, zone), then the calendar. Out: JSON.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Final

from integrations.ics.reading import Unreadable, read
from register.canon import moment

CPU: Final = 10
"""Seconds of a processor that one calendar may take."""
MEMORY: Final = 768 * 2**20
"""Bytes of address space."""


def bound() -> None:
    """Let the system end this process where it takes more than a calendar needs."""
    import resource

    for what, most in ((resource.RLIMIT_CPU, CPU), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # a system that does not know it, or allows less already
            resource.setrlimit(what, (most, most))


def main() -> int:
    bound()
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        found = read(sys.stdin.buffer.read(), moment(asked["begin"]), moment(asked["end"]), asked["zone"])
        told = found.as_json()
    except Unreadable as error:
        told = {"why": str(error)}
    except MemoryError:
        told = {"why": "takes more memory to read than a rota may"}
    json.dump(told, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
