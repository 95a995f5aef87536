"""Has a calendar read in a process of its own (integrations.ics.child), and ended where it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

from integrations.ics.reading import Happening, Reading, Unreadable
from register.canon import stamp

_TOP: Final = Path(__file__).resolve().parent.parent.parent
SECONDS: Final = 30.0
"""Until it is ended; the system ends it sooner where it works all the time."""
_HANDED_ON: Final = frozenset({"PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONTZPATH", "LD_LIBRARY_PATH"})
"""Of our environment: what reads a stranger's text sees nothing of ours that it does not need."""
_TOO_MUCH: Final = "takes more time to read than a rota may"


async def read_apart(
    text: bytes, begin: datetime, end: datetime, zone: str, seconds: float = SECONDS
) -> Reading:
    """Return what `reading.read` does. Unreadable, too, where it took more than a calendar may take."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "integrations.ics.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name in _HANDED_ON},
        cwd=_TOP,
        start_new_session=True,
    )
    asked = json.dumps({"begin": stamp(begin), "end": stamp(end), "zone": zone}).encode() + b"\n"
    try:
        out, _ = await asyncio.wait_for(process.communicate(asked + text), seconds)
    except TimeoutError:
        raise Unreadable(_TOO_MUCH) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    ended = process.returncode or 0
    if ended:
        raise Unreadable(_TOO_MUCH if ended < 0 else "could not be read by the reader")
    return _read(out)


def _read(out: bytes) -> Reading:
    told = json.loads(out)
    if "why" in told:
        raise Unreadable(told["why"])
    happenings = [
        Happening(one["begin"], one["end"], one["summary"], tuple(one["attendees"]), tuple(one["organizer"]))
        for one in told["happenings"]
    ]
    return Reading(happenings, told["lost"], told["lost_count"])
