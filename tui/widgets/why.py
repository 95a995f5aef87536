"""A sentence that says what is wrong: takes the lines it needs, and none when nothing is."""

from __future__ import annotations

from typing import Final, Unpack

from textual.events import Resize

from register.plain import one_line
from tui.detail import wrapped
from tui.signs import Signs, plain
from tui.widgets.lines import Lines, Names

MOST: Final = 4


class Why(Lines):
    """Shows a sentence in the pen of trouble."""

    def __init__(self, signs: Signs, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self._signs = signs
        self._why = ""

    @property
    def why(self) -> str:
        return self._why

    def tell(self, why: str) -> None:
        """Show this sentence, or nothing."""
        self._why = plain(one_line(why), self._signs)
        self.set_class(bool(why), "-told")
        self._lay(self.size.width)

    def on_resize(self, event: Resize) -> None:
        self._lay(event.size.width)

    def _lay(self, width: int) -> None:
        lines = wrapped(self._why, (width or 60) + 1, "bad", most=MOST) if self._why else []
        self.styles.height = max(1, len(lines))
        self.put(lines)
