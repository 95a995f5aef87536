"""Rows are projections: changed or taken away by hand, `rebuild` makes them again from the events."""

from __future__ import annotations

from typing import Any

import pytest

from register import rebuild as building
from register.desk import ServiceDesk
from register.rebuild import rebuild
from register.store.fulltext import catch_up, disagreement
from register.topics.alerts import TakeAlert
from register.topics.notes import Note
from register.topics.ownership import Take
from register.verify import verify
from tests.register.saying import ANA, engaged, everything, fixed, log, sql, ticket_of


@pytest.fixture
def lived_in(desk: ServiceDesk, clock: Any) -> ServiceDesk:
    ticket_of(desk, clock)
    engaged(desk)
    desk.do(ANA, Take(target=log(desk, "Mail bounces")))
    desk.do(ANA, fixed(log(desk, "Disk full")))
    desk.do(ANA, TakeAlert(service="Webshop", key="pay"))
    catch_up(desk.store)
    return desk


def rows(desk: ServiceDesk) -> dict[str, list[Any]]:
    found = everything(desk.store)
    return {name: found[name] for name in ("incident", "bond", "event")}


def test_rebuilding_a_sound_register_changes_nothing(lived_in: ServiceDesk) -> None:
    before = rows(lived_in)
    done = rebuild(lived_in.store)
    assert (done.incidents, done.mended, done.unproved) == (5, [], [])
    assert rows(lived_in) == before
    assert verify(lived_in.store).faults == []


@pytest.mark.parametrize(
    "by_hand",
    [
        "UPDATE incident SET due_at = '2030-01-01T00:00:00.000000Z' WHERE n = 3",
        "UPDATE incident SET clocks = '[]' WHERE n = 4",
        "UPDATE incident SET state = 'Closed', open = 0 WHERE n = 3",
        "UPDATE incident SET wake_at = NULL WHERE n = 4",
        "UPDATE incident SET doc = replace(doc, 'bounces', 'works') WHERE n = 3",
        "DELETE FROM incident WHERE n = 3",
        "DELETE FROM bond",
        "UPDATE alert SET count = 7",
    ],
)
def test_what_was_changed_by_hand_is_as_the_events_say_again(lived_in: ServiceDesk, by_hand: str) -> None:
    before = rows(lived_in)
    assert sql(lived_in.store, by_hand) > 0
    if "incident" in by_hand:
        assert verify(lived_in.store).faults != []
    rebuild(lived_in.store)
    if "FROM bond" not in by_hand:
        assert rows(lived_in) == before
    assert [row[:4] for row in rows(lived_in)["bond"]] == [row[:4] for row in before["bond"]]
    assert verify(lived_in.store).faults == []
    with lived_in.store.read() as connection:
        assert disagreement(connection) is None


def test_interrupted_it_leaves_a_register_that_holds_or_says_what_does_not(
    lived_in: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "AT_ONCE", 2)
    sql(lived_in.store, "UPDATE incident SET priority = 9")

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(lived_in.store, stop)
    assert len(verify(lived_in.store).faults) == 1  # INC-5's row is still to come
    lived_in.do(ANA, Note(target="INC-1", text="Meanwhile."))
    assert rebuild(lived_in.store).mended == ["INC-5"]
    assert verify(lived_in.store).faults == []
