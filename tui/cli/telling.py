"""An incident for the command line: as plain data, as one line, and at length."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from register.calendars import moment_of
from register.canon import moment
from register.clocks.due import due_of
from register.clocks.span import told as length
from register.core import Recorded
from register.incident import LIVE_BONDS, Bond, Incident
from register.seeing import RESTRICTED
from register.store.alerts import counts_of
from register.text import one_line
from register.topics.files import held
from tui.cli import escalated
from tui.cli.here import Here
from tui.cli.tabular import columns
from tui.width import width_of

_COLUMNS: Final = ("NUMBER", "PRI", "STATE", "OWNER", "DUE", "SUPPLIER", "TITLE")
_WIDE: Final = 100
"""On narrower terminals a list's times have no year."""
_PLAIN: Final = ("impact", "urgency", "service", "category", "team", "resolution", "cause")
_TIMES: Final = (
    "opened_at",
    "updated_at",
    "acknowledged_at",
    "resolved_at",
    "closes_at",
    "closed_at",
    "last_reopened_at",
)
_PEOPLE: Final = ("owner", "caller", "reporter", "acknowledged_by", "last_reopened_by")
_LINKS: Final = (
    "parent",
    "children",
    "duplicate_of",
    "follows",
    "related",
    "problems",
    "changes",
)


_MARKS: Final = {
    "legal_hold": "nothing of it may be redacted",
    "retired": "its texts and people are gone",
    "first_contact": "the first line resolved it alone",
}
"""What is so or not so, and what it means."""


def name_of(at: Here, person: str | None) -> str | None:
    """Return the name behind a person's id."""
    return None if person is None else one_line(at.people.get(person, person))


def incident_data(at: Here, incident: Incident, *, bonds: bool = False) -> dict[str, Any]:
    """Return what --json tells of an incident; of one that this reader may not see, next to nothing."""
    if not at.sees(incident):
        return {"number": incident.number, "title": RESTRICTED, "visibility": incident.visibility}
    known: dict[str, Any] = {
        "number": incident.number,
        "state": incident.state,
        "priority": str(incident.priority),
        "title": incident.title,
        "visibility": incident.visibility,
        "allowed": [name_of(at, person) for person in incident.allowed],
    }
    known |= {name: getattr(incident, name) for name in (*_PLAIN, *_TIMES)}
    known["due_at"] = due_at(at, incident)
    known |= {name: name_of(at, getattr(incident, name)) for name in _PEOPLE}
    known["firing"] = incident.firing
    known |= {name: getattr(incident, name) for name in _LINKS}
    known |= {"watchers": [name_of(at, person) for person in incident.watchers]}
    known |= {name: getattr(incident, name) for name in ("first_contact", "legal_hold", "retired")}
    silence = incident.silence
    known["silence"] = None if silence is None else silence.model_dump() | {"by": name_of(at, silence.by)}
    known |= {"hold": incident.hold, "reopened": incident.reopened, "reassigned": incident.reassigned}
    if bonds:
        known["bonds"] = [bond_data(bond) for bond in incident.bonds]
        known["alert"] = alert_data(at, incident)
        known["related"] = list(incident.related)
        known["escalation"] = escalated.data_of(at, incident)
    return known


def alert_data(at: Here, incident: Incident) -> dict[str, Any] | None:
    """Return what monitoring says of the incident, counted up to now, or as it was known."""
    alert = incident.alert
    if alert is None:
        return None
    known = alert.model_dump(exclude={"id", "oks", "leader"})
    counted = None if at.hidden is not None else at.store.ask(lambda rows: counts_of(rows, incident))
    return known if counted is None else known | {"count": counted[0], "last_seen": moment(counted[1])}


def alert_lines(at: Here, incident: Incident) -> list[str]:
    """Return what monitoring says of the incident, a fact a line; nothing where no alert opened it."""
    data = alert_data(at, incident)
    if data is None:
        return []
    now = "fires still" if data["firing"] else "is over"
    facts = {
        "alert": f"{data['source']}: {data['key']} of {data['service']}, {data['severity']}, {now}",
        "said": f"{data['count']} times, from {_clock(data['first_seen'])} to {_clock(data['last_seen'])}",
        "began": _clock(data["started"]),
        "had it before": data["recurrence_of"] or "",
        "has it now": data["passed_to"] or "",
    }
    return [f"  {name:<16}{one_line(value)}" for name, value in facts.items() if value]


