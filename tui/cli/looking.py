"""Commands that only look: list, show, the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from register.clocks.due import due_of
from register.core import Recorded
from register.filter import predicate
from register.filter.meaning import wants_texts
from register.incident import Incident
from register.pressing import rank
from register.row import filter_row, mask, number_of
from register.seeing import RESTRICTED
from register.store import outbox as sendings
from register.store import vendors
from register.store.adopted import adopted
from register.store.filtering import incidents
from register.store.history import incident_then, incidents_then, timeline_then
from register.store.outbox import Sending
from register.store.unfinished import UNFINISHED
from register.topics.files import held
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.clock import in_short
from tui.cli.filters import meaning_of, take_in
from tui.cli.here import Here, here
from tui.cli.paging import page_rows
from tui.cli.past import AsOf, heading, known, looking_back, not_known, past
from tui.cli.tabular import columns
from tui.cli.telling import at_length, due_at, event_data, incident_data, table
from tui.waiting import reasons

MOST_SENDINGS: Final = 200
"""Finished and unfinished sendings that are listed at most."""
_NO_DUE: Final = datetime.max.replace(tzinfo=UTC)
_Key = Callable[[Incident, datetime], tuple[Any, ...]]
_KEYS: Final[Mapping[str, _Key]] = {
    "pressing": lambda one, due: (one.priority, due, number_of(one.number)),
    "newest": lambda one, due: (-number_of(one.number),),
    "oldest": lambda one, due: (number_of(one.number),),
    "due": lambda one, due: (due, number_of(one.number)),
    "updated": lambda one, due: (-one.updated_at.timestamp(), number_of(one.number)),
}
"""As filtering.ORDERS has it, for incidents that are not read from the table."""


class Sort(StrEnum):
    """What stands first: the words of filtering.ORDERS."""

    PRESSING = "pressing"
    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    UPDATED = "updated"


def list_(
    filter_: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILTER",
            help="""which ones, in quotes for the shell: 'p<=2 state:hold "connection reset" not mine'""",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="those that are over, too")] = False,
    sort: Annotated[Sort, typer.Option(help="what stands first")] = Sort.PRESSING,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="so many at most", show_default=False)
    ] = None,
    as_of: AsOf = None,
) -> Answer:
    """List the open incidents, the most pressing first, or those that a filter means."""
    asked = _Asked(tuple(filter_ or ()), everything, sort.value, limit)
    with here() as at:
        if as_of is None:
            return _listed_now(at, asked)
        return _listed_then(at, past(as_of, datetime.now(UTC)), asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be listed."""

    words: tuple[str, ...] = ()
    everything: bool = False
    sort: str = "pressing"
    limit: int | None = None


def listed(at: Here) -> Answer:
    """Return the open incidents of a register."""
    return _listed_now(at, _Asked())


def _listed_now(at: Here, asked: _Asked) -> Answer:
    now = datetime.now(UTC)
    meaning = meaning_of(at, asked.words, now)
    if wants_texts(meaning):
        take_in(at.store)
    sight = at.store.sight(at.who)
    more = None if asked.limit is None else asked.limit + 1
    with at.store.read() as connection:
        found = incidents(
            connection,
            meaning,
            sight,
            everything=asked.everything,
            order=asked.sort,
            limit=more,
            now=now.timestamp(),
        )
    return _told(at, found, asked)


def _listed_then(at: Here, moment: datetime, asked: _Asked) -> Answer:
    """List what was known then; the filter is asked of the incidents as they were."""
    when, back = known(at, moment), looking_back(at)

    def row(one: Incident) -> dict[str, Any]:
        whole = filter_row(one, due_of(one, back.timeline))
        return whole if back.sees(one) else mask(whole)

    def rows() -> Iterator[dict[str, Any]]:
        with at.store.read() as connection:
            yield from map(row, incidents_then(connection, when, everything=True))

    passes = predicate(meaning_of(at, asked.words, moment, then=rows))
    with at.store.read() as connection:
        then = incidents_then(connection, when, everything=asked.everything)
        found = [one for one in then if passes(row(one))]
    key, by_number = _KEYS[asked.sort], asked.sort in ("newest", "oldest")

    def order(one: Incident) -> tuple[Any, ...]:
        if not by_number and not back.sees(one):
            return (2, number_of(one.number))
        if asked.sort == "pressing" and one.is_open:
            return (0, *rank(row(one), moment.timestamp()))
        return (1, *key(one, due_at(back, one) or _NO_DUE))

    found.sort(key=order)
    answer = _told(back, found, asked)
    return replace(answer, lines=[*heading(at, when), "", *answer.lines])


def _told(at: Here, found: list[Incident], asked: _Asked) -> Answer:
    if not found:
        return Answer([], [_nothing(asked)])
    shown = found[: asked.limit]
    more = [f"The first {len(shown)}; there are more: --limit says how many."] if found[len(shown) :] else []
    return Answer([incident_data(at, one) for one in shown], [*table(at, shown), *more])


