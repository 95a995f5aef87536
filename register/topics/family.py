"""What happens to the children when something happens to their parent (ServiceNow's table; depth 1).

In progress: they are, too. On hold for a supplier, a change or a problem: they are, too; for the caller:
each has its own. Resolved: they are, with its notes. Reopened by one of us: those that it resolved are, too.
Closed and canceled: nothing. One that waits for its own caller is left alone until the parent is resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from register.core import Decision, Event, Said, World
from register.incident import HoldReason, Incident, State, Visibility
from register.seeing import seers


def children_of(incident: Incident | None) -> tuple[str, ...]:
    """The numbers that a verb on this incident must see besides it."""
    return () if incident is None else incident.children


def each_child(
    parent: Incident,
    world: World,
    says: Callable[[Incident], Event | None],
    applies: Callable[[Incident], bool],
) -> Decision:
    """Say the same of every child to which it applies. `says` may have nothing to say of one."""

    def found() -> Iterator[Said]:
        for number in parent.children:
            child = world.incidents.get(number)
            event = says(child) if child is not None and applies(child) else None
            if event is not None:
                yield Said(number, event)

    return tuple(found())


def may_say(parent: Incident, child: Incident) -> bool:
    """Whether everyone who reads the child may read what was written on the parent."""
    if parent.visibility is Visibility.EVERYONE:
        return True
    return child.visibility is Visibility.RESTRICTED and seers(child) <= seers(parent)


def with_its_parent(parent: Incident) -> str:
    """What a child is told instead of the parent's own words."""
    return f"With {parent.number}, its parent."


def waits_for_its_caller(child: Incident) -> bool:
    return child.hold is not None and child.hold.reason is HoldReason.CALLER


def goes_along(child: Incident) -> bool:
    """Whether it follows its parent while both are open."""
    return child.is_open and not waits_for_its_caller(child)


def to_be_begun(child: Incident) -> bool:
    """Whether a parent that is worked on takes it along."""
    return goes_along(child) and child.state is not State.IN_PROGRESS
