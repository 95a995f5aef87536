"""How incidents hang together: parent and child, duplicates, related ones, problems and changes elsewhere."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from register.core import (
    Command,
    Decision,
    Event,
    Role,
    Said,
    Target,
    World,
    decide,
    evolve,
    refuse_unless,
)
from register.incident import Incident
from register.text import Name

_NUMBER: Final = re.compile(r"(?:INC-)?0*([1-9]\d{0,8})", re.ASCII | re.IGNORECASE)


class Link(StrEnum):
    """What the other one is to this one."""

    PARENT = "parent"
    DUPLICATE = "duplicate"  # of the other one, which goes on
    RELATED = "related"
    PROBLEM = "problem"
    CHANGE = "change"


class Side(StrEnum):
    """What the other one is, as each stream tells it."""

    PARENT = "parent"
    CHILD = "child"
    DUPLICATE_OF = "duplicate_of"
    DUPLICATED_BY = "duplicated_by"
    RELATED = "related"
    FOLLOWED_BY = "followed_by"
    PROBLEM = "problem"
    CHANGE = "change"


BOTH_SIDES: Final = {
    Link.PARENT: (Side.PARENT, Side.CHILD),
    Link.DUPLICATE: (Side.DUPLICATE_OF, Side.DUPLICATED_BY),
    Link.RELATED: (Side.RELATED, Side.RELATED),
}
"""What is told of the other one here, and of this one there."""
ELSEWHERE: Final = {Link.PROBLEM: Side.PROBLEM, Link.CHANGE: Side.CHANGE}
_HELD_IN: Final = {Side.RELATED: "related", Side.PROBLEM: "problems", Side.CHANGE: "changes"}


def number_in(given: object) -> object:
    """Return INC-3 for 3, inc-3 and INC-3; what is none of these as it is."""
    found = _NUMBER.fullmatch(given.strip()) if isinstance(given, str) else None
    return f"INC-{found[1]}" if found else given or None


Original = Annotated[Target | None, BeforeValidator(number_in)]
"""An incident's number, or its digits alone."""
Other = Annotated[Name, Field(description="the other one: INC-3, or a problem's or change's number")]


class _Linking(Command):
    target: Target
    kind: Annotated[
        Link, Field(description="what the other one is: its parent, what it is a duplicate of, …")
    ]
    to: Other

    @field_validator("to")
    @classmethod
    def _is_number(cls, to: str, info: ValidationInfo) -> str:
        if info.data.get("kind") in BOTH_SIDES and not _NUMBER.fullmatch(to):
            raise ValueError(f"{to!r} is no number of an incident: write INC-3, or 3.")
        return to

    @property
    def other(self) -> str:
        """The other incident's number, or the record's name."""
        found = _NUMBER.fullmatch(self.to)
        return f"INC-{found[1]}" if found and self.kind in BOTH_SIDES else self.to

    def touches(self) -> tuple[str, ...]:
        other = (self.other,) if self.kind in BOTH_SIDES else ()
        return (self.target, *other)


class LinkTo(_Linking):
    """Link the incident: to its parent, what it is a duplicate of, a related one, a problem or a change."""

    verb: ClassVar[str] = "link"
    role: ClassVar[Role] = Role.RESPONDER


class Unlink(_Linking):
    """Take a link away again."""

    verb: ClassVar[str] = "unlink"
    role: ClassVar[Role] = Role.RESPONDER


class Linked(Event):
    kind: ClassVar[str] = "linked"

    side: Side
    to: str


class Unlinked(Event):
    kind: ClassVar[str] = "unlinked"

    side: Side
    to: str


@decide.register
def _(command: LinkTo, incident: Incident, world: World) -> Decision:
    if command.kind in ELSEWHERE:
        side = ELSEWHERE[command.kind]
        refuse_unless(
            command.to not in linked_to(incident, side),
            f"{incident.number} is linked to {command.to} already.",
            "to",
        )
        return (Said(incident.number, Linked(side=side, to=command.to)),)
    return linked(incident, world.incidents[command.other], command.kind)


