"""What may be written while the head is locked: events in their chain, folds, people, and effects."""

from __future__ import annotations

import secrets
from collections import Counter, namedtuple
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, and_, bindparam, func, select, text

from register.calendars import moment_of
from register.canon import canonical, data_digest, link, moment, stamp
from register.clocks.book import DEFAULT_TIMELINE, Timeline
from register.clocks.clock import Clock
from register.clocks.due import NOTHING, facts_of, soonest
from register.clocks.nudge import next_nudge
from register.clocks.run import clocks_of
from register.core import AlertAsked, AlertFacts, Event, Policy, Said, SendingFacts
from register.duty import STREAM as DUTY
from register.effect import Effect
from register.incident import Incident, Visibility
from register.row import board_row, number_of
from register.seeing import seers_column
from register.store import tables as t
from register.store.alerts import look, put_alert
from register.store.bonds import put_bonds
from register.store.carry import carry
from register.store.hot import Hot, driver, together
from register.store.mishaps import unreadable
from register.store.reading import incident_of
from register.store.unfinished import facts_of_sendings

_BY_COMMAND: Final = Hot(
    select(t.event).where(t.event.c.command_id == bindparam("command_id")).order_by(t.event.c.seq)
)
_DOC: Final = Hot(select(t.incident.c.doc, t.incident.c.version).where(t.incident.c.n == bindparam("number")))
_LOCKED_HEAD: Final = Hot(select(t.head).with_for_update())
_MOVE_HEAD: Final = Hot(t.head.update())  # there is one row
_NOTIFY: Final = Hot(text("NOTIFY muster"))
_INSERT_EVENT: Final = Hot(t.event.insert())
_INSERT_INCIDENT: Final = Hot(t.incident.insert())
_LAST_N: Final = select(func.max(t.event.c.n)).where(t.event.c.stream == bindparam("stream"))
_UPDATE_INCIDENT: Final = Hot(t.incident.update().where(t.incident.c.n == bindparam("number")))
_LET_GO: Final = Hot(text("SELECT set_config('idle_in_transaction_session_timeout', :after, false)"))
IDLE_SECONDS: Final = 60
"""Silence in a transaction after which PostgreSQL takes a connection that has written to be stopped or gone:
it may hold the head. One that only reads may take longer: an export waits for its reader."""
_AT_ONCE: Final = 500
"""Ids that one question holds."""
POLICY: Final = "policy"
"""The stream of what was adopted, and by whom: head knows its newest event."""


Head = namedtuple("Head", [one.name for one in t.head.columns])  # type: ignore[misc]  # the table names them
"""The one row of the head."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was asked together with the lock on the head: so the others wait the less."""

    head: Any
    command_id: str | None = None
    before: list[tuple[Any, ...]] = field(default_factory=list)  # the events of that command
    docs: Mapping[str, list[tuple[Any, ...]]] = field(default_factory=dict)  # incidents' rows, by number


def lock(connection: Connection, command_id: str | None = None, numbers: Iterable[str] = ()) -> Ahead:
    """Lock the head, and read what a command needs: as of then, for nobody else can write now."""
    with together(connection):
        if connection.dialect.name == "postgresql" and not driver(connection).writes:
            _LET_GO(connection, {"after": f"{IDLE_SECONDS}s"})
        head = _LOCKED_HEAD.ask(connection, {})  # SQLite has locked at BEGIN IMMEDIATE
        before = _BY_COMMAND.ask(connection, {"command_id": command_id}) if command_id else None
        docs = {n: _DOC.ask(connection, {"number": number_of(n)}) for n in numbers}
    (row,) = head.rows()
    return Ahead(
        Head._make(row),
        command_id,
        before.rows() if before is not None else [],
        {number: doc.rows() for number, doc in docs.items()},
    )


