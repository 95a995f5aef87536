"""The lines at the foot while a filter is typed: the text, and what is wrong under its column. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from register.plain import one_line
from tui.detail import wrapped
from tui.model import Model
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from register.filter import FilterError

_BEFORE: Final = " filter /"
_KEYS: Final = "   Enter keeps it, Esc shows all"
_MEND: Final = "   Esc shows all"
MOST: Final = 3
"""Lines that a mistake may take."""


def typing(model: Model, width: int) -> list[Line]:
    """Return the filter line, its end where it is long, and below it the mistake with a sign at its place."""
    wrong = model.sieve.wrong
    room = width - len(_BEFORE) - 2
    typed = "".join(" " if sign.isspace() else one_line(sign) or "?" for sign in model.needle)
    cut = max(0, len(typed) - room)
    keys = _KEYS if wrong is None else _MEND
    line = f"{_BEFORE}{'…' if cut else ''}{typed[cut:]}{model.signs.cursor}{keys}"
    return [((line, ""),), *(() if wrong is None else _mistake(wrong, typed, cut, width))]


def _mistake(wrong: FilterError, typed: str, cut: int, width: int) -> list[Line]:
    said = one_line(f"{wrong}.")
    at = len(_BEFORE) + cell_len(typed[cut : wrong.column - 1]) + bool(cut)
    pointed = f"{' ' * at}^ {said}"
    if wrong.column > cut and cell_len(pointed) < width:
        return [((pointed, "warn"),)]
    return wrapped(said, width, "warn", most=MOST)
