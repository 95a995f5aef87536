"""What would be sent: the words and the request, what was taken out marked, to be scrolled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tui.detail import wrapped
from tui.screens.help import HelpScreen
from tui.signs import Signs, plain
from tui.widgets.lines import Line

_REMOVED: Final = re.compile(r"\[[^\[\]]{1,60} removed\]")
"""What stands where something was taken out (register.leaving)."""


class RequestScreen(HelpScreen):
    """Nothing was sent; any key but those that scroll goes back."""

    def __init__(self, lines: Sequence[str], signs: Signs) -> None:
        super().__init__("What would be sent. Nothing was sent.", (), signs)
        self._lines = lines

    def lines(self, width: int) -> list[Line]:
        parts = (wrapped(plain(text.rstrip(), self._signs), width, "") or [()] for text in self._lines)
        return [marked(line) for part in parts for line in part]


def marked(line: Line) -> Line:
    """The line, what was taken out in another pen."""
    text, pieces, at = "".join(text for text, _ in line), list[tuple[str, str]](), 0
    for found in _REMOVED.finditer(text):
        pieces += [(text[at : found.start()], ""), (found.group(), "warn")]
        at = found.end()
    return (*pieces, (text[at:], ""))
