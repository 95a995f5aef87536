"""Tab and Shift+Tab that have moved the focus before the next key of a burst is handed on."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

TABS: Final[list[BindingType]] = [
    Binding("tab", "app.focus_next", show=False, priority=True),
    Binding("shift+tab", "app.focus_previous", show=False, priority=True),
]
