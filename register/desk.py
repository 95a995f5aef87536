"""The service desk: the only door through which anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NoReturn

import register.store.files
import register.store.pages
import register.store.people
import register.store.recount
import register.store.wiping
import register.topics  # noqa: F401 - registers every verb, event and rule
from register.canon import moment
from register.core import (
    AlertFacts,
    Command,
    Decision,
    NotFound,
    Policy,
    Principal,
    Recorded,
    Refused,
    Role,
    Said,
    World,
    bookkeeping,
    decide,
    effects,
    fold,
    new_id,
    remarks,
)
from register.handing import Asked
from register.incident import Incident
from register.roster import Roster
from register.seeing import may_see, sentence
from register.standing import told, who_may
from register.store.adopted import adopted, policy_of
from register.store.aside import aside_of
from register.store.folding import stories_of
from register.store.handing import handed
from register.store.naming import refuse_strangers, with_person_ids
from register.store.rosters import roster_of
from register.store.store import Store, recorded
from register.store.transaction import Transaction
from register.store.waiting import those_waiting
from register.topics.escalation import follow_ups
from register.topics.timekeeping import ClockSteppedBack

SKEW_TAKEN_AS_NONE = 2
"""Seconds that a clock may lie behind the newest event without a word: hosts differ by that much."""
MOST_SKEW = 2**31 - 1
"""What the head's column holds on PostgreSQL: 68 years, and a clock may be off by more."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command came to. `replayed` means that this id had been carried out before: the same answer."""

    number: str | None
    incident: Incident | None
    events: tuple[Recorded, ...]
    replayed: bool = False
    remarks: tuple[str, ...] = ()  # sentences: what a person should know of it


