"""What a key does, declared once: footer, help page and key map are made from these.

Verbs are not listed here: `of_verb` makes an action from a Command of the register's registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

VERB: Final = "verb:"
"""An action of this beginning is a verb of the register."""
CARD: Final = "card:"
"""An action of this beginning is a card's; the rest is its key."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does. `also` are other keys for it; `shown` puts it into the footer.

    opens: another screen comes, and keys typed ahead are for that one.
    """

    id: str
    key: str
    label: str
    help: str
    also: tuple[str, ...] = ()
    shown: bool = False
    writes: bool = False
    opens: bool = False


MOVE = (
    Action("down", "j", "down", "Next line", also=("down",)),
    Action("up", "k", "up", "Line before", also=("up",)),
    Action("page_down", "pagedown", "page", "A page down"),
    Action("page_up", "pageup", "page", "A page up"),
    Action("home", "g", "top", "To the top, in an order that is true now", also=("home",)),
    Action("end", "G", "bottom", "To the bottom", also=("end",)),
)
COMMON = (
    Action("redraw", "ctrl+l", "redraw", "Draw the screen anew"),
    Action("zone", "z", "zone", "Show times in UTC, or in this host's zone"),
    Action("help", "question_mark", "help", "What each key does", also=("f1",), shown=True, opens=True),
)
MODES = (
    Action("board", "1", "Board", "The board: open incidents"),
    Action("matrix", "2", "Matrix", "The escalation matrix: who is told now of what, and then", opens=True),
    Action("vendors", "3", "Vendors", "The suppliers: how it stands with each, and its tickets", opens=True),
    Action(
        "outbox", "4", "Outbox", "What is on its way to suppliers, and what waits for a person", opens=True
    ),
)
HANDOVER = Action(
    "handover",
    "h",
    "handover",
    "Hand over what you have, or answer what is handed over to you",
    opens=True,
)
BOARD = (
    *MOVE,
    Action("open", "enter", "open", "Open the incident: its timeline and its suppliers", opens=True),
    Action(
        "filter",
        "slash",
        "filter",
        "Show what has these words, or a filter as p<=2 mine; Esc shows all",
        shown=True,
    ),
    Action("clear", "escape", "all", "Show all again"),
    HANDOVER,
    *MODES,
    *COMMON,
    Action("quit", "q", "quit", "Leave the board"),
)
PAUSE = Action(
    "pause",
    "Z",
    "pause vendor",
    "Hold back what goes to that supplier, or let it go on, with the reason",
    shown=True,
    writes=True,
    opens=True,
)
INCIDENT = (
    *MOVE,
    *MODES,
    *COMMON,
    Action("back", "escape", "back", "Back to the board", also=("q",), shown=True),
)

KEY_NAMES: Mapping[str, str] = {
    "ctrl+l": "Ctrl+L",
    "tab": "Tab",
    "pagedown": "PgDn",
    "question_mark": "?",
    "slash": "/",
    "escape": "Esc",
    "enter": "Enter",
    "down": "↓",
    "up": "↑",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "f1": "F1",
    "f2": "F2",
    "exclamation_mark": "!",
    "equals_sign": "=",
    "plus": "+",
    "minus": "-",
    "shift+tab": "Shift+Tab",
    "right": "→",
    "left": "←",
}


def modes_at(here: str) -> tuple[Action, ...]:
    """Return the modes as the screen of one of them has them."""
    return tuple(
        replace(mode, help=f"{mode.help}; you are there", opens=False) if mode.id == here else mode
        for mode in MODES
    )


_KEPT: Final = frozenset({"help", "back"})
"""What stays in the footer however narrow it is."""


def key_name(key: str) -> str:
    """Return what stands on the key."""
    return KEY_NAMES.get(key, key)


def by_key(actions: Iterable[Action]) -> dict[str, Action]:
    """Return the key map; a key given twice is a mistake in the tables."""
    keys: dict[str, Action] = {}
    for action in actions:
        for key in (action.key, *action.also):
            if key in keys:
                raise ValueError(f"{key} is both {keys[key].id} and {action.id}")
            keys[key] = action
    return keys


def footer(actions: Iterable[Action], width: int) -> str:
    """Return ` a ack  t take  …  ? help`: whole items only, and help always among them."""
    shown = [action for action in actions if action.shown]
    words = [f"{key_name(action.key)} {action.label}" for action in shown if action.id not in _KEPT]
    kept = [f"{key_name(action.key)} {action.label}" for action in shown if action.id in _KEPT]
    for gap in ("  ", " "):
        line = " " + gap.join([*words, *kept])
        if len(line) <= width:
            return line
    while words and len(line) > width:
        words.pop()
        line = " " + " ".join([*words, *kept])
    return line