@decide.register
def _(command: Unlink, incident: Incident, world: World) -> Decision:
    here = ELSEWHERE.get(command.kind) or BOTH_SIDES[command.kind][0]
    refuse_unless(
        command.other in linked_to(incident, here),
        f"{incident.number} has no link to {command.to} as its {command.kind}. Nothing was changed.",
        "to",
    )
    if command.kind in ELSEWHERE:
        return (Said(incident.number, Unlinked(side=here, to=command.to)),)
    there = BOTH_SIDES[command.kind][1]
    return (
        Said(incident.number, Unlinked(side=here, to=command.other)),
        Said(command.other, Unlinked(side=there, to=incident.number)),
    )


def linked(incident: Incident, other: Incident, kind: Link) -> Decision:
    """Return the events of both sides, or refuse what cannot be."""
    here, there = BOTH_SIDES[kind]
    number = incident.number
    refuse_unless(other.number != number, f"{number} cannot be linked to itself. Nothing was changed.", "to")
    refuse_unless(
        other.number not in linked_to(incident, here), f"{number} is linked to {other.number} already.", "to"
    )
    if kind is Link.PARENT:
        _refuse_generations(incident, other)
    if kind is Link.DUPLICATE:
        _refuse_chain(incident, other)
    return (
        Said(number, Linked(side=here, to=other.number)),
        Said(other.number, Linked(side=there, to=number)),
    )


def _refuse_generations(child: Incident, parent: Incident) -> None:
    """A parent has children, and they have none."""
    for one in (child, parent):
        refuse_unless(
            one.is_open,
            f"{one.number} is {one.state.lower()}: only open incidents become parent and child."
            " Nothing was changed.",
            "to",
        )
    refuse_unless(
        child.parent is None,
        f"{child.number} has a parent already, {child.parent}: `muster unlink {child.number} {child.parent}"
        " --kind parent` first.",
        "to",
    )
    refuse_unless(
        not child.children,
        f"{child.number} has children of its own, and a child has none: link those to {parent.number}"
        " instead.",
        "to",
    )
    refuse_unless(
        parent.parent is None,
        f"{parent.number} is a child itself: link {child.number} to its parent, {parent.parent}.",
        "to",
    )


def _refuse_chain(incident: Incident, original: Incident) -> None:
    refuse_unless(
        incident.duplicate_of is None,
        f"{incident.number} is a duplicate of {incident.duplicate_of} already. Nothing was changed.",
        "to",
    )
    refuse_unless(
        original.duplicate_of is None,
        f"{original.number} is a duplicate itself: link {incident.number} to {original.duplicate_of}.",
        "to",
    )


def linked_to(incident: Incident, side: Side) -> tuple[str, ...]:
    """What stands on that side of it."""
    one = {
        Side.PARENT: incident.parent,
        Side.DUPLICATE_OF: incident.duplicate_of,
    }
    if side in one:
        return () if one[side] is None else (str(one[side]),)
    if side is Side.CHILD:
        return incident.children
    found: tuple[str, ...] = getattr(incident, _HELD_IN.get(side, ""), ())
    return found


@evolve.register
def _(event: Linked, incident: Incident, at: datetime) -> Incident:
    return incident.but(**_changed(incident, event.side, event.to, there=True))


@evolve.register
def _(event: Unlinked, incident: Incident, at: datetime) -> Incident:
    return incident.but(**_changed(incident, event.side, event.to, there=False))


def _changed(incident: Incident, side: Side, to: str, *, there: bool) -> dict[str, Any]:
    """Which field of the fold changes, and to what. Of some sides only the timeline tells."""
    if side is Side.PARENT:
        return {"parent": to if there else None}
    if side is Side.DUPLICATE_OF:
        return {"duplicate_of": to if there else None}
    name = "children" if side is Side.CHILD else _HELD_IN.get(side)
    if name is None:
        return {}
    rest = tuple(one for one in getattr(incident, name) if one != to)
    return {name: (*rest, to) if there else rest}
