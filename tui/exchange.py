"""What a supplier was asked for a sending, and what came back, as lines to read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from register.plain import clean, one_line

NONE: Final = (
    "No request of it is on record: it was not sent yet, or it went well at once (of those one a minute is"
    " kept), or whoever sent it died before it had an answer, or a person hands it over."
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was kept of one sending. at: epoch of its end; None where nothing was kept."""

    row_id: str
    number: str
    vendor: str
    what: str
    state: str
    at: float | None = None
    said: tuple[Mapping[str, Any], ...] = ()


def spoken(said: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return each request and its answer, a line and its pen each."""
    lines: list[tuple[str, str]] = []
    for at, one in enumerate(said, 1):
        several = f"{at}. " if len(said) > 1 else ""
        lines.append((f"{several}{one_line(str(one['method']))} {one_line(str(one['url']))}", "strong"))
        lines += _part(one.get("headers", {}), str(one.get("body", "")))
        if one.get("status") is None:
            lines += [("no answer", "bad"), ("", "")]
            continue
        good = 200 <= int(one["status"]) < 300
        lines.append((f"answer: {one['status']}", "good" if good else "bad"))
        lines += [*_part(one.get("answer_headers", {}), str(one.get("answer", ""))), ("", "")]
    return lines[:-1]


def _part(headers: Mapping[str, Any], body: str) -> list[tuple[str, str]]:
    lines = [(f"{one_line(name)}: {one_line(str(value))}", "dim") for name, value in headers.items()]
    return [*lines, *([("", ""), *((line, "") for line in clean(body).split("\n"))] if body else [])]