def bond_data(bond: Bond) -> dict[str, Any]:
    """Return one engagement of a supplier."""
    ref = bond.ref
    return {
        "id": bond.id,
        "vendor": bond.vendor,
        "production": bond.production,
        "state": bond.state,
        "key": ref.key if ref else None,
        "url": ref.url if ref else None,
        "ball": bond.ball,
        "ball_since": bond.ball_since,
        "raw_state": bond.raw_state,
        "doubtful": bond.doubtful,
        "dead": bond.dead,
        "engaged_at": bond.engaged_at,
        "heard_at": bond.heard_at,
        "by_hand": bond.by_hand,
        "to_hand": bond.to_hand,
        "call": bond.call,
        "promised_until": bond.promised_until,
        "closes_at": bond.closing_at,
        "aside": bond.aside,
        "duplicates": [duplicate.key for duplicate in bond.duplicates],
        "told_priority": bond.told_priority,
        "their_priority": bond.their_priority,
        "version": bond.version,
        "differences": [
            {"field": one.field, "ours": one.ours, "theirs": one.theirs, "since": one.since}
            for one in bond.differences
        ],
        "former": [ref.key for ref in bond.former],
        "further": [
            {"key": one.ref.key, "url": one.ref.url, "raw_state": one.raw_state, "over": one.over}
            for one in bond.further
        ],
        "links": [{"key": one.ref.key, "url": one.ref.url, "how": one.how} for one in bond.links],
    }


def due_at(at: Here, incident: Incident) -> datetime | None:
    """Return when it must be resolved; None where nothing is promised, or the clock is paused."""
    due = due_of(incident, at.timeline).at
    return None if due is None else moment_of(due)


def due_text(at: Here, incident: Incident) -> str:
    """Return when it must be resolved; while the clock is paused what is left: `paused, 1h12m left`."""
    due = due_of(incident, at.timeline)
    if due.held is not None:
        return f"paused, {length(abs(due.held))} {'left' if due.held >= 0 else 'over'}"
    return "" if due.at is None else _clock(moment_of(due.at))


def event_data(at: Here, recorded: Recorded) -> dict[str, Any]:
    """Return one event; people's ids in it become names."""
    data = None if recorded.event is None else recorded.event.model_dump()
    if data is not None:
        for field in ("owner", "caller", "reporter", "by", "to", "before", "author", "whom", "asks"):
            if isinstance(data.get(field), str) and data[field] in at.people:
                data[field] = name_of(at, data[field])
        for facts in (data.get("before"), data.get("after")):
            if isinstance(facts, dict) and facts.get("caller"):
                facts["caller"] = name_of(at, facts["caller"])
        if "allowed" in data:
            data["allowed"] = [name_of(at, person) for person in data["allowed"]]
    return {
        "seq": recorded.seq,
        "at": recorded.at,
        "recorded_at": recorded.recorded_at,
        "kind": recorded.kind,
        "actor": name_of(at, recorded.actor),
        "source": recorded.source,
        "data": data,
    }


def line_of(at: Here, incident: Incident) -> list[str]:
    """Return an incident as it stands, for the answer to a verb: a line, and one for each supplier."""
    if not at.sees(incident):
        return [f"{incident.number}  {RESTRICTED}"]
    hold = f" ({incident.hold.reason})" if incident.hold else ""
    due = due_text(at, incident)
    due = f"  {due if due.startswith('paused') else f'due {due}'}" if due else ""
    fires = "  alert fires" if incident.firing else ""
    state = f"{incident.state}{hold}{fires}"
    first = f"{incident.number}  {incident.priority}  {state}{due}  {one_line(incident.title)}"
    return [first, *(f"  {bond_line(bond)}" for bond in incident.live_bonds())]


def bond_line(bond: Bond) -> str:
    """Return an engagement as a sentence without a verb."""
    where = "PRODUCTION" if bond.production else "test"
    parts = [f"{bond.vendor} ({where})", bond.ref.key if bond.ref else "no ticket yet", bond.state.value]
    if bond.raw_state:
        parts.append(f"they say: {one_line(bond.raw_state)}")
    parts.append(f"ball {bond.ball.value} since {_clock(bond.ball_since)}")
    if bond.promised_until is not None and bond.state in LIVE_BONDS:
        parts.append(f"promised until {_clock(bond.promised_until)}")
    if bond.to_hand:
        parts.append(f"{bond.to_hand} to hand over: `muster outbox list`")
    if bond.call is not None and bond.state in LIVE_BONDS:
        paged = "" if bond.call.page is None else f"; page {bond.call.page.value}"
        parts.append(f"CALL THEM ({bond.call.why.value}{paged}): `muster vendors contacts {bond.vendor}`")
    if bond.closing_at is not None:
        parts.append(f"THEY CLOSE IT {_clock(bond.closing_at)} unless we answer")
    parts += [*_differing(bond), *_besides(bond)]
    if bond.aside:
        parts.append(f"{bond.aside} of their changes wait in quarantine (`muster quarantine list`)")
    if bond.dead and not any(one.row_id for one in bond.differences):
        parts.append("a sending waits for a person: `muster outbox list`")
    elif bond.doubtful:
        parts.append("not known to have arrived, being looked up")
    return ", ".join(parts)


def _differing(bond: Bond) -> Iterator[str]:
    """What they go by otherwise than we do, and what a person is asked about it."""
    if bond.their_priority:
        yield f"they work at priority {one_line(bond.their_priority)}, told {bond.told_priority}"
    for one in bond.differences:
        words = f"{one.ours} is ours, {one_line(one.theirs)} is theirs"
        yield f"WHOSE {one.field.upper()} HOLDS? {words}: `muster settle --keep` ours or theirs"


