"""Keys typed ahead of the screen: on a slow line a form's key and its first words come in one piece.

Textual hands each key to what has the focus when the key comes in. A form that is still being opened has
none yet, so its first letters would be taken for keys of the board, and some of these act. They are kept
here instead, and handed on when the form stands.

A paste that a terminal does not mark as one comes as keys, too, faster than hands. It is told from these by
what comes within a moment of a key that acts, and ignored with a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from textual.events import Event, Key, Paste
from textual.timer import Timer

from tui.actions import MOVE
from tui.frugal import FrugalApp
from tui.requests import Opened

LONGEST: Final = 3.0
"""Seconds keys are kept back at most, whatever became of what was being opened."""
MOST: Final = 4096


MOVES: Final = frozenset({key for action in MOVE for key in (action.key, *action.also)} | {"left", "right"})
"""Keys that only move: a held one comes in bursts over a slow line, and does no harm."""
HANDS: Final = 4
"""Keys, besides those that move, that hands may press at once on a slow line."""
TYPED: Final = 40
"""Keys that may come in one piece where the first of them opens what the others are for."""
LOOK: Final = 0.03
"""Seconds that a key which acts waits for others that come with it: a terminal hands a paste over at once."""
NOT_OPENED: Final = "What was typed for a form that did not open was not taken for keys. Open it once more."
IGNORED: Final = "A burst of keys, faster than hands, was ignored: a paste into the wrong window?"


def is_paste(keys: Sequence[str], opens: frozenset[str], filters: frozenset[str] = frozenset()) -> bool:
    """Whether no hand has pressed these, which came together.

    opens: keys after which words for what opens are meant. filters: the same of a line that Enter ends.
    """
    if keys and keys[0] in filters:
        return len(keys) > TYPED or "enter" in keys[:-1]
    if keys and keys[0] in opens:  # typed ahead of a form; what is pasted ends its lines
        return len(keys) > TYPED or (len(keys) > HANDS and "enter" in keys)
    return sum(key not in MOVES for key in keys) > HANDS or len(set(keys)) > HANDS


class PatientApp(FrugalApp):
    """Keeps keys back between one that opens something and the moment it stands; takes no burst for keys."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Key] | None = None
        self._together: list[Key] | None = None  # a key that acts, and what comes with it
        self._patience: Timer | None = None
        self.look: float | None = None  # seconds, as LOOK; None: that, and in tests none

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence."""
        raise NotImplementedError

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._together is not None:
            self._together.append(event)
        elif self._acts(event.key) and (look := self._look()) > 0:
            self._together = [event]
            self.set_timer(look, partial(self._came_together, 1))
        else:
            await self._take(event)

    def _look(self) -> float:
        return (0.0 if self.is_headless else LOOK) if self.look is None else self.look

    def _acts(self, key: str) -> bool:
        """Whether keys are for actions where one is, and this one does more than to move."""
        if self._kept is not None:  # they are for what is being opened
            return False
        screen = self.screen
        return key not in MOVES and hasattr(screen, "opening_keys") and not getattr(screen, "typing", False)

    async def _came_together(self, before: int) -> None:
        """No more come with it: they are keys, or a paste."""
        together = self._together or []
        if before < len(together) < MOST:  # some have come since: wait for the last one
            self.set_timer(self._look(), partial(self._came_together, len(together)))
            return
        self._together = None
        if self._no_hand(together):
            self.say(IGNORED, "warn")
            return
        for event in together:
            await self._take(event)

    async def _take(self, event: Key) -> None:
        if self._kept is not None:
            if len(self._kept) < MOST:
                self._kept.append(event)
            return
        opens = event.key in getattr(self.screen, "opening_keys", ())
        await super().on_event(event)
        if opens:
            self._kept = []
            self._patience = self.set_timer(LONGEST, self.release_keys)

    def on_paste(self, event: Paste) -> None:
        """A paste into the wrong pane is not a row of keys."""
        event.stop()
        self.say(IGNORED, "warn")

    def on_opened(self, event: Opened) -> None:
        self.call_later(self.release_keys)

    async def release_keys(self) -> None:
        """Hand on what was kept; a key among it that opens something keeps the rest back again."""
        kept, self._kept = self._kept, None
        if self._patience is not None:
            self._patience.stop()  # of this one: what opens later has its own
        if kept and self._no_hand(kept):
            self.say(NOT_OPENED, "warn")
            return
        for event in kept or ():
            await self._take(event)

    def _no_hand(self, keys: Sequence[Key]) -> bool:
        """Whether these are a paste, or words for what did not open, on a screen where keys act."""
        screen = self.screen
        if not hasattr(screen, "opening_keys") or getattr(screen, "typing", False):
            return False
        filters = getattr(screen, "filter_keys", frozenset[str]())
        return is_paste([event.key for event in keys], screen.opening_keys, filters)
