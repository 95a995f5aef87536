"""What the screens read of a register in one go: an incident at length, the outbox, all that is open.

Nothing heavy is imported here before it is needed: the first paint waits for this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.format import wall
from tui.outbox import Sent
from tui.session import Session
from tui.waiting import reasons

if TYPE_CHECKING:
    from register.core import Principal
    from register.handing import Handover
    from register.live import Live
    from register.store import Store
    from register.store.adopted import Adopted
    from register.store.handing import Hands
    from register.store.outbox import Sending
    from tui.detail import Detail
    from tui.exchange import Exchange
    from tui.matrix_reading import Grid
    from tui.suppliers import Suppliers
    from tui.vendor_table import Standing


def worker_is_there(store: Store) -> bool:
    """Whether something sends what is to be sent."""
    from register.store import leases

    until = leases.running_until(store, leases.WORKER)
    return until is not None and until > datetime.now(UTC)


def alarm_of(store: Store) -> str:
    """Return what is wrong with whom to tell, in a few words, and the command that says more; or nothing."""
    from register.overdue import forgotten
    from register.plain import clip
    from register.store.feed_faults import feed_faults

    late = forgotten(store, now := datetime.now(UTC))
    if late:
        minutes = int((now - late[0].due).total_seconds() // 60)
        return f"‼ A STEP OF {late[0].number} WAS DUE {minutes}m AGO: muster doctor"
    rotas = dict.fromkeys(one.rota for one in feed_faults(store, datetime.now(UTC)) if one.urgent)
    if not rotas:
        return ""
    which = f"CALENDAR OF {clip(next(iter(rotas)), 16)}" if len(rotas) == 1 else f"{len(rotas)} CALENDARS"
    return f"‼ {which} IN TROUBLE: muster doctor"


def detail_of(store: Store, number: str, viewer: Principal) -> Detail | None:
    """Return one incident with its timeline; None when there is none, or it is not for this viewer's eyes."""
    from register.clocks.run import clocks_of
    from register.seeing import may_see
    from register.store.adopted import adopted
    from register.store.promises import timeline_of
    from tui.detail import Detail
    from tui.telling import tell

    incident = store.incident(number)
    if incident is None or not may_see(incident, store.sight(viewer).person, viewer.role):
        return None
    told = tuple(tell(recorded) for recorded in store.timeline(number))
    clocks = tuple(clocks_of(incident, store.ask(timeline_of)))
    to_call = {name: facts.to_call for name, facts in adopted(store).policy.vendors.items()}
    detail = Detail(number, incident.reporter, incident.caller, told, incident, clocks, to_call)
    return with_what_waits(store, detail) if incident.bonds else detail


def with_what_waits(store: Store, detail: Detail) -> Detail:
    """Add what of its suppliers waits for a person and is in no event: sendings, asides, pauses."""
    from register.store import outbox
    from register.store.aside import asides
    from register.store.vendors import paused

    rows = (_sent(row, row.why) for row in outbox.unfinished(store, incident=detail.number))
    return replace(
        detail,
        waiting=tuple(row for row in rows if row.person),
        asides=tuple(one.facts for one in asides(store, detail.number)),
        paused=paused(store),
    )


def sent(store: Store, viewer: Principal) -> tuple[Sent, ...]:
    """Return what is on its way or waits, in the order of its asking, each with its reason."""
    from register.store import outbox, vendors
    from register.store.adopted import adopted
    from register.store.sight import unseen

    known = adopted(store)
    health = vendors.health(store)
    ahead: set[str] = set()
    rows = []
    found = outbox.unfinished(store)
    whys = reasons(found, health)
    secret = store.ask(lambda connection: unseen(connection, viewer, [row.incident for row in found]))
    for row in found:
        if row.incident in secret:
            rows.append(Sent(row.row_id, "", row.incident, "", row.state, row.tries, None, "restricted"))
            continue
        vendor = health[row.vendor]
        why = whys[row.row_id]
        first = row.bond not in ahead
        ahead.add(row.bond)
        facts = known.policy.vendors.get(row.vendor)
        if facts is not None and facts.by_hand:
            rows.append(_by_hand(store, _sent(row, why), row, known, first=first))
        else:
            rows.append(replace(_sent(row, why), paused=bool(vendor.paused_why)))
    return (*rows, *_pages(store, viewer))


def _pages(store: Store, viewer: Principal) -> Iterator[Sent]:
    """Yield what is to be told to our own people, as rows whose supplier is a person."""
    from register.store import pages
    from register.store.sight import unseen

    found = pages.unfinished(store)
    if not found:
        return
    secret = store.ask(lambda connection: unseen(connection, viewer, [row.incident for row in found]))
    names = store.people()
    for row in found:
        hidden = row.incident in secret
        yield Sent(
            row_id=row.row_id,
            vendor="" if hidden else names.get(row.person, row.person),
            number=row.incident,
            what="" if hidden else "page",
            state=row.state,
            tries=row.tries,
            next_at=None if hidden or row.next_at is None else row.next_at.timestamp(),
            why="restricted" if hidden else row.why,
            person=row.state == "dead" and not hidden,
        )


