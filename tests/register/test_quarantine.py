"""What could not be taken in of a supplier: told on the incident, and settled by a person's word alone."""

from __future__ import annotations

from typing import Any

import pytest

from register.core import NotFound, Refused
from register.desk import ServiceDesk
from register.store.aside import asides
from register.store.vendors import unread_bonds
from register.topics.hearing import Hear, Unreadable
from register.topics.quarantine import DiscardAside, NoteAside, Reread
from register.verify import verify
from tests.register.saying import BEN, ENGINE, ask, heard, look, story, ticket_of


@pytest.fixture
def ticket(desk: ServiceDesk, clock: Any) -> tuple[str, str]:
    number, bond = ticket_of(desk, clock)
    desk.do(ENGINE, Hear(vendor="acme", whole=bond, target=number))
    return number, bond


def set_aside(desk: ServiceDesk, number: str = "", bond: str = "", after: str | None = None) -> None:
    odd = Unreadable(change_id="c9", raw="{'Type': '?'}", why="it has no time", incident=number, bond=bond)
    desk.do(ENGINE, Hear(vendor="acme", after=after, cursor="1", unreadable=(odd,)))


def test_it_is_told_on_the_incident_once(desk: ServiceDesk, ticket: tuple[str, str]) -> None:
    set_aside(desk, *ticket)
    set_aside(desk, *ticket, after="1")
    assert story(desk, ticket[0]).count("set_aside") == 1
    assert look(desk, ticket[0]).bonds[0].aside == 1
    (one,) = asides(desk.store)
    assert (one.facts.incident, one.facts.bond, one.facts.raw) == (*ticket, "{'Type': '?'}")
    assert verify(desk.store).faults == []


def test_what_was_read_by_a_person_stands_in_the_incident_as_it_came(
    desk: ServiceDesk, ticket: tuple[str, str]
) -> None:
    set_aside(desk, *ticket)
    desk.do(BEN, NoteAside(vendor="acme", change="c9"))
    event = desk.store.timeline(ticket[0])[-1].event
    assert (event.how, event.text) == ("noted", "{'Type': '?'}")  # type: ignore[union-attr]
    assert (asides(desk.store), look(desk, ticket[0]).bonds[0].aside) == ([], 0)
    set_aside(desk, *ticket, after="1")  # the feed tells it again
    assert story(desk, ticket[0]).count("set_aside") == 1


def test_what_is_read_once_more_is_heard_like_anything_else(
    desk: ServiceDesk, clock: Any, ticket: tuple[str, str]
) -> None:
    set_aside(desk, *ticket)
    assert unread_bonds(desk.store, "acme", 9) == []
    desk.do(BEN, Reread(vendor="acme", change="c9"))
    assert [bond.id for bond in unread_bonds(desk.store, "acme", 9)] == [ticket[1]]
    item = heard(*ticket, clock(), change_id="c9")
    desk.do(ENGINE, Hear(vendor="acme", items=(item,), whole=ticket[1], target=ticket[0]))
    assert story(desk, ticket[0])[-2:] == ["aside_settled", "supplier_said"]
    assert verify(desk.store).faults == []


def test_of_what_ticket_it_is_may_not_be_known(desk: ServiceDesk, ticket: tuple[str, str]) -> None:
    set_aside(desk)
    assert "set_aside" not in story(desk, ticket[0])
    with pytest.raises(Refused, match="cannot be read again"):
        desk.do(BEN, Reread(vendor="acme", change="c9"))
    desk.do(BEN, DiscardAside(vendor="acme", change="c9", reason="a test of theirs"))
    assert story(desk, "vendor:acme")[-1] == "aside_settled"
    assert ask(desk.store, "SELECT * FROM quarantine") == []


def test_what_does_not_wait_is_not_found(desk: ServiceDesk, ticket: tuple[str, str]) -> None:
    for command in (Reread, NoteAside, DiscardAside):
        with pytest.raises(NotFound, match="muster quarantine list"):
            desk.do(BEN, command(vendor="acme", change="c9"))
