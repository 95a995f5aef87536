"""Erasing somebody, and what has been over for so long that nobody needs who and what it was about.

Who somebody is stands in one row; events name them by a pseudonymous id. The row is emptied, and what quotes
them in words is redacted, stream by stream. The names to look for are said with the commands and are in no
event. What is under legal hold is left, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from register.adoption import as_text, tables_in
from register.core import (
    Command,
    Decision,
    Event,
    PersonId,
    Refused,
    Role,
    Said,
    Target,
    World,
    bookkeeping,
    decide,
    effects,
    evolve,
    refuse_if_held,
    refuse_unless,
    says,
)
from register.duty import STREAM as DUTY
from register.effect import Effect
from register.forgetting import Change, Quoted, without, without_people
from register.incident import Incident, State
from register.off_duty import off_duty
from register.policy import Matrix, Retention
from register.text import Words
from register.topics.on_call import LeftDuty, names_in
from register.topics.privacy import redaction, said_of

STREAM: Final = "people"
OVER: Final = frozenset({State.CLOSED, State.CANCELED})
_POLICY_TEXTS: Final = ("matrix", "vendors")


class EraseIn(Command):
    """Take what quotes somebody out of one stream."""

    role: ClassVar[Role] = Role.ADMIN
    on_incident: ClassVar[bool] = False

    stream: str
    person: PersonId
    names: tuple[str, ...]

    def touches(self) -> tuple[str, ...]:
        return (self.stream,) if self.stream.startswith("INC-") else ()

    def reads(self) -> tuple[str, ...]:
        return (self.stream,)


class ErasePerson(Command):
    """Empty somebody's row: who they are is not known any more."""

    role: ClassVar[Role] = Role.ADMIN
    on_incident: ClassVar[bool] = False

    person: PersonId
    reason: Annotated[Words, Field(description="why, without the name")]
    names: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Retire(Command):
    """Take texts and people out of an incident that has been over for as long as a rule says."""

    role: ClassVar[Role] = Role.ADMIN
    on_incident: ClassVar[bool] = False

    target: Target

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class PersonErased(Event):
    """Who this id was is not known any more. left: incidents under legal hold, which quote them still."""

    kind: ClassVar[str] = "person_erased"

    person: PersonId
    reason: str
    left: tuple[str, ...] = ()


class ErasureWaits(Event):
    """Somebody was erased who is quoted here; it is under legal hold, and stays as it is."""

    kind: ClassVar[str] = "erasure_waits"

    person: PersonId


@dataclass(frozen=True, slots=True)
class EmptyPerson(Effect):
    person: PersonId


@dataclass(frozen=True, slots=True)
class TakeOut(Effect):
    """These names go from what is no event: sendings, what could not be read, troubles, names of files."""

    names: tuple[str, ...]
    keep: tuple[str, ...] = ()  # incidents under legal hold


@decide.register
def _(command: EraseIn, incident: Any, world: World) -> Decision:
    found = world.incidents.get(command.stream)
    quoted = Quoted(command.names)
    if found is not None and found.legal_hold:
        return () if command.person in found.left_in else says(found, ErasureWaits(person=command.person))
    change = in_policy(quoted) if command.stream == "policy" else without(quoted, command.stream)
    wiped = redaction(world.stories[command.stream], change)
    return said_of(command.stream, wiped.model_copy(update={"why": "erased", "person": command.person}))


@decide.register
def _(command: ErasePerson, incident: Any, world: World) -> Decision:
    refuse_unless(
        not Quoted(command.names).in_text(command.reason),
        "The reason says the name that is to go. Nothing was done: give a reason without it.",
        ask="reason",
    )
    erased = PersonErased(person=command.person, reason=command.reason, left=command.left)
    on_duty = names_in(world.roster.duty, command.person)
    left = (Said(DUTY, LeftDuty(person=command.person)),) if on_duty else ()
    return (Said(STREAM, erased), *left)


@decide.register
def _(command: Retire, incident: Incident, world: World) -> Decision:
    refuse_if_held(incident)
    refuse_unless(
        not incident.retired and is_due(incident, world.policy.matrix, world.now),
        f"{incident.number} has not been over for as long as a rule of retention says. Nothing was done.",
    )
    if any(row.incident == incident.number for row in world.sendings.values()):
        raise Refused(
            f"A message of {incident.number} is not known to have arrived: its text is needed until it has."
        )
    wiped = redaction(world.stories[incident.number], without_people)
    return says(incident, wiped.model_copy(update={"why": "retention"}))


def is_due(incident: Incident, matrix: Matrix, now: datetime) -> bool:
    """Whether a rule of retention says that its texts and people go by now: the shortest that fits."""
    over = incident.closed_at if incident.state in OVER else None
    return over is not None and any(over + rule.after <= now for rule in _fitting(incident, matrix))


def _fitting(incident: Incident, matrix: Matrix) -> Iterable[Retention]:
    return (rule for rule in matrix.retention if rule.fits(incident.service, incident.category))


def in_policy(quoted: Quoted) -> Change:
    """Return a change for the texts of a policy: who is quoted goes from them, all else holds on."""
    plain = without(quoted, "policy")

    def change(name: str, text: str) -> str | None:
        if name not in _POLICY_TEXTS:
            return plain(name, text)
        if not quoted.in_json(text):
            return text
        tables = tables_in(text)
        people = tables.get("people")
        if name == "matrix" and isinstance(people, dict):
            gone = [key for key, one in people.items() if quoted.in_json(as_text({key: one}))]
            tables["people"] = {key: one for key, one in people.items() if key not in gone}
            for team in tables.get("teams", {}).values():
                if isinstance(team, dict) and team.get("lead") in gone:
                    del team["lead"]
            tables = off_duty(tables, gone)
        return as_text(_taken_out(tables, quoted))

    return change


def _taken_out(value: Any, quoted: Quoted) -> Any:
    if isinstance(value, str):
        return quoted.taken_out(value)
    if isinstance(value, dict):
        return {key: _taken_out(one, quoted) for key, one in value.items()}
    return [_taken_out(one, quoted) for one in value] if isinstance(value, list) else value


@evolve.register
def _(event: ErasureWaits, incident: Incident, at: datetime) -> Incident:
    return incident.but(left_in=(*incident.left_in, event.person))


@effects.register
def _(event: PersonErased, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (EmptyPerson(event.person),)


@bookkeeping.register
def _(command: ErasePerson, world: World) -> tuple[Effect, ...]:
    return (TakeOut(command.names, command.left),) if command.names else ()
