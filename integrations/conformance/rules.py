"""The rules that a connector is measured by: each one idea, of one level, with what it takes to be asked."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from integrations.conformance.stage import Stage
from integrations.connector import Cap
from integrations.levels import Level

Run = Callable[[Stage], Awaitable[None]]
_TABLE: Final[dict[str, Rule]] = {}
NOTHING: Final = Cap(0)
_FILES: Final = ("tickets", "doubts", "messages", "hearing", "waits", "webhooks")


@dataclass(frozen=True, slots=True)
class Rule:
    """`says` is what holds where it is kept. `needs`: of a connector without these nothing is asked."""

    name: str
    level: Level
    says: str
    needs: Cap
    run: Run

    def __str__(self) -> str:
        return f"{self.level}-{self.name}"


def rule(level: Level, name: str, says: str, needs: Cap = NOTHING) -> Callable[[Run], Run]:
    """Put a function into the table."""

    def put(run: Run) -> Run:
        if name in _TABLE:
            raise ValueError(f"there are two rules {name}")
        _TABLE[name] = Rule(name, level, says, needs, run)
        return run

    return put


def all_rules() -> tuple[Rule, ...]:
    """The whole table, bronze first."""
    for file in _FILES:
        importlib.import_module(f"integrations.conformance.{file}")
    return tuple(sorted(_TABLE.values(), key=lambda one: one.level.rank))
