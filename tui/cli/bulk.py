"""Many of one verb at once: a command a line, as JSON, on standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from register.core import Command, Refused
from register.desk import Receipt, kinds
from register.plain import one_line
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.trouble import FOUND_FAULTS, WrongUse, in_words

MAX_LINE: Final = 1 << 20
"""Bytes of a line that are read; what is longer is skipped and told."""
_LIKE: Final = 'write an object a line, as in {"service": "web", "key": "disk"}'
_TOLD: Final = 20
"""Faulty lines that are told in full; of the others only how many there are."""
_CAME_TO: Final = ("created", "reopened", "alert_fired", "duplicate_suppressed", "alert_ok")
"""Kinds of events that say what a line came to; the first of these that it has names it."""
_SAID: Final = {
    "created": "opened an incident",
    "reopened": "opened a resolved one again",
    "alert_fired": "fire again",
    "duplicate_suppressed": "repeated an open one",
    "counted": "repeated an open one, counted only",
    "alert_ok": "are over",
    "nothing": "changed nothing",
    "replayed": "were taken in before",
}


@dataclass(slots=True)
class Tally:
    """What the lines came to."""

    lines: int = 0
    came_to: dict[str, int] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def add(self, receipt: Receipt) -> None:
        what = _came_to(receipt)
        self.came_to[what] = self.came_to.get(what, 0) + 1
        if what == "created":
            self.opened.append(str(receipt.number))
        elif what == "reopened":
            self.reopened.append(str(receipt.number))


def carry_out(command: type[Command]) -> Answer:
    """Carry out a command for each line. A line that cannot be read stops no other one."""
    tally = Tally()
    with here() as at:
        desk, who = at.desk(), at.who
        for line in _lines():
            tally.lines += 1
            if not line.strip():
                continue
            try:
                tally.add(desk.do(who, command.model_validate(_read(line))))
            except ValidationError as error:
                tally.faults.append((tally.lines, in_words(error)))
            except (WrongUse, Refused) as error:
                tally.faults.append((tally.lines, str(error)))
    return _answer(tally)


def _lines() -> Iterator[bytes]:
    """Yield the lines of standard input as they come; of one that is too long, its beginning."""
    source = sys.stdin.buffer
    while line := source.readline(MAX_LINE + 1):
        yield line
        while not line.endswith(b"\n") and len(line) > MAX_LINE:
            line = source.readline(MAX_LINE + 1)


def _read(line: bytes) -> dict[str, Any]:
    """Return a line's object; WrongUse says in a sentence why there is none."""
    if len(line) > MAX_LINE:
        raise WrongUse(f"The line has more than {MAX_LINE:,} bytes: shorten it.")
    try:
        found = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise WrongUse("The line is not UTF-8 text.") from None
    except (ValueError, RecursionError):
        raise WrongUse(f"The line is no JSON: {_LIKE}.") from None
    if not isinstance(found, dict):
        raise WrongUse(f"The line is JSON, but no object: {_LIKE}.")
    return found


def _came_to(receipt: Receipt) -> str:
    if receipt.replayed:
        return "replayed"
    had = kinds(receipt.events)
    found = next((kind for kind in _CAME_TO if kind in had), None)
    if found is not None:
        return found
    counted = receipt.number is not None and receipt.incident is not None and receipt.incident.firing
    return "counted" if counted else "nothing"


def _answer(tally: Tally) -> Answer:
    said = [f"{count} {_SAID[what]}" for what, count in sorted(tally.came_to.items())]
    lines = [
        f"{tally.lines} {'line' if tally.lines == 1 else 'lines'}: {'; '.join(said) or 'nothing was read'}."
    ]
    for told, numbers in (("Opened", tally.opened), ("Opened again", tally.reopened)):
        if numbers:
            more = f" and {len(numbers) - _TOLD} more" if len(numbers) > _TOLD else ""
            lines.append(f"{told}: {', '.join(numbers[:_TOLD])}{more}.")
    faults = [f"Line {n}: {one_line(why)}" for n, why in tally.faults]
    lines += faults[:_TOLD]
    if faults:
        lines.append(
            f"{len(faults)} lines were not taken in; the others were. Mend them and give them again: lines"
            ' with an "id" may be given twice.'
        )
    data = {
        "lines": tally.lines,
        "came_to": tally.came_to,
        "opened": tally.opened,
        "reopened": tally.reopened,
        "faults": [{"line": n, "message": one_line(why)} for n, why in tally.faults],
    }
    return Answer(data, lines, code=FOUND_FAULTS if faults else 0)
