"""An incident from elsewhere: its states, its own times, once, and what a redaction leaves of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from register.clocks.run import clocks_of
from register.core import Refused
from register.desk import ServiceDesk
from register.incident import ResolutionCode, State
from register.topics.importing import ImportIncident
from register.topics.privacy import Redact
from register.verify import verify
from tests.register.saying import ADA, BEN, everything, look

THEN = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
ENDED: dict[str, Any] = {
    "resolved_at": THEN + timedelta(hours=2),
    "closed_at": THEN + timedelta(hours=3),
    "resolution": ResolutionCode.WORKAROUND,
}


def one(state: State = State.NEW, **more: Any) -> ImportIncident:
    known = {"source": "old", "number": "T-1", "title": "Mail bounces", "opened_at": THEN, "state": state}
    if state in (State.RESOLVED, State.CLOSED):
        known |= ENDED
    return ImportIncident.model_validate(known | more)


@pytest.mark.parametrize("state", State)
def test_it_comes_in_as_it_stood_there(desk: ServiceDesk, state: State) -> None:
    receipt = desk.do(BEN, one(state, owner="carl"))
    incident = look(desk, receipt.number or "")
    assert (incident.state, incident.opened_at) == (state, THEN)
    assert incident.owner == desk.store.person_id("carl")
    if state is State.CLOSED:
        assert (incident.resolved_at, incident.closed_at) == (ENDED["resolved_at"], ENDED["closed_at"])
        assert all(clock.is_over for clock in clocks_of(incident, desk.policy.timeline))
    assert verify(desk.store).faults == []


def test_the_same_incident_twice_is_one(desk: ServiceDesk) -> None:
    desk.do(BEN, one())
    before = everything(desk.store)
    assert desk.do(BEN, one(title="Other words")).replayed
    assert everything(desk.store) == before
    assert desk.do(BEN, one(number="T-2")).number == "INC-2"


@pytest.mark.parametrize(
    ("wrong", "ask"),
    [
        ({"opened_at": datetime(2999, 1, 1, tzinfo=UTC)}, "opened_at"),
        ({"state": State.CLOSED, "closed_at": THEN - timedelta(hours=1)}, "closed_at"),
        ({"state": State.RESOLVED, "resolved_at": None, "closed_at": None}, "resolved_at"),
        ({"state": State.RESOLVED, "resolution": None}, "resolution"),
    ],
)
def test_what_cannot_have_been_is_refused(desk: ServiceDesk, wrong: dict[str, Any], ask: str) -> None:
    before = everything(desk.store)
    with pytest.raises(Refused) as refused:
        desk.do(BEN, one(**wrong))
    assert refused.value.ask == ask
    assert everything(desk.store) == before


def test_a_redaction_takes_its_story_and_leaves_its_source(desk: ServiceDesk) -> None:
    number = desk.do(BEN, one(State.CLOSED, story="it said hunter2", description="hunter2")).number or ""
    before = look(desk, number)
    after = desk.do(ADA, Redact(target=number, reason="a password")).incident
    assert after is not None
    assert after.but(title=before.title, updated_at=before.updated_at) == before
    assert "hunter2" not in str(everything(desk.store)["event"])
    assert verify(desk.store).faults == []