def _nothing(asked: _Asked) -> str:
    if not asked.words:
        return "No incidents." if asked.everything else "No open incidents."
    if asked.everything:
        return "No incident passes this filter."
    return "No open incident passes this filter; --all looks among those that are over, too."


def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="the incident: INC-7, or 7")],
    as_of: AsOf = None,
) -> Answer:
    """Show one incident and everything that happened."""
    wanted = words.number(number)
    with here() as at:
        if as_of is not None:
            return _shown_then(at, past(as_of, datetime.now(UTC)), wanted)
        incident = at.incident(wanted)
        timeline = at.store.timeline(wanted) if at.sees(incident) else []
        return _shown(at, incident, timeline, datetime.now(UTC))


def _shown_then(at: Here, moment: datetime, wanted: str) -> Answer:
    when = known(at, moment)
    with at.store.read() as connection:
        incident = incident_then(connection, when, wanted)
        if incident is None:
            raise not_known(at, when, wanted)
        timeline = timeline_then(connection, when, wanted)
    back = looking_back(at)
    answer = _shown(back, incident, timeline if back.sees(incident) else [], moment)
    return replace(
        answer, data=answer.data | {"as_of": when.at}, lines=[*heading(at, when), "", *answer.lines]
    )


def _shown(at: Here, incident: Incident, timeline: list[Recorded], moment: datetime) -> Answer:
    data = incident_data(at, incident, bonds=True) | {
        "timeline": [event_data(at, recorded) for recorded in timeline]
    }
    data["files"] = [
        {"id": id_} | file.model_dump(exclude={"file"})
        for id_, file in held(one.event for one in timeline).items()
    ]
    data.setdefault("bonds", [])
    clocks = in_short(incident, at.timeline, moment) if at.sees(incident) else []
    return Answer(data, at_length(at, incident, timeline, clocks))


def _masked(row: Sending) -> Sending:
    """Return a sending as others see it: that it is there, and nothing of what it is about."""
    return replace(row, vendor="", bond="", kind="", payload="{}", why=RESTRICTED)


def _with_reasons(at: Here, rows: list[Sending]) -> list[Sending]:
    """Return these sendings, those that wait with the reason."""
    whys = reasons((row for row in rows if row.state in UNFINISHED), vendors.health(at.store))
    return [replace(row, why=whys.get(row.row_id, row.why)) for row in rows]


def _outbox_cells(row: Sending, *, by_hand: bool) -> tuple[str, ...]:
    state, why = (row.state, row.why) if not by_hand else ("by hand", "see `muster outbox card`")
    return (row.row_id, row.vendor, row.incident, row.kind, state, str(row.tries), why)


def outbox(
    everything: Annotated[
        bool, typer.Option("--all", help=f"finished sendings, too, the newest first: {MOST_SENDINGS} at most")
    ] = False,
) -> Answer:
    """List what is on its way to suppliers, and who is to be paged, in the order it was asked for."""
    with here() as at:
        if everything:
            rows = sendings.latest(at.store, MOST_SENDINGS + 1)
            return sendings_listed(at, rows[:MOST_SENDINGS], more=len(rows) > MOST_SENDINGS)
        return sendings_listed(at, sendings.unfinished(at.store))


def sendings_listed(at: Here, rows: list[Sending], *, more: bool = False, pages: bool = True) -> Answer:
    """List these sendings, masked where they are of what this reader may not see.

    more: there are older ones; pages: those of people that wait are listed, too.
    """
    secret = at.unseen(row.incident for row in rows)
    by_hand = {name for name, facts in adopted(at.store).policy.vendors.items() if facts.by_hand}
    paged = page_rows(at) if pages else []
    rows = [_masked(row) if row.incident in secret else row for row in _with_reasons(at, rows)]
    data: list[dict[str, Any]] = [
        {
            "row_id": row.row_id,
            "vendor": row.vendor,
            "person": "",
            "number": row.incident,
            "what": row.kind,
            "state": row.state,
            "by_hand": row.vendor in by_hand,
            "tries": row.tries,
            "next_at": row.next_at,
            "why": row.why,
            "created_at": row.created_at,
        }
        for row in rows
    ]
    told = [_outbox_cells(row, by_hand=row.vendor in by_hand and row.state in UNFINISHED) for row in rows]
    for about in paged:
        cells = ("row_id", "person", "number", "what", "state", "tries", "why")
        data.append(about)
        told.append(tuple(str(about[name]) for name in cells))
    lines = columns(
        ("SENDING", "TO", "FOR", "WHAT", "STATE", "TRIES", "WHY"),
        told,
    )
    if more:
        lines.append(
            f"The newest {len(rows)}; there are older ones: `muster outbox show INC-7` lists an incident's."
        )
    return Answer(data, lines if data else ["Nothing waits: the outbox is empty."])
