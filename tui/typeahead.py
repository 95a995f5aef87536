"""Keys typed ahead of the screen: on a slow line a form's key and its first words come in one piece.

Textual hands each key to what has the focus when the key comes in. A form that is still being opened has
none yet, so its first letters would be taken for keys of the board, and some of these act. They are kept
here instead, and handed on when the form stands.
"""

from __future__ import annotations

from typing import Final

from textual.events import Event, Key

from tui.frugal import FrugalApp
from tui.requests import Opened

LONGEST: Final = 3.0
"""Seconds keys are kept back at most, whatever became of what was being opened."""
MOST: Final = 4096


class PatientApp(FrugalApp):
    """Keeps keys back between one that opens something and the moment it stands."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Key] | None = None

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._kept is not None:
            if len(self._kept) < MOST:
                self._kept.append(event)
            return
        opens = event.key in getattr(self.screen, "opening_keys", ())
        await super().on_event(event)
        if opens:
            self._kept = []
            self.set_timer(LONGEST, self.release_keys)

    def on_opened(self, event: Opened) -> None:
        self.call_later(self.release_keys)

    async def release_keys(self) -> None:
        """Hand on what was kept; a key among it that opens something keeps the rest back again."""
        kept, self._kept = self._kept, None
        for event in kept or ():
            await self.on_event(event)
