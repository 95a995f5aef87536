"""The level of each connector: bronze, silver or gold, computed from what its conformance suite found.

The suite needs pytest and a supplier; what it found is on record in `conformance/record.json`, and each of
its tests holds the record against what it finds. So a level is known here without either.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

RECORD: Final = Path(__file__).parent / "conformance" / "record.json"
PASSED: Final = "passed"
NOT_OFFERED: Final = "not offered"
"""The connector lacks the capability that the rule is about, and does not say that it has it."""
NOT_SHOWN: Final = "not shown"
"""The world that the suite ran in could not play it."""
EXEMPT: Final = "exempt"
FAILED: Final = "failed"

Rules = Mapping[str, tuple[str, str]]
"""Rule → its level and what came of it."""


class Level(StrEnum):
    """How far a connector may be relied on. Each takes all that the ones before it take."""

    NONE = "none"
    BRONZE = "bronze"  # a ticket is made once, and nothing is taken for what it is not
    SILVER = "silver"  # a conversation in both directions, waits kept
    GOLD = "gold"  # bad days: mergers, crowds, hostile words, people under our account

    @property
    def rank(self) -> int:
        return list(Level).index(self)


def is_kept(outcome: str) -> bool:
    """Whether a rule counts as kept."""
    return outcome in (PASSED, NOT_OFFERED) or outcome.startswith(f"{EXEMPT}: ")


def computed(rules: Rules) -> Level:
    """The highest level of which every rule is kept, and every rule of those before it."""
    broken = [Level(level).rank for level, outcome in rules.values() if not is_kept(outcome)]
    asked = max((Level(level).rank for level, _ in rules.values()), default=0)
    return list(Level)[min([asked, *(rank - 1 for rank in broken)])]


@functools.cache
def _recorded() -> Mapping[str, Rules]:
    told = json.loads(RECORD.read_text())
    return {
        kind: {name: (level, said) for name, (level, said) in rules.items()} for kind, rules in told.items()
    }


def on_record(kind: str) -> Rules:
    """What the suite found of a kind of system; empty where none ran."""
    return _recorded().get(kind, {})


def level_of(kind: str) -> Level | None:
    """The level of a kind of system's connector; None where no suite ran."""
    rules = on_record(kind)
    return computed(rules) if rules else None


def put_on_record(found: Mapping[str, Rules]) -> None:
    """Write what was found over what is on record of these kinds."""
    told = {**_recorded(), **found}
    lines = [f"  {json.dumps(kind)}: {{\n{_rows(rules)}\n  }}" for kind, rules in sorted(told.items())]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    _recorded.cache_clear()


def _rows(rules: Rules) -> str:
    """A line for each rule, so that a change is told by its line."""
    told = {name: json.dumps(list(rule), ensure_ascii=False) for name, rule in sorted(rules.items())}
    return ",\n".join(f"    {json.dumps(name)}: {rule}" for name, rule in told.items())
