"""Adopting a policy: what matrix.toml and vendors.toml say becomes the register's own, as a version.

All of it is on the stream `policy`. What clocks need of a version (calendars, clocks, contracts) stands in
an event of its own that names nobody, and is written only where it differs from the version before: so
the texts of an old version, which name people, can be redacted, and every clock is still explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from register.adoption import matrix_in
from register.calendars import Calendar
from register.clocks.book import DEFAULT, Book
from register.clocks.definition import ClockDefinition, Contract
from register.core import Command, Decision, Event, Role, Said, World, decide, effects, refuse_unless
from register.effect import Effect
from register.roles import PEOPLES_ROLES
from register.standing import named_admins, standing

STREAM: Final = "policy"
_Uid = Annotated[int | None, Field(ge=0, lt=2**32)]


class Found(Command):
    """Put on record who made this register: its first admin, until a matrix names one."""

    role: ClassVar[Role] = Role.ADMIN
    on_incident: ClassVar[bool] = False

    uid: _Uid = None


class AdoptPolicy(Command):
    """Make these texts the register's policy.

    matrix, vendors: the files' tables, as `register.adoption.as_text` writes them; "" is no matrix.toml.
    digest: of the files themselves. uid, login: who applies it, and must stay admin unless `sure`.
    """

    role: ClassVar[Role] = Role.ADMIN
    on_incident: ClassVar[bool] = False

    matrix: str
    vendors: str
    digest: str
    uid: _Uid = None
    login: str = ""
    private: bool = True  # a register of one's own: its owner is admin, whatever a matrix says
    sure: bool = False


class Founded(Event):
    """The actor made the register."""

    kind: ClassVar[str] = "founded"

    uid: _Uid = None


class BookAdopted(Event):
    """What is promised from the next full second on."""

    kind: ClassVar[str] = "book_adopted"

    version: int
    calendars: dict[str, Calendar]
    clocks: dict[str, ClockDefinition]
    contracts: dict[str, Contract]

    @property
    def book(self) -> Book:
        return Book(self.calendars, self.clocks, self.contracts)


class PolicyAdopted(Event):
    """Both texts of a version. The newest one decides."""

    kind: ClassVar[str] = "policy_adopted"

    version: int
    digest: str  # of the files that they were read from
    matrix: str
    vendors: str


@dataclass(frozen=True, slots=True)
class Recount(Effect):
    """What runs is to be counted by the new promises."""


@effects.register
def _(event: BookAdopted, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Recount(),)


@decide.register
def _(command: Found, incident: Any, world: World) -> Decision:
    if world.policy.founder is not None:
        return ()
    return (Said(STREAM, Founded(uid=command.uid)),)


@decide.register
def _(command: AdoptPolicy, incident: Any, world: World) -> Decision:
    """The same files again change nothing."""
    if world.policy.version and command.digest == world.policy.digest:
        return ()
    matrix = matrix_in(command.matrix)
    if not command.private:
        _refuse_lockout(command, world)
    version = world.policy.version + 1
    texts = PolicyAdopted(
        version=version,
        digest=command.digest,
        matrix=command.matrix,
        vendors=command.vendors,
    )
    before = world.policy.timeline[-1][1] if world.policy.version else DEFAULT
    if matrix.book == before:
        return (Said(STREAM, texts),)
    book = matrix.book
    promised = BookAdopted(
        version=version,
        calendars=dict(book.calendars),
        clocks=dict(book.clocks),
        contracts=dict(book.contracts),
    )
    return (Said(STREAM, promised), Said(STREAM, texts))


def _refuse_lockout(command: AdoptPolicy, world: World) -> None:
    """Nobody is left outside a shared register: there is an admin, and who applies it stays one."""
    matrix = matrix_in(command.matrix)
    admin = PEOPLES_ROLES[-1]
    refuse_unless(
        named_admins(matrix) or not command.matrix,
        f"This matrix.toml names no {admin.word}: nobody could apply another one. Nothing was adopted:"
        f' give at least one person role = "{admin.word}".',
    )
    after = standing(matrix, world.policy.founder, command.uid, command.login)
    by = "By this matrix.toml" if command.matrix else "Without a matrix.toml"
    refuse_unless(
        command.sure or after.role >= admin,
        f"{by} you would be {after.role.word} ({after.why}) and could not apply another one."
        f' Nothing was adopted: give yourself role = "{admin.word}" in it, or say --yes.',
        ask="yes",
    )
