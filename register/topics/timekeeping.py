"""What is on record about the clocks by which events are stamped."""

from __future__ import annotations

from typing import ClassVar

from register.core import Event


class ClockSteppedBack(Event):
    """A clock said a time before the newest event's; until it catches up, events get that one's time."""

    kind: ClassVar[str] = "clock_stepped_back"

    seconds: int
