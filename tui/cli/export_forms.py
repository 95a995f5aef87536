"""Incidents as a file: JSON Lines of our own, CSV for a spreadsheet, Markdown for a reader.

Texts come from outside. None of them leaves as a formula, as HTML, as a link or as the end of a table's cell.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from register.core import Recorded
from register.incident import Incident
from register.text import one_line
from tui.cli.answer import plain
from tui.cli.here import Here
from tui.cli.telling import event_data, incident_data, name_of

VERSION: Final = 1
"""Of the JSON Lines: whoever reads them looks at the first line."""
_PEOPLE: Final = ("owner", "caller", "reporter", "acknowledged_by", "last_reopened_by")
_GROUPS: Final = ("watchers", "allowed")
_COLUMNS: Final = (
    *("number", "state", "priority", "impact", "urgency", "title", "service", "category", "team"),
    *("owner", "caller", "reporter", "hold", "opened_at", "acknowledged_at", "due_at", "resolved_at"),
    *("closed_at", "updated_at", "resolution", "cause", "reopened", "reassigned", "parent", "children"),
    *("duplicate_of", "follows", "related", "problems", "changes", "suppliers", "visibility"),
)
_FORMULA: Final = frozenset("=+-@|%\t\r\n")
"""What a cell begins with that a spreadsheet works out; compared after NFKC, so wide signs count."""
_BEHIND: Final = re.compile(r"(;[\s\"']*)(?=[=+\-@＝＋－＠])")
"""The same behind a semicolon, which is what separates cells where a comma is a decimal sign."""
_PUNCTUATION: Final = re.compile(r"([!-/:-?\[-`{-~])")
"""All of ASCII's punctuation but @, for which an escape does not help."""
_JOINER: Final = "\u2060"
_FACTS: Final = (
    *("state", "impact", "urgency", "service", "category", "team", "owner", "caller", "reporter", "hold"),
    *("opened_at", "acknowledged_at", "due_at", "resolved_at", "closed_at", "resolution", "cause"),
    *("parent", "duplicate_of", "follows", "related", "problems", "changes"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a format begins, and what it says of one incident with its timeline."""

    heading: Callable[[Here, datetime, int, str], str]
    body: Callable[[Here, Incident, Sequence[Recorded]], str]


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")) + "\n"


def _json_heading(at: Here, now: datetime, count: int, asked: str) -> str:
    about = {"register": at.store.register_id, "exported_at": now, "incidents": count, "filter": asked}
    return _json({"muster": "export", "version": VERSION} | about)


def _json_line(at: Here, incident: Incident, timeline: Sequence[Recorded]) -> str:
    """Return the fields as `show --json` has them, and by which logins our people are known."""
    logins: dict[str, Any] = {name: at.logins.get(getattr(incident, name) or "") for name in _PEOPLE}
    logins |= {name: [at.logins.get(one) for one in getattr(incident, name)] for name in _GROUPS}
    events = [event_data(at, one) | {"login": at.logins.get(one.actor)} for one in timeline]
    return _json(incident_data(at, incident, bonds=True) | {"logins": logins, "timeline": events})


def cell(value: object) -> str:
    """Return a value as one line that no spreadsheet takes for a formula."""
    text = one_line(_word(value))
    inner = unicodedata.normalize("NFKC", text)
    # behind white space, quotes and what cannot be seen a spreadsheet finds a formula still
    first = next((c for c in inner if not (c.isspace() or c in "\"'" or unicodedata.category(c) == "Cf")), "")
    text = _BEHIND.sub(r"\1'", text)
    return f"'{text}" if first in _FORMULA else text


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, list | tuple):
        return " ".join(_word(one) for one in value)
    return str(value)


def _flat(at: Here, incident: Incident) -> Mapping[str, Any]:
    hold = incident.hold
    bonds = [f"{bond.vendor}:{bond.ref.key if bond.ref else bond.state}" for bond in incident.bonds]
    waits = None if hold is None else f"{hold.reason} {hold.on}"
    return incident_data(at, incident) | {"hold": waits, "suppliers": bonds}


def _row(cells: Sequence[object]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow([cell(one) for one in cells])
    return written.getvalue()


def _csv_heading(at: Here, now: datetime, count: int, asked: str) -> str:
    return _row(_COLUMNS)


def _csv_row(at: Here, incident: Incident, timeline: Sequence[Recorded]) -> str:
    told = _flat(at, incident)
    return _row([told[name] for name in _COLUMNS])


def escaped(value: object) -> str:
    """Return a value as one line of Markdown that is shown as it stands: no mark, no HTML, no link."""
    text = _PUNCTUATION.sub(r"\\\1", one_line(_word(value)))
    return text.replace("@", f"@{_JOINER}").replace("www", f"w{_JOINER}ww").replace("WWW", f"W{_JOINER}WW")


def _md_heading(at: Here, now: datetime, count: int, asked: str) -> str:
    which = f" that pass the filter {escaped(asked)}" if asked else ""
    return f"# Incidents\n\nAs of {_minute(now)}: {count:,} incidents{which}.\n"


def _md_part(at: Here, incident: Incident, timeline: Sequence[Recorded]) -> str:
    told = _flat(at, incident)
    lines = ["", f"## {incident.number} {incident.priority} {escaped(incident.title)}", ""]
    lines += ["| | |", "|---|---|"]
    for name in _FACTS:
        if told[name]:
            value = _minute(told[name]) if isinstance(told[name], datetime) else escaped(told[name])
            lines.append(f"| {name.removesuffix('_at').replace('_', ' ')} | {value} |")
    for bond in told["suppliers"]:
        lines.append(f"| supplier | {escaped(bond)} |")
    return "\n".join([*lines, "", *_md_timeline(at, timeline)]) + "\n"


def _md_timeline(at: Here, timeline: Sequence[Recorded]) -> list[str]:
    from tui.detail import PERSON
    from tui.telling import tell

    lines: list[str] = []
    for recorded in timeline:
        told = tell(recorded)
        what = told.what
        for person in told.people:
            what = what.replace(PERSON, name_of(at, person) or "nobody", 1)
        who = told.vendor if told.inbound and told.vendor else name_of(at, told.who)
        lines.append(f"- {_minute(recorded.at)} {escaped(who)}: {escaped(what)}")
        body = [escaped(line) for line in told.body.splitlines()]
        lines += [f"  > {line}  " for line in body if line]
    return lines


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


FORMS: Final[Mapping[str, Form]] = {
    "jsonl": Form(_json_heading, _json_line),
    "csv": Form(_csv_heading, _csv_row),
    "md": Form(_md_heading, _md_part),
}
