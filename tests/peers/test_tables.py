"""Tables of vendors.toml on real systems: their fields are filled, and what they refuse is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integrations.connector import Ref, Reprioritise, Theirs, Transition
from integrations.errors import Rejected
from register.incident import Impact, Priority, Urgency
from register.translation import CELLS
from tests.peers.conftest import Agent, Desk, RedmineAgent, RedmineDesk
from tests.peers.saying import draft, op

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]
PARTS = {"high": "high", "medium": "normal", "low": "low"}
GRADED: dict[str, Any] = {
    "fields": {"impact": "Customer Priority", "urgency": "Serial Number"},
    "impact": PARTS,
    "urgency": {"high": "1", "medium": "2", "low": "3"},
}


async def _fields(agent: Agent, ref: Ref) -> dict[str, list[str]]:
    told = await agent.sees(f"/ticket/{ref.id}")
    return {each["name"]: each["values"] for each in told["CustomFields"]}


async def test_request_tracker_gets_impact_and_urgency_in_fields_of_its_own(desk: Desk, agent: Agent) -> None:
    rt = desk(**GRADED)
    theirs = {"Customer Priority": "high", "Serial Number": "2"}
    ref = await rt.create(replace(draft(op()), fields=theirs, impact=Impact.HIGH, urgency=Urgency.MEDIUM))
    told = await agent.sees(f"/ticket/{ref.id}")
    fields = await _fields(agent, ref)
    assert (fields["Customer Priority"], fields["Serial Number"]) == (["high"], ["2"])
    assert str(told["Priority"]) in ("0", "Low"), "their own number is left to them"
    wish = Reprioritise(op(), Priority.LOW, fields={"Customer Priority": "low", "Serial Number": "3"})
    await rt.apply(ref, wish)
    fields = await _fields(agent, ref)
    assert (fields["Customer Priority"], fields["Serial Number"]) == (["low"], ["3"])
    assert (await rt.check()).ok


async def test_request_tracker_gets_a_priority_by_impact_and_urgency(desk: Desk, agent: Agent) -> None:
    rt = desk(impact_urgency={cell: 10 * place for place, cell in enumerate(CELLS)})
    ref = await rt.create(replace(draft(op()), impact=Impact.MEDIUM, urgency=Urgency.LOW))
    assert (await agent.sees(f"/ticket/{ref.id}"))["Priority"] == "50"
    wish = Reprioritise(op(), Priority.HIGH, Impact.HIGH, Urgency.LOW)
    await rt.apply(ref, wish)
    assert (await agent.sees(f"/ticket/{ref.id}"))["Priority"] == "20"


async def test_request_tracker_is_closed_with_what_it_wants_or_not_at_all(desk: Desk, agent: Agent) -> None:
    close = {"field": "Customer Priority", "codes": {"*": "low"}}
    rt = desk(close=close)
    ref = await rt.create(draft(op()))
    with pytest.raises(Rejected, match="did not take Customer Priority = nonsense"):
        await rt.apply(ref, Transition(op(), Theirs.CLOSED, "over", {"Customer Priority": "nonsense"}))
    assert (await agent.sees(f"/ticket/{ref.id}"))["Status"] == "new", "no state before its fields are in"
    done = await rt.apply(ref, Transition(op(), Theirs.CLOSED, "over", {"Customer Priority": "low"}))
    assert done.ticket is not None
    assert done.ticket.raw_state == "resolved"
    assert (await _fields(agent, ref))["Customer Priority"] == ["low"]
    assert (await rt.check()).ok
    bad = [one for one in (await desk(close=close | {"field": "Nope"}).check()).checks if not one.ok]
    assert [one.name for one in bad] == ["fields"]
    assert "no field Nope" in bad[0].says


async def test_redmine_keeps_it_under_the_tracker_that_our_category_stands_for(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    site = redmine_desk.peer["REDMINE_CF_SITE_CODE"]
    own = {"fields": {"category": "tracker", "site": site}, "categories": {"Network": "Bug", "*": "Support"}}
    redmine = redmine_desk(**own)
    ref = await redmine.create(draft(op(), tracker="Bug", **{site: "ABC12"}))
    told = (await redmine_agent.sees(f"/issues/{ref.id}.json"))["issue"]
    assert told["tracker"]["name"] == "Bug"
    assert [one["value"] for one in told["custom_fields"] if str(one["id"]) == site] == ["ABC12"]
    with pytest.raises(Rejected, match="has no tracker Nope: nothing was sent"):
        await redmine.create(draft(op(), tracker="Nope"))
    with pytest.raises(Rejected, match="has no category Nope: nothing was sent"):
        await redmine.create(draft(op(), category="Nope"))
    await redmine.create(draft(op()))
    health = await redmine.check()
    assert health.ok, [one for one in health.checks if not one.ok]
    wrong = redmine_desk(fields={"category": "tracker", "site": "99"}, categories={"*": "Nope"})
    bad = {one.name for one in (await wrong.check()).checks if not one.ok}
    assert bad == {"categories", "fields"}


async def test_redmine_is_closed_with_what_it_wants(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    site = redmine_desk.peer["REDMINE_CF_SITE_CODE"]
    redmine = redmine_desk(close={"field": int(site), "codes": {"*": "ABC12"}, "note": True})
    ref = await redmine.create(draft(op()))
    with pytest.raises(Rejected, match="Site code is invalid"):
        await redmine.apply(ref, Transition(op(), Theirs.CLOSED, "over", {site: "nonsense"}))
    assert (await redmine.get(ref)).raw_state == "New"
    with pytest.raises(Rejected, match="did not set custom field 99"):
        await redmine.apply(ref, Transition(op(), Theirs.WORKING, "", {"99": "x"}))
    done = await redmine.apply(ref, Transition(op(), Theirs.CLOSED, "over", {site: "ABC12"}))
    assert done.ticket is not None
    assert done.ticket.raw_state == "Closed"
    told = (await redmine_agent.sees(f"/issues/{ref.id}.json"))["issue"]
    assert [one["value"] for one in told["custom_fields"] if str(one["id"]) == site] == ["ABC12"]


async def test_redmine_check_tells_that_our_account_may_not_close(redmine_desk: RedmineDesk) -> None:
    await redmine_desk().create(draft(op()))
    health = await redmine_desk(transitions={"closed": "Rejected"}).check()
    assert [(one.name, one.ok) for one in health.checks if not one.ok] == [("closing", False)]
