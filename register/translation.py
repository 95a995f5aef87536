"""How a supplier's system calls what we call otherwise: looked up in its tables, never guessed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from register.incident import Impact, Priority, ResolutionCode, Urgency
from register.text import one_line

EVERY: Final = "*"
"""In a table: for whatever it does not name."""
WITHDRAWN: Final = "withdrawn"
"""How it ended where the supplier was called off."""
ENDS: Final = frozenset({*ResolutionCode, WITHDRAWN, EVERY})
"""What a table of closing codes may have on our side."""


def cell(impact: str, urgency: str) -> str:
    """A place in a table of impact × urgency, as `high/low`."""
    return f"{impact}/{urgency}"


CELLS: Final = tuple(cell(impact, urgency) for impact in Impact for urgency in Urgency)


@dataclass(frozen=True, slots=True)
class Translation:
    """The tables of one supplier, ours → theirs. An empty one: that is not said to them.

    matrix: by `cell`. codes: by how it ended (`ENDS`). note: whether a word must go with closing.
    """

    priorities: Mapping[int, str] = field(default_factory=dict)
    matrix: Mapping[str, str] = field(default_factory=dict)
    impact: Mapping[str, str] = field(default_factory=dict)
    urgency: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    note: bool = False

    @property
    def by_parts(self) -> bool:
        """Whether their system works the priority out of impact and urgency."""
        return bool(self.impact)

    def graded(self, priority: Priority, impact: str | None, urgency: str | None) -> dict[str, str]:
        """What they are told of how urgent it is: "priority", or "impact" and "urgency"; what they have no
        word for is left out."""
        told: dict[str, str | None]
        if self.by_parts:
            told = {
                "impact": self.impact.get(impact or ""),
                "urgency": self.urgency.get(urgency or ""),
            }
        elif self.matrix:
            told = {"priority": self.matrix.get(cell(impact, urgency)) if impact and urgency else None}
        else:
            told = {"priority": self.priorities.get(priority)}
        return {name: word for name, word in told.items() if word is not None}

    def kept_under(self, category: str, service: str) -> dict[str, str]:
        """Under what they keep it: "category" and "service" in their words, where they are told."""
        told = {
            "category": _looked_up(self.categories, category),
            "service": _looked_up(self.services, service),
        }
        return {name: word for name, word in told.items() if word is not None}

    def unnamed(self, category: str, service: str) -> dict[str, str]:
        """What has no word of theirs though they are to be told: the table → our word, perhaps empty."""
        told = self.kept_under(category, service)
        asked = (("categories", "category", category), ("service_names", "service", service))
        tables = {"categories": self.categories, "service_names": self.services}
        return {table: ours for table, name, ours in asked if tables[table] and name not in told}

    def code(self, ended: str) -> str | None:
        """Their word for how it ended, or None where they are not told, or there is none."""
        return _looked_up(self.codes, ended)


NO_TABLES: Final = Translation()


def tables_of(block: Mapping[str, Any]) -> Translation:
    """The tables that an adopted block has, but for priorities, which no rule asks for.

    What this program cannot read of it is as if it were not there: the file's own reader has told of it.
    """
    close = block.get("close")
    return Translation(
        matrix=_table(block, "impact_urgency"),
        impact=_table(block, "impact"),
        urgency=_table(block, "urgency"),
        categories=_table(block, "categories"),
        services=_table(block, "service_names"),
        codes=_table(close, "codes"),
        note=isinstance(close, dict) and close.get("note") is True,
    )


def _table(block: Any, key: str) -> dict[str, str]:
    found = block.get(key) if isinstance(block, dict) else None
    table = found if isinstance(found, dict) else {}
    return {str(ours): one_line(str(word)) for ours, word in table.items()}


def _looked_up(table: Mapping[str, str], ours: str) -> str | None:
    """What stands for ours, without regard to capitals; what stands for all others where that is named."""
    folded = {name.casefold(): word for name, word in table.items()}
    return folded.get(ours.casefold(), folded.get(EVERY))
