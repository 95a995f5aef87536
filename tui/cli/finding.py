"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: it is so, or what to do."""

    name: str
    ok: bool
    says: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.name}: {self.says}" + (
            f" → {self.todo}" if self.todo else ""
        )