class _Undone(Exception):
    """Takes a transaction back, and carries out of it what it would have come to."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__()
        self.receipt = receipt


def _take_back(receipt: Receipt) -> NoReturn:
    raise _Undone(receipt)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ServiceDesk:
    """Takes plain (Principal, Command) values. Raises Refused, NotFound or RegisterUnavailable.

    It decides by the policy that the register has adopted, as of the transaction; by the one it was given
    only while none is.
    """

    def __init__(
        self, store: Store, policy: Policy | None = None, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self.store = store
        self.policy = policy or Policy()
        self._given = self.policy
        self._clock = clock

    def by(self, clock: Callable[[], datetime]) -> ServiceDesk:
        """Return a desk that is this one but for its clock."""
        return ServiceDesk(self.store, self._given, clock)

    def do(self, principal: Principal, command: Command, said_at: datetime | None = None) -> Receipt:
        """Carry out one command in one transaction. said_at: when it was said, if that was earlier."""
        _refuse_role(principal, command, lambda: adopted(self.store, self._given).policy)
        _refuse_provisional(command)
        with self.store.write(command.command_id, command.touches()) as transaction:
            return self._one(transaction, principal, command, said_at)

    def would(self, principal: Principal, command: Command) -> Receipt:
        """Return what a command would come to now; nothing of it is left. Raises what `do` raises."""
        _refuse_role(principal, command, lambda: adopted(self.store, self._given).policy)
        _refuse_provisional(command)
        try:
            with self.store.write(command.command_id, command.touches()) as transaction:
                _take_back(self._one(transaction, principal, command))
        except _Undone as undone:
            return undone.receipt

    def do_if(
        self, principal: Principal, command: Command, still: Callable[[Transaction], bool]
    ) -> Receipt | None:
        """Carry out a command if something still holds when nobody else can write; None where it does not."""
        _refuse_role(principal, command, lambda: adopted(self.store, self._given).policy)
        with self.store.write(command.command_id, command.touches()) as transaction:
            return self._one(transaction, principal, command) if still(transaction) else None

    def do_all(self, asked: Sequence[tuple[Principal, Command]]) -> list[Receipt]:
        """Carry out several commands in one transaction: all of them, or none."""
        if len(asked) == 1:
            return [self.do(*asked[0])]
        for principal, command in asked:
            _refuse_role(principal, command, lambda: adopted(self.store, self._given).policy)
            _refuse_provisional(command)
        with self.store.write() as transaction:
            transaction.will_be_asked([command.command_id for _, command in asked])
            return [self._one(transaction, principal, command) for principal, command in asked]

    def _one(
        self,
        transaction: Transaction,
        principal: Principal,
        command: Command,
        said_at: datetime | None = None,
    ) -> Receipt:
        before = transaction.events_of(command.command_id)
        if before:
            return _replayed(transaction, [recorded(row) for row in before])
        if transaction.policy_seq:
            self.policy = policy_of(self.store, transaction, self._given)
        elif self.policy.version:  # of an adoption that was taken back
            self.policy = self._given
        transaction.timeline = self.policy.timeline
        if principal.by_policy is not None:
            principal = replace(principal, role=principal.by_policy(self.policy))
            _refuse_role(principal, command, lambda: self.policy)
        now = self._time(transaction, principal)
        actor = transaction.person("person", principal.login)
        refuse_strangers(command, transaction, self.policy)
        command = with_person_ids(command, transaction)
        roster = roster_of(self.store, transaction, self.policy.matrix)
        handover = command.hands_over(roster, actor, principal.login)
        world = self._world(transaction, command, now, actor, roster, handover)
        world = replace(world, roster=roster, login=principal.login, role=principal.role)
        target = command.given("target")
        _refuse_sight(principal, actor, command, world)
        about = world.incidents.get(target) if target else None
        if said_at is not None:
            world = replace(world, now=_when(said_at, about, now))
        decision = decide(command, about, world)
        events, folded = self._record(transaction, decision, world, now, command, principal)
        for effect in bookkeeping(command, world):
            transaction.carry_out(effect, now)
        made = next((e.stream for e in events if e.kind == "created"), None)
        of_one = (e.stream for e in events if e.stream.startswith("INC-") and command.of_one)
        number = made or target or next(of_one, None) or world.alert.incident
        after = folded.get(number) if number else None
        said = remarks(command, world, after)
        return Receipt(number, after, tuple(events), replayed=world.alert.counted, remarks=said)

    def _time(self, transaction: Transaction, principal: Principal) -> datetime:
        """Return the time of this transaction. A clock that stepped back is put on record, once."""
        told = self._clock()
        now = transaction.not_before_the_last(told)
        behind = int((now - told).total_seconds())
        if behind <= SKEW_TAKEN_AS_NONE:
            transaction.skew = 0 if told >= now else transaction.skew
        elif not transaction.skew:
            transaction.skew = min(behind, MOST_SKEW)
            transaction.append(
                Said("register", ClockSteppedBack(seconds=behind)),
                command_id=new_id(),
                now=now,
                actor=transaction.person("person", principal.login),
                source=principal.source,
            )
        return now

    def _world(
        self,
        transaction: Transaction,
        command: Command,
        now: datetime,
        actor: str,
        roster: Roster,
        handover: Asked | None,
    ) -> World:
        row_id = command.given("row_id")
        wanted = dict.fromkeys(command.touches())
        sendings = transaction.sendings(row_id, ()) if row_id else {}
        wanted.update(dict.fromkeys(row.incident for row in sendings.values()))
        incidents = {number: _named(transaction, number) for number in wanted}
        about = command.asks_aside()
        aside = None if about is None else aside_of(transaction.connection, *about)
        if aside is not None and aside.incident:
            found = transaction.incident(aside.incident)
            incidents |= {} if found is None else {aside.incident: found}
        incidents |= handed(transaction, handover)
        awaited = those_waiting(transaction, command, roster.duty)
        for number in (*command.touches_too(incidents), *awaited):
            found = transaction.incident(number) if number not in incidents else None
            if found is not None:
                incidents[number] = found
        asked = command.asks_alert(incidents)
        alert = AlertFacts() if asked is None else transaction.alert(asked, self.policy, now)
        for one in (alert.incident, alert.beside):
            found = transaction.incident(one) if one and one not in incidents else None
            if found is not None:
                incidents[found.number] = found
        bonded = [number for number, incident in incidents.items() if incident.bonds]
        vendor = command.given("vendor")
        told = [one.change_id for one in (*command.given("items", ()), *command.given("unreadable", ()))]
        return World(
            now=now,
            actor=actor,
            policy=self.policy,
            next_number=transaction.next_number,
            incidents=incidents,
            sendings=sendings | transaction.sendings(None, bonded, lock=command.settles),
            heard=transaction.heard(str(vendor), told) if told else frozenset(),
            aside=aside,
            cursor=transaction.cursor(vendor) if vendor and "cursor" in type(command).model_fields else None,
            alert=alert,
            stories=stories_of(transaction.connection, streams) if (streams := command.reads()) else {},
        )

    def _record(
        self,
        transaction: Transaction,
        decision: Decision,
        world: World,
        now: datetime,
        command: Command,
        principal: Principal,
    ) -> tuple[list[Recorded], dict[str, Incident]]:
        folded = dict[str, Incident](world.incidents)
        events: list[Recorded] = []
        self._append(transaction, decision, world, now, command, principal, events, folded)
        if command.escalates:
            further = _follow_ups(world, folded, command.command_id)
            self._append(transaction, further, world, now, command, principal, events, folded)
        # whoever lets go of an alert's key comes before the one who takes it
        for number, incident in sorted(folded.items(), key=lambda item: item[1].holds_key):
            if incident is not world.incidents.get(number):
                transaction.put_incident(world.incidents.get(number), incident)
        return events, folded

    def _append(
        self,
        transaction: Transaction,
        decision: Decision,
        world: World,
        now: datetime,
        command: Command,
        principal: Principal,
        events: list[Recorded],
        folded: dict[str, Incident],
    ) -> None:
        """Put these events on record and fold them, and write what else they ask for."""
        for said in decision:
            at = said.at or world.now
            row = transaction.append(
                said if at == now else replace(said, at=at),
                command_id=command.command_id,
                now=now,
                actor=world.actor,
                source=principal.source,
            )
            events.append(_recorded(row, said.event))
            if said.stream.startswith("INC-"):
                after = fold(said.event, folded.get(said.stream), at, now)
                if after is not None:
                    folded[said.stream] = after
            for effect in effects(said.event, said.stream, command.command_id):
                transaction.carry_out(effect, now)
            folded.update(transaction.anew)
            transaction.anew.clear()


def _follow_ups(world: World, folded: Mapping[str, Incident], command_id: str) -> Decision:
    """What the changes mean for the escalation of whatever changed."""
    return tuple(
        Said(number, event)
        for number, after in folded.items()
        if after is not world.incidents.get(number)
        for event in follow_ups(world.incidents.get(number), after, world, command_id)
    )


def _named(transaction: Transaction, number: str) -> Incident:
    incident = transaction.incident(number)
    if incident is None:
        raise NotFound(f"There is no {number}. `muster list` shows the open ones.")
    return incident


def _recorded(row: dict[str, Any], event: Any) -> Recorded:
    names = ("seq", "stream", "n", "kind", "v", "command_id", "actor", "source", "cause")
    return Recorded(
        **{name: row[name] for name in names},
        at=moment(row["at"]),
        recorded_at=moment(row["recorded_at"]),
        event=event,
    )


def _replayed(transaction: Transaction, events: list[Recorded]) -> Receipt:
    made = (event.stream for event in events if event.kind == "created")
    streams = (event.stream for event in events if event.stream.startswith("INC-"))
    number = next(chain(made, streams), None)
    return Receipt(number, transaction.incident(number) if number else None, tuple(events), replayed=True)


def _refuse_role(principal: Principal, command: Command, policy: Callable[[], Policy]) -> None:
    """Nobody does what their role does not cover; the sentence says who may."""
    if command.role is Role.ENGINE or principal.role is Role.ENGINE:
        if principal.role is not Role.ENGINE:
            raise Refused(_needs(principal, command, "It is what the worker does by itself."))
        return
    if principal.role < command.role:
        holds = policy()
        names = who_may(holds.matrix, holds.founder, command.role)
        ask = f"Who may: {told(names)}." if names else f"Ask a {command.role.word} to do it."
        raise Refused(_needs(principal, command, ask))


def _needs(principal: Principal, command: Command, who: str) -> str:
    return f"This takes the role {command.role.word}; you are {principal.role.word}. Nothing was done. {who}"


def _refuse_provisional(command: Command) -> None:
    """What waits in a spool has a number there alone: who asks must put the real one in its place."""
    for number in command.touches():
        if number.startswith("~"):
            raise NotFound(f"{number} is not in the register: `muster spool list` shows what waits for it.")


def _when(said_at: datetime, about: Incident | None, now: datetime) -> datetime:
    """Return when something was true that was said earlier: neither in the future nor before its incident."""
    return min(max(said_at, about.opened_at) if about is not None else said_at, now)


def _refuse_sight(principal: Principal, actor: str, command: Command, world: World) -> None:
    """Nobody does anything with an incident that is restricted to others: taking it would show it."""
    row = world.sendings.get(command.given("row_id", ""))
    others = [one.incident for one in (row, world.aside) if one is not None]
    for number in (*command.touches(), *others):
        incident = world.incidents.get(number)
        if incident is not None and not may_see(incident, actor, principal.role):
            raise Refused(sentence(number))


def kinds(events: Iterable[Recorded]) -> list[str]:
    """Return the kinds of events, in order."""
    return [event.kind for event in events]
