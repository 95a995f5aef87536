"""Holding back what goes to one supplier, and letting it go on: a person's word, with the reason."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from register.core import Command, Decision, NotFound, Role, Said, World, decide, joined
from register.text import Slug, Words
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
