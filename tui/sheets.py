"""Sheets: what a key shows as lines to be read. Each is a title and a function of the register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from register.core import Principal
    from register.store import Store


@dataclass(frozen=True, slots=True)
class Sheet:
    """title: `{}` stands for the incident. lines: of a register, an incident's number, for this reader."""

    title: str
    lines: Callable[[Store, str, Principal], tuple[str, ...]]


def _lint(store: Store, number: str, viewer: Principal) -> tuple[str, ...]:
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
    "lint": Sheet("What `muster matrix lint` says", _lint),
}