def _besides(bond: Bond) -> Iterator[str]:
    """Further tickets, and those that may be about the same."""
    for further in bond.further:
        if further.missing:
            yield f"also {further.ref.key} (could not be read: mistyped? `muster relink`, --drop)"
            continue
        word = one_line(further.raw_state) or "not heard of yet"
        yield f"also {further.ref.key} ({word}{'' if further.over else ', open'})"
    for link in bond.links:
        yield f"{link.how} {link.ref.key}? `muster relink`, --also or --drop"


def table(at: Here, incidents: Sequence[Incident]) -> list[str]:
    """Return incidents as lines under a heading."""
    return columns(_COLUMNS, [_cells(at, incident) for incident in incidents], cut=True)


def _cells(at: Here, incident: Incident) -> tuple[str, ...]:
    if not at.sees(incident):
        return (incident.number, "", "", "", "", "", RESTRICTED)
    head = (incident.number, str(incident.priority))
    state = f"Hold {incident.hold.reason}" if incident.hold else incident.state.value
    state += ", firing" if incident.firing else ""
    narrow = (width_of(sys.stdout) or _WIDE) < _WIDE
    due = due_text(at, incident)
    due = due.partition("-")[2] if narrow and due[:1].isdigit() else due  # without the year
    bonds = " ".join(
        f"{bond.vendor}:{bond.ref.key if bond.ref else bond.state}"
        + ("!" if bond.dead or bond.differences or bond.call or bond.to_hand else "?" * bond.doubtful)
        for bond in incident.live_bonds()
    )
    return (*head, state, name_of(at, incident.owner) or "", due, bonds, incident.title)


def size_text(size: int) -> str:
    """Return `512 bytes`, `2 kB` or `25 MB`: of 1,000 each, everywhere."""
    if size < 1_000:
        return f"{size} bytes"
    if size < 999_500:
        return f"{size / 1_000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB".replace(".0 MB", " MB")


def at_length(
    at: Here, incident: Incident, timeline: Sequence[Recorded], clocks: Sequence[str] = ()
) -> list[str]:
    """Return everything about one incident, its timeline last. clocks: what is told of each."""
    if not at.sees(incident):
        return [f"{incident.number}  {RESTRICTED}: ask one of those who work on it, or an admin."]
    lines = line_of(at, incident)[:1]
    facts = incident_data(at, incident)
    for name in (*_PLAIN, *_PEOPLE, *_TIMES, "due_at"):
        if facts[name]:
            value = _clock(facts[name]) if isinstance(facts[name], datetime) else str(facts[name])
            lines.append(f"  {name.replace('_', ' '):<16}{one_line(value)}")
    if incident.hold:
        what = f"{incident.hold.reason} {one_line(incident.hold.on)}".rstrip()
        until = f", looks again {_clock(incident.hold.until)}" if incident.hold.until else ""
        lines.append(f"  {'waits for':<16}{what}{until}")
    lines += _silence(at, incident)
    lines += alert_lines(at, incident)
    for name in (*_LINKS, "watchers"):
        if facts[name]:
            told = facts[name] if isinstance(facts[name], str) else ", ".join(facts[name])
            lines.append(f"  {name.replace('_', ' '):<16}{one_line(told)}")
    lines += [f"  {name.replace('_', ' '):<16}{told}" for name, told in _MARKS.items() if facts[name]]
    if clocks:
        lines += ["", f"Clocks (`muster clock {incident.number}` explains them)", *(f"  {c}" for c in clocks)]
    if incident.bonds:
        lines += ["", "Suppliers", *(f"  {bond_line(bond)}" for bond in incident.bonds)]
        lines += [f"    {bond.ref.url}" for bond in incident.bonds if bond.ref and bond.ref.url]
    lines += escalated.lines_of(at, incident)
    files = held(one.event for one in timeline).items()
    if files:
        lines += [
            "",
            "Files",
            *(f"  {one_line(one.name)}  {size_text(one.size)}, {one.label}  {id_}" for id_, one in files),
        ]
    return [*lines, "", "Timeline", *_timeline(at, timeline)]


def _silence(at: Here, incident: Incident) -> list[str]:
    kept = incident.silence
    if kept is None:
        return []
    return [f"  {'silenced':<16}until {_clock(kept.until)} by {name_of(at, kept.by)}: {one_line(kept.why)}"]


def _timeline(at: Here, timeline: Sequence[Recorded]) -> list[str]:
    from tui.detail import PERSON
    from tui.telling import tell

    lines = []
    for recorded in timeline:
        told = tell(recorded)
        what = told.what
        for person in told.people:
            what = what.replace(PERSON, name_of(at, person) or "nobody", 1)
        who = told.vendor if told.inbound and told.vendor else name_of(at, told.who)
        lines.append(f"  {_clock(recorded.at)}  {who}: {one_line(what)}")
        lines += [f"      {one_line(line)}" for line in told.body.splitlines()]
    return lines


def _clock(moment: datetime | None) -> str:
    """Return a moment in this host's zone."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M %Z")