def exchange_of(store: Store, row_id: str, viewer: Principal) -> Exchange | None:
    """Return what was kept of a sending's requests; None when there is none, or it is not for this viewer."""
    from register.store.exchanges import exchange_of as kept_of
    from register.store.sight import unseen
    from register.store.vendors import sending_facts
    from tui.exchange import Exchange

    row = sending_facts(store, row_id)
    if row is None or row.incident in store.ask(lambda one: unseen(one, viewer, [row.incident])):
        return None
    kept = kept_of(store, row.row_id)
    told = (None, ()) if kept is None else (kept.at.timestamp(), kept.said)
    return Exchange(row.row_id, row.incident, row.vendor, row.kind, row.state, *told)


def standing(store: Store, session: Session) -> tuple[tuple[Standing, ...], tuple[str, ...]]:
    """Return how it stands with each supplier, and what is wrong with vendors.toml."""
    from tui.vendor_reading import read_standing

    return read_standing(store, session)


def matrix_now(store: Store) -> Grid:
    """Return the escalation matrix that is adopted, with who would be told now."""
    from register.store.adopted import adopted
    from register.store.rosters import roster_now
    from tui.matrix_reading import grid

    policy = adopted(store).policy
    return grid(roster_now(store, policy.matrix), store.people(), datetime.now(UTC), policy.version)


def sheet_of(store: Store, session: Session, sheet: str, number: str) -> tuple[str, ...]:
    """Return the lines of a sheet."""
    from tui.cli.here import Here
    from tui.sheets import SHEETS

    return SHEETS[sheet].lines(Here(session, store), number)


def hands_now(store: Store, viewer: Principal) -> tuple[Hands, tuple[str, ...]]:
    """Return what somebody would hand over and what is offered, and the logins of who may be named."""
    from register.store.adopted import adopted
    from register.store.handing import hands_of

    matrix = adopted(store).policy.matrix
    named = (one.login for one in matrix.people.values() if one.login and one.login != viewer.login)
    return hands_of(store, viewer, matrix, datetime.now(UTC)), tuple(named)


def handed_now(store: Store, viewer: Principal) -> tuple[Handover, ...]:
    """Return what is offered to somebody now."""
    from register.handing import open_to
    from register.store.duty import duty_now

    some = duty_now(store).handovers
    return open_to(some, store.sight(viewer).person, datetime.now(UTC)) if some else ()


def suppliers(store: Store, session: Session, about: str) -> Suppliers:
    """Return the suppliers that are adopted. about: the incident of which is told what may go along."""
    from tui.suppliers import read_suppliers

    return read_suppliers(store, session, about)


def _by_hand(store: Store, told: Sent, row: Sending, known: Adopted, *, first: bool) -> Sent:
    """A sending that a person hands over, with the card that says what and how."""
    from integrations.by_hand import card_now
    from integrations.vendors import adopted_vendors
    from register.toml_file import FileFaults

    try:
        vendor = adopted_vendors(known.vendors)[row.vendor]
    except FileFaults:  # of another version: its words are shown as they are
        return replace(told, person=first, by_hand=True)
    card = card_now(store, vendor, row, row.remote_id)
    why = "read it to them, or put it into their portal: = says that they have it" if first else told.why
    return replace(told, person=first, by_hand=True, why=why, message="\n".join(card.lines()))


def _sent(row: Sending, why: str) -> Sent:
    payload = json.loads(row.payload)
    person = row.state == "dead" or (row.state == "ambiguous" and row.next_at is None)
    return Sent(
        row_id=row.row_id,
        vendor=row.vendor,
        number=row.incident,
        what=row.kind,
        state=row.state,
        tries=row.tries,
        next_at=None if row.next_at is None else row.next_at.timestamp(),
        why=why,
        message=str(payload.get("body", "")),
        person=person,
    )


def read_once(
    session: Session,
    live: Live,
    say: Callable[[str], object] = print,
    maintained: list[str] | None = None,
) -> str | None:
    """Bring the working set up to date; return None, or the sentence that says why it is not.

    say: gets what became of what waited in the spool. maintained: gets a line for each maintenance of now.
    """
    from register.store import RegisterUnavailable, open_store
    from tui.spooled import enter_waiting
    from tui.who import principal

    try:
        store = open_store(session.register_url)
        live.belongs_to(store.register_id)
        who = principal(store, session, "board")
        enter_waiting(store, session, say)
        seq, rows = store.rows(who)
        known = {row["number"] for row in rows}
        gone = [row["number"] for row in live.rows if row["number"] not in known]
        live.apply(rows, gone, store.people(), seq)
        live.me = store.sight(who).person
        if maintained is not None:
            maintained += _maintained(store)
        store.close()
    except RegisterUnavailable as error:
        return str(error)
    return None


def _maintained(store: Store) -> list[str]:
    from register.plain import one_line
    from register.store.duty import duty_now
    from register.topics.maintenance import in_force, whose

    windows = in_force(duty_now(store), datetime.now(UTC))
    return [
        f"maintenance: {one_line(whose(one.services))} until {wall(one.end.timestamp(), None)}"
        for one in windows
    ]
