"""Holding back what goes to one supplier, and letting it go on: with the reason.

What a person holds back, a person lets go on. A pause of the engine's own, for a credential that was refused,
is over as well when another one works.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import Field

from register.core import Command, Decision, NotFound, Role, Said, World, Written, decide, joined
from register.text import Slug, Text, Words
from register.topics.delivery import VendorPaused, VendorResumed


class _OfVendor(Command):
    group: ClassVar[str] = "vendors"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    vendor: Annotated[Slug, Field(description="the supplier's name in vendors.toml")]
    reason: Annotated[Words, Field(description="why; the others who look at the outbox read it")]


class HoldBack(_OfVendor):
    """Send nothing to a supplier until somebody says so: what is asked for waits, in order."""

    verb: ClassVar[str] = "pause"


class LetGoOn(_OfVendor):
    """Send to a supplier again, whoever or whatever paused it."""

    verb: ClassVar[str] = "unpause"


class ResumeVendor(Command):
    """Another credential of a supplier works: send to it again, unless a person holds it back."""

    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    vendor: str
    why: Text

    def reads(self) -> tuple[str, ...]:
        return (f"vendor:{self.vendor}",)


def _known(command: _OfVendor, world: World) -> str:
    if command.vendor not in world.policy.vendors:
        raise NotFound(
            f"There is no supplier {command.vendor!r} in the adopted vendors.toml."
            f" Known: {joined(world.policy.vendors)}. Nothing was done.",
            ask="vendor",
        )
    return f"vendor:{command.vendor}"


@decide.register
def _(command: HoldBack, incident: Any, world: World) -> Decision:
    event = VendorPaused(vendor=command.vendor, why=command.reason, by=world.actor)
    return (Said(_known(command, world), event),)


@decide.register
def _(command: LetGoOn, incident: Any, world: World) -> Decision:
    return (Said(_known(command, world), VendorResumed(vendor=command.vendor, why=command.reason)),)


@decide.register
def _(command: ResumeVendor, incident: Any, world: World) -> Decision:
    stream = f"vendor:{command.vendor}"
    if _is_held_back(world.stories.get(stream, ())):
        return ()  # said a moment ago, perhaps: since it was asked whether the credential works
    return (Said(stream, VendorResumed(vendor=command.vendor, why=command.why)),)


def _is_held_back(story: tuple[Written, ...]) -> bool:
    """Whether a person has paused it since it was let go on last, whatever else paused it besides."""
    since = takewhile(lambda one: one.kind != VendorResumed.kind, reversed(story))
    return any(one.kind == VendorPaused.kind and orjson.loads(one.data or "{}").get("by") for one in since)
