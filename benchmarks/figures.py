"""A measured figure beside its reference of the same run, and whether the budget between them holds."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`ours` against `reference`, both in `unit`; holds while ours ≤ budget × reference."""

    what: str
    ours: float
    against: str
    reference: float
    unit: str
    budget: float | None = None  # None: told, not judged

    @property
    def ratio(self) -> float:
        return self.ours / self.reference if self.reference else float("inf")

    @property
    def holds(self) -> bool:
        return self.budget is None or self.ratio <= self.budget

    def __str__(self) -> str:
        told = f"{self.what}: {self.ours:,.2f} {self.unit}; {self.against}: {self.reference:,.2f} {self.unit}"
        if self.budget is None:
            return f"      {told}; ratio {self.ratio:.2f}"
        word = "holds" if self.holds else "OVER"
        return f"{word:5} {told}; ratio {self.ratio:.2f} of {self.budget:g} allowed"


def conclude(figures: Sequence[Figure], *, check: bool, as_json: bool = False) -> int:
    """Print the figures; the exit code: 1 when `check` is asked for and a budget does not hold."""
    if as_json:
        rows = [asdict(each) | {"ratio": round(each.ratio, 3), "holds": each.holds} for each in figures]
        json.dump(rows, sys.stdout, indent=1)
        print()
    else:
        print("\n".join(map(str, figures)))
    return int(check and not all(each.holds for each in figures))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of `values` lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