class Transaction:
    """One locked head. Everything is written here or not at all."""

    def __init__(self, connection: Connection, ahead: Ahead, people: dict[tuple[str, str], str]) -> None:
        head = ahead.head
        self._connection = connection
        self._ahead = ahead
        self._events: list[dict[str, Any]] = []  # appended, not written yet
        self._changed: dict[str, None] = {}  # numbers of incidents whose row is not written yet, in order
        self._new: set[str] = set()  # those of them that have no row yet
        self._seen: dict[str, Incident] = {}  # incidents as this transaction has made them
        self._asked: frozenset[str] = frozenset()  # command ids that are known not to be in the log
        self._seq: int = head.seq
        self._hash: str = head.hash
        self._incident: int = head.incident
        self.people: int = head.person  # entered or erased so far: where it moved, names are looked up
        self._recorded_at: str = head.recorded_at
        self.policy_seq: int = head.policy_seq
        self.policy_moved = False  # by this transaction: what it says is not on record yet
        self.duty_seq: int = head.duty_seq
        self.duty_moved = False
        self.skew: int = head.skew
        self.timeline: Timeline = DEFAULT_TIMELINE  # by which the clocks of what is written are counted
        self._people = people
        self.new_people: dict[tuple[str, str], str] = {}
        self._versions: dict[str, int] = {}  # by stream: the n of its last event
        self._lasts: dict[str, int] = {}  # by stream written here: the seq of its last event
        self.moved = False
        self.anew: dict[str, Incident] = {}  # what was folded anew, for events behind it were redacted
        self.wiped = False  # whether anything must not be left in the file

    @property
    def connection(self) -> Connection:
        """The connection, with all that was said so far written: whoever asks by SQL finds it there."""
        self._write_behind()
        return self._connection

    @property
    def beside(self) -> Connection:
        """The same, with nothing written first: for rows of which no event or incident is asked."""
        return self._connection

    @property
    def seq(self) -> int:
        return self._seq

    @property
    def next_number(self) -> str:
        return f"INC-{self._incident + 1}"

    def not_before_the_last(self, now: datetime) -> datetime:
        """Return `now`, or the newest event's time where a clock says that this lies in the future.

        So times of recording grow with seq, whatever the clocks of the hosts do.
        """
        if stamp(now) >= self._recorded_at:
            return now
        try:
            return moment(self._recorded_at)
        except ValueError as error:
            raise unreadable("The register's head") from error

    # Reading, under the lock

    def will_be_asked(self, command_ids: Collection[str]) -> None:
        """Look up many commands at once, so that `events_of` need not ask for each new one."""
        known: set[str] = set()
        ids = list(command_ids)
        for at in range(0, len(ids), _AT_ONCE):
            query = select(t.event.c.command_id).where(t.event.c.command_id.in_(ids[at : at + _AT_ONCE]))
            known.update(self._connection.execute(query).scalars())
        once = Counter(ids)
        self._asked = frozenset(one for one in ids if one not in known and once[one] == 1)

    def events_of(self, command_id: str) -> list[Any]:
        if command_id in self._asked:
            return []
        if command_id == self._ahead.command_id and not self._events:
            return self._ahead.before
        return _BY_COMMAND.ask(self.connection, {"command_id": command_id}).rows()

    def incident(self, number: str) -> Incident | None:
        if number in self._seen:
            return self._seen[number]
        found = self._ahead.docs.get(number)
        if found is None:
            found = _DOC.ask(self._connection, {"number": number_of(number)}).rows()
        if not found:
            return None
        doc, self._versions[number] = found[0]
        return incident_of(doc, number)

    def sendings(
        self, row_id: str | None, numbers: Iterable[str], *, lock: bool = False
    ) -> dict[str, SendingFacts]:
        return facts_of_sendings(self._connection, row_id, numbers, lock=lock)

    def heard(self, vendor: str, change_ids: Iterable[str]) -> frozenset[str]:
        wanted = list(change_ids)
        if not wanted:
            return frozenset()
        query = select(t.heard.c.change_id).where(
            and_(t.heard.c.vendor == vendor, t.heard.c.change_id.in_(wanted))
        )
        return frozenset(self._connection.execute(query).scalars())

    def cursor(self, vendor: str) -> str | None:
        query = select(t.vendor.c.cursor).where(t.vendor.c.name == vendor)
        return self._connection.execute(query).scalar_one_or_none()

    def alert(self, asked: AlertAsked, policy: Policy, now: datetime) -> AlertFacts:
        """What is known of the alert that a command asks about."""

        def is_open(number: str) -> bool:
            found = self.incident(number)
            return found is not None and found.is_open

        return look(self._connection, asked, policy.matrix.correlation, now, is_open)

    def person(self, kind: str, login: str) -> str:
        """Return a person's id; who is not known yet is entered."""
        found = self.met(kind, login)
        if found is None:
            self.people += 1
            found = f"p{self.people}"
            self._connection.execute(
                t.person.insert(), {"id": found, "kind": kind, "login": login, "name": login}
            )
            self.moved = True
            self.new_people[kind, login] = found
        return found

    def forget(self, person: str) -> None:
        """Know nobody by the name that this person had, here and in every other process."""
        for known in (self._people, self.new_people):
            for name in [name for name, whose in known.items() if whose == person]:
                del known[name]
        self.people += 1
        self.moved = True

    def met(self, kind: str, login: str) -> str | None:
        """Return the id of a person that the register knows already."""
        known = self._people.get((kind, login)) or self.new_people.get((kind, login))
        if known is None:
            query = select(t.person.c.id).where(and_(t.person.c.kind == kind, t.person.c.login == login))
            known = self._connection.execute(query).scalar_one_or_none()
            if known is not None:
                self.new_people[kind, login] = known
        return known

    # Writing

    def append(
        self, said: Said, *, command_id: str, now: datetime, actor: str, source: str, cause: str = ""
    ) -> dict[str, Any]:
        """Write one event behind the last one and return its row."""
        self._seq += 1
        version = self._version(said.stream) + 1
        self._versions[said.stream] = version
        self._lasts[said.stream] = self._seq
        data, salt = data_of(said.event), secrets.token_hex(16)
        row: dict[str, Any] = {
            "seq": self._seq,
            "stream": said.stream,
            "n": version,
            "kind": said.event.kind,
            "v": said.event.v,
            "command_id": command_id,
            "at": stamp(said.at or now),
            "recorded_at": stamp(now),
            "actor": actor,
            "source": source,
            "cause": cause,
            "data": data,
            "salt": salt,
            "data_sha256": data_digest(salt, data),
        }
        row["hash"] = self._hash = link(self._hash, row)
        self._recorded_at = row["recorded_at"]
        self._events.append(row)
        self.moved = True
        if said.stream == POLICY:
            self.policy_seq = self._seq
            self.policy_moved = True
        if said.stream == DUTY:
            self.duty_seq = self._seq
            self.duty_moved = True
        return row

    def _version(self, stream: str) -> int:
        known = self._versions.get(stream)
        if known is not None:
            return known
        if stream == self.next_number:
            return 0
        return int(self._connection.execute(_LAST_N, {"stream": stream}).scalar() or 0)

    def put_incident(self, before: Incident | None, after: Incident) -> None:
        """Put an incident's row aside to be written: the fold, with columns for what is asked for."""
        if before is None:
            self._incident = max(self._incident, number_of(after.number))
            self._new.add(after.number)
        self._seen[after.number] = after
        self._changed[after.number] = None
        if after.alert is not None and (
            before is None or (before.alert, before.holds_key) != (after.alert, after.holds_key)
        ):
            put_alert(self._connection, after)
        if after.bonds and (before is None or after.bonds != before.bonds):
            put_bonds(self._connection, after, before)

    def carry_out(self, effect: Effect, now: datetime) -> None:
        """Write what an event or a command asks for besides events."""
        carry(effect, self, stamp(now))
        self.moved = self.moved or effect.moves

    def _write_behind(self) -> None:
        """Write the events and rows that were put aside, each kind at once."""
        if self._events:
            _INSERT_EVENT.many(self._connection, self._events)
            self._events = []
        for new, statement, key in ((True, _INSERT_INCIDENT, "n"), (False, _UPDATE_INCIDENT, "number")):
            numbers = [number for number in self._changed if (number in self._new) is new]
            statement.many(self._connection, [self._row(number, key) for number in numbers])
        self._new -= self._changed.keys()
        self._changed.clear()

    def _row(self, number: str, key: str) -> dict[str, Any]:
        about = {key: number_of(number), "version": self._versions[number], "seq": self._lasts[number]}
        return columns_of(self._seen[number], self.timeline) | about

    def finish(self) -> None:
        """Write what was put aside, move the head to where this transaction brought it, wake the others."""
        if not self.moved:
            return
        with together(self._connection, commit=True):
            self._write_behind()
            head = {
                "seq": self._seq,
                "hash": self._hash,
                "incident": self._incident,
                "person": self.people,
                "recorded_at": self._recorded_at,
                "policy_seq": self.policy_seq,
                "duty_seq": self.duty_seq,
                "skew": self.skew,
            }
            _MOVE_HEAD(self._connection, head)
            if self._connection.dialect.name == "postgresql":
                _NOTIFY(self._connection, {})


