"""Restricted incidents: one rule who may see them, and no way round it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.core import Principal, Refused, Role
from register.desk import ServiceDesk
from register.incident import Incident, Visibility
from register.live import Live
from register.row import board_row, mask
from register.seeing import is_among, may_see, seers, seers_column
from register.store.sight import Sight, unseen, visible
from register.store.tables import incident as table
from register.topics.notes import Note
from register.topics.ownership import Take
from register.topics.resolution import Resolve
from register.topics.sight import Restrict, Unrestrict
from register.verify import verify
from tests.register.saying import ADA, ANA, BEN, claim, engaged, log, look, sql
from tests.register.test_laws import INCIDENT

CARL = Principal("carl", Role.COORDINATOR, "board")
EVA = Principal("eva", Role.RESPONDER, "board")
SECRET = "salary list leaked"


@pytest.fixture
def number(desk: ServiceDesk) -> str:
    """Restricted; Ana reported it, Eva called, Ben owns it."""
    found = log(desk, SECRET, service="payroll", caller="eva")
    desk.do(BEN, Take(target=found))
    desk.do(ANA, Restrict(target=found))
    return found


def rows_for(desk: ServiceDesk, who: Principal | None) -> dict[str, Any]:
    return {row["number"]: row for row in desk.store.rows(who)[1]}


def test_who_works_on_it_called_or_is_admin_sees_it_and_others_its_number(
    desk: ServiceDesk, number: str
) -> None:
    for who in (ANA, BEN, EVA, ADA):
        assert rows_for(desk, who)[number]["title"] == SECRET
    for stranger in (CARL, Principal("nobody", Role.VIEWER, "board"), None):
        row = rows_for(desk, stranger)[number]
        assert row["masked"] is True
        told = {value for name, value in row.items() if name not in ("number", "n", "p") and value}
        assert told == {True}


def test_a_named_person_gains_sight_and_loses_it_at_the_next_change(desk: ServiceDesk, number: str) -> None:
    for command, sees in (
        (Restrict(target=number, to=("carl", "dan")), True),
        (Restrict(target=number, off=("carl",)), False),
        (Unrestrict(target=number), True),
    ):
        before = desk.store.seq()
        desk.do(BEN, command)
        _, (row,), _ = desk.store.changed(before, CARL)
        assert (row["title"] == SECRET) is sees
        assert bool(row.get("masked")) is not sees
    assert verify(desk.store).ok


def test_who_is_passed_over_as_owner_loses_sight(desk: ServiceDesk) -> None:
    number = log(desk, SECRET)
    desk.do(CARL, Take(target=number))
    desk.do(BEN, Restrict(target=number))
    assert rows_for(desk, CARL)[number]["title"] == SECRET
    desk.do(BEN, Take(target=number))
    assert rows_for(desk, CARL)[number]["masked"]


def test_who_restricts_an_incident_goes_on_seeing_it(desk: ServiceDesk) -> None:
    number = log(desk, SECRET)
    desk.do(CARL, Restrict(target=number))
    assert rows_for(desk, CARL)[number]["title"] == SECRET


def test_nobody_takes_what_is_restricted_to_others_to_see_it(desk: ServiceDesk, number: str) -> None:
    seq = desk.store.seq()
    for command in (
        Take(target=number),
        Note(target=number, text="let me in"),
        Restrict(target=number, to=("carl",)),
        Unrestrict(target=number),
        Resolve(target=number, code="workaround", notes="x"),
    ):
        with pytest.raises(Refused, match=f"{number} is restricted") as refused:
            desk.do(CARL, command)
        assert SECRET not in refused.value.sentence
    assert desk.store.seq() == seq


def test_a_sending_about_it_is_nobody_elses_either(desk: ServiceDesk, clock: Any) -> None:
    from register.topics.delivery import DropSending

    number, row_id = engaged(desk)
    desk.do(BEN, Restrict(target=number))
    with pytest.raises(Refused, match="restricted"):
        desk.do(CARL, DropSending(row_id=row_id))
    with desk.store.read() as connection:
        assert unseen(connection, CARL, [number]) == {number}
        assert unseen(connection, BEN, [number]) == unseen(connection, ADA, [number]) == frozenset()
        assert unseen(connection, CARL, []) == frozenset()
    assert claim(desk.store, clock())  # the courier goes on sending


def test_restricting_twice_is_refused_and_so_is_opening_what_is_open(desk: ServiceDesk, number: str) -> None:
    with pytest.raises(Refused, match="restricted already"):
        desk.do(BEN, Restrict(target=number))
    desk.do(BEN, Restrict(target=number, to=("carl",)))
    with pytest.raises(Refused, match="restricted already"):
        desk.do(BEN, Restrict(target=number, to=("carl",)))
    desk.do(BEN, Unrestrict(target=number))
    with pytest.raises(Refused, match="not restricted"):
        desk.do(BEN, Unrestrict(target=number))
    assert look(desk, number).allowed == ()


def test_names_come_as_a_list_or_with_commas() -> None:
    assert Restrict(target="INC-1", to=" ana, ben ,,").to == ("ana", "ben")  # type: ignore[arg-type]


def test_a_hand_edited_list_of_seers_is_a_fault(desk: ServiceDesk, number: str) -> None:
    sql(desk.store, "UPDATE incident SET seers = '|p1|p99|'")
    assert "seers" in verify(desk.store).faults[0]


def test_live_json_never_holds_what_its_reader_may_not_see(
    desk: ServiceDesk, number: str, tmp_path: Any
) -> None:
    live = Live.open(tmp_path / "live.json")
    seq, rows = desk.store.rows(CARL)
    live.apply(rows, [], {}, seq)
    live.save()
    assert SECRET not in (tmp_path / "live.json").read_text()
    assert Live.open(tmp_path / "live.json").row(number) == rows[0]


PEOPLE = st.none() | st.integers(1, 4).map(lambda n: f"p{n}")


@given(INCIDENT, PEOPLE, PEOPLE, st.lists(PEOPLE.filter(bool), max_size=3), PEOPLE, st.sampled_from(Role))
def test_the_column_the_rule_and_the_mask_agree(
    incident: Incident, owner: Any, caller: Any, allowed: Any, person: Any, role: Role
) -> None:
    one = incident.but(owner=owner, caller=caller, allowed=tuple(allowed), reporter="p4")
    restricted, column = int(one.visibility is Visibility.RESTRICTED), seers_column(one)
    sight = Sight(person, role)
    assert may_see(one, person, role) == sight.sees(restricted, column)
    if restricted:
        assert is_among(column, person) == (person in seers(one))
    masked = mask(board_row(one))
    assert board_row(one).keys() - {"firing", "held"} <= masked.keys()
    shown = {"number", "n", "p", "restricted", "masked"}
    assert not any(value for name, value in masked.items() if name not in shown)


def test_sql_asks_the_same_rule(desk: ServiceDesk, number: str) -> None:
    from sqlalchemy import select

    everyone = log(desk, "for all")
    with desk.store.read() as connection:

        def seen(sight: Sight) -> set[str]:
            found = connection.execute(select(table.c.n).where(visible(sight))).scalars()
            return {f"INC-{n}" for n in found}

        people = {name: person for person, name in desk.store.people().items()}
        assert seen(Sight(people["eva"], Role.RESPONDER)) == {number, everyone}
        assert seen(Sight("p", Role.RESPONDER)) == seen(Sight()) == {everyone}
        assert seen(Sight(None, Role.ADMIN)) == {number, everyone}
