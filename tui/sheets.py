"""Sheets: what a key shows as lines to be read. Each is a title and a function of the register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.cli.here import Here


@dataclass(frozen=True, slots=True)
class Sheet:
    """title: `{}` stands for the incident. lines: of a register and who looks, and of that incident."""

    title: str
    lines: Callable[[Here, str], tuple[str, ...]]


def _forecast(at: Here, number: str) -> tuple[str, ...]:
    from register.core import Refused
    from tui.cli.foreseeing import sheet

    try:
        return sheet(at, number)
    except Refused as no:
        return (no.sentence,)


def _lint(at: Here, number: str) -> tuple[str, ...]:
    """What the command says, faults and all."""
    from register.toml_file import FileFaults, FileMissing
    from tui.cli.policy import lint

    try:
        return tuple(lint().lines)
    except FileFaults as error:
        return tuple(f"✗ {fault}" for fault in error.faults)
    except FileMissing as error:
        return (str(error),)


SHEETS: Final[Mapping[str, Sheet]] = {
    "forecast": Sheet("{}: who would be told, when, and by which rule, if nobody answered", _forecast),
    "lint": Sheet("What `muster matrix lint` says", _lint),
}