def data_of(event: Event) -> str:
    """Return an event's data as canonical JSON."""
    return canonical(event.model_dump(mode="json"))


def columns_of(incident: Incident, timeline: Timeline) -> dict[str, Any]:
    """Return an incident's row without its key and version. What is filtered on is as a board shows it."""
    clocks = clocks_of(incident, timeline)
    due = soonest(clocks) if incident.is_open else NOTHING
    board = board_row(incident, due)
    return {
        "open": int(incident.is_open),
        "state": incident.state.value,
        "priority": int(incident.priority),
        "hold": board["hold"],
        "title": board["title"].casefold(),
        "owner": incident.owner,
        "acked": int(incident.acknowledged_at is not None),
        "caller": incident.caller,
        "reporter": incident.reporter,
        "parent": None if incident.parent is None else number_of(incident.parent),
        "firing": int(incident.firing),
        "legal_hold": int(incident.legal_hold),
        "retired": int(incident.retired),
        "team": board["team"].casefold(),
        "service": board["service"].casefold(),
        "category": board["category"].casefold(),
        "restricted": int(incident.visibility is Visibility.RESTRICTED),
        "seers": seers_column(incident),
        "opened_at": stamp(incident.opened_at),
        "updated_at": stamp(incident.updated_at),
        "resolved_at": _stamp(incident.resolved_at),
        "closed_at": _stamp(incident.closed_at),
        "reopened": incident.reopened,
        "due_at": None if due.at is None else stamp(moment_of(due.at)),
        "wake_at": _stamp(_wakes_at(incident, clocks, timeline)),
        "paging": incident.paging.value,
        "step_at": _stamp(incident.pages_at),
        "clocks": orjson.dumps([facts_of(clock) for clock in clocks]).decode(),
        "board": orjson.dumps(board).decode(),
        "doc": incident.model_dump_json(),
    }


def _wakes_at(incident: Incident, clocks: Sequence[Clock], timeline: Timeline) -> datetime | None:
    """When something next falls due of it: its own time, a supplier's silence, or a step of a contract."""
    nudge = next_nudge(incident, clocks, timeline)
    times = [at for at in (incident.wakes_at, None if nudge is None else moment_of(nudge)) if at is not None]
    return min(times, default=None)


def _stamp(time: datetime | None) -> str | None:
    return None if time is None else stamp(time)
