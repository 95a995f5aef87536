"""The line at the bottom: the keys that work here, or a sentence until the next key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Unpack

from register.plain import one_line
from tui.actions import Action, footer
from tui.detail import wrapped
from tui.widgets.lines import Line, Lines, Names

MOST: Final = 4
"""Lines a sentence may take. What is longer is cut, with a sign."""


class Foot(Lines):
    """Keys in one line; a sentence takes as many lines as it needs, and gives them back."""

    def __init__(self, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self._said: tuple[str, str] = ("", "")

    @property
    def saying(self) -> bool:
        """Whether a sentence stands where the keys are otherwise."""
        return bool(self._said[0])

    def say(self, text: str, pen: str) -> None:
        """Show a sentence; an empty one gives the place back at the next `keys`."""
        self._said = (one_line(text), pen)

    def draw(self, actions: Sequence[Action], width: int) -> None:
        """Show the sentence, or else these keys."""
        text, pen = self._said
        self._put(wrapped(text, width, pen, most=MOST) if text else [((footer(actions, width), ""),)])

    def put_lines(self, lines: list[Line]) -> None:
        """Show something else for a while: what is being typed."""
        self._put(lines)

    def _put(self, lines: list[Line]) -> None:
        if len(lines) != (len(self.lines) or 1):
            self.styles.height = len(lines)
        self.put(lines)
