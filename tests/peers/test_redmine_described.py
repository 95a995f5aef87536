"""A real Redmine by a block of vendors.toml alone: by every rule, and by what it says yes to and does not do.

Each rule is a test of its own (`Suite.test_conforms`). What is on record for `rest` is Roundup's: here it is
asserted, and put on record nowhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from integrations.conformance.suite import Suite
from integrations.connector import Absent, Comment, Found, Reprioritise, Theirs, Transition
from integrations.errors import AuthFailed, Failure, Rejected
from integrations.systems.rest import Rest
from integrations.vendors import connector_for, read_vendors
from register.incident import Priority
from tests.integrations.rest_kit import SINCE, draft, op, page_block
from tests.peers.conftest import RedmineAgent
from tests.peers.test_redmine_conformance import EXEMPT, RedmineWorld

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]
BLOCK = Path(__file__).parent.parent / "described" / "redmine.toml"


class DescribedWorld(RedmineWorld):
    """The same Redmine, and a block in the place of its connector."""

    system = Rest  # type: ignore[assignment] # another connector to the same system

    def __init__(self, peer: Mapping[str, str], agent: RedmineAgent, us: RedmineAgent) -> None:
        super().__init__(peer, agent, us)
        self.config = read_vendors(BLOCK.read_text())["redmine"].config

    def decides(self, request: httpx.Request) -> bool:
        return not request.url.path.startswith("/uploads")


class TestDescribedRedmine(Suite):
    apart: ClassVar = True
    exempt: ClassVar[Mapping[str, str]] = EXEMPT

    @pytest.fixture
    def world(
        self, redmine_peer: Mapping[str, str], redmine_agent: RedmineAgent, redmine_us: RedmineAgent
    ) -> DescribedWorld:
        return DescribedWorld(redmine_peer, redmine_agent, redmine_us)


Desk = Callable[..., Rest]


@pytest.fixture
async def desk(redmine_peer: Mapping[str, str]) -> AsyncIterator[Desk]:
    """Makes connectors from the block, each with changes of it and somebody's key."""
    made: list[Rest] = []

    def of(*changes: tuple[str, str], key: str = "CONNECTOR", text: str = "") -> Rest:
        text = (text or BLOCK.read_text()).replace("http://127.0.0.1:3001", redmine_peer["REDMINE_URL"])
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        secret = redmine_peer.get(f"REDMINE_KEY_{key}", key)
        rest: Any = connector_for(next(iter(read_vendors(text).values())), lambda _: secret)
        made.append(rest)
        return rest  # type: ignore[no-any-return] # any connector, and this one is of a block

    yield of
    for one in made:
        await one.http.aclose()


async def notes(agent: RedmineAgent, number: str) -> list[tuple[str, bool]]:
    journals = (await agent.sees(f"/issues/{number}.json?include=journals"))["issue"]["journals"]
    return [(one["notes"].split("\n")[0], one["private_notes"]) for one in journals if one["notes"]]


ALL_PROJECTS = ("/projects/supplier/issues.json", "/issues.json")
UNASKED = (
    ('when = "{{ public or role.may }}"\n', ""),
    ('when = "{{ state_code == now.status or state_code in now.allowed }}"\n', ""),
)
"""The block of somebody who does not know what Redmine drops in silence."""


@pytest.mark.parametrize("key", ["nonsense", "OUTSIDER"])
async def test_a_wrong_key_that_finds_nothing_proves_nothing(desk: Desk, key: str) -> None:
    """On the list of all projects Redmine says 200 to any key, and shows nothing."""
    ours = op()
    ref = await desk().create(draft(ours))
    assert await desk().find(ours, SINCE) == Found((ref,))
    nobody = desk(key=key)
    with pytest.raises(AuthFailed):
        await nobody.find(ours, SINCE)
    with pytest.raises(AuthFailed):
        await nobody.changes(None)


async def test_nobody_on_the_list_of_all_projects_is_told_from_nothing_there(
    desk: Desk, redmine_peer: Mapping[str, str]
) -> None:
    empty = httpx.get(f"{redmine_peer['REDMINE_URL']}/issues.json?status_id=*&cf_1={op()}", timeout=30)
    assert (empty.status_code, empty.json()["issues"]) == (200, []), "asked without any key"
    assert await desk(ALL_PROJECTS).find(op(), SINCE) == Absent()
    with pytest.raises(AuthFailed):
        await desk(ALL_PROJECTS, key="nonsense").find(op(), SINCE)


@pytest.mark.parametrize(("block", "kept"), [((), []), (UNASKED, [("not ours", False)])])
async def test_a_status_that_the_workflow_forbids_is_told(
    desk: Desk, redmine_agent: RedmineAgent, block: tuple[tuple[str, str], ...], kept: object
) -> None:
    """Redmine answers 204, drops the status, and keeps a note that goes with it."""
    ref = await desk().create(draft(op()))
    says = "made only when" if not block else "did not set .* to Rejected"
    with pytest.raises(Rejected, match=says):
        await desk(*block).apply(ref, Transition(op(), Theirs.REFUSED, "not ours"))
    assert await notes(redmine_agent, ref.id) == kept
    assert (await desk().get(ref)).state is Theirs.NEW


@pytest.mark.parametrize(("block", "kept"), [((), []), (UNASKED, [("their fault", False)])])
async def test_a_private_note_that_would_be_public_is_told(
    desk: Desk, redmine_agent: RedmineAgent, block: tuple[tuple[str, str], ...], kept: object
) -> None:
    """Redmine answers 204 to a role that may write none, and shows it to everybody."""
    ref = await desk().create(draft(op()))
    says = "made only when" if not block else "private note .* public"
    with pytest.raises(Rejected, match=says):
        await desk(*block, key="REPORTER").apply(ref, Comment(op(), "their fault", public=False))
    assert await notes(redmine_agent, ref.id) == kept
    await desk().apply(ref, Comment(op(), "between us", public=False))
    assert (await notes(redmine_agent, ref.id))[-1] == ("between us", True)


async def test_a_priority_that_our_role_may_not_set_is_told(desk: Desk) -> None:
    """Redmine answers 204, and drops it."""
    ref = await desk().create(draft(op()))
    with pytest.raises(Rejected, match="did not set"):
        await desk(key="REPORTER").apply(ref, Reprioritise(op(), Priority.LOW))
    await desk().apply(ref, Reprioritise(op(), Priority.LOW))
    assert (await desk().get(ref)).raw_priority == "Normal"


async def test_a_note_that_is_dropped_is_told(desk: Desk, redmine_agent: RedmineAgent) -> None:
    """Redmine answers 204 to a change in which it knows nothing."""
    ref = await desk().create(draft(op()))
    with pytest.raises(Rejected, match="wrote nothing"):
        await desk(('notes = "{{ text }}"', 'note = "{{ text }}"')).apply(ref, Comment(op(), "any news?"))
    assert await notes(redmine_agent, ref.id) == []


async def test_what_redmine_refuses_is_said_in_its_own_words(desk: Desk) -> None:
    for old, new, says in (
        ('"Urgent" = 4', '"Urgent" = 99', "Priority cannot be blank"),
        ('project_id = "supplier"', 'project_id = "nope"', "Project cannot be blank"),
    ):
        with pytest.raises(Failure, match=says):
            await desk((old, new)).create(draft(op()))


async def test_the_block_of_the_page_works(
    desk: Desk, redmine_agent: RedmineAgent, redmine_peer: Mapping[str, str]
) -> None:
    """docs/rest.md begins with a block that whoever reads it may begin with."""
    text = page_block().replace("https://tracker.example", redmine_peer["REDMINE_URL"])
    rest, ours, word = desk(text=text), op(), op()
    assert [one.name for one in (await rest.check()).checks if not one.ok] == []
    ref = await rest.create(draft(ours))
    assert await rest.find(ours, SINCE) == Found((ref,))
    start = await rest.changes(None)
    assert (await rest.apply(ref, Comment(word, "any news?"))).change_ids
    await redmine_agent.updates(ref.id, notes="we look", status_id=2)
    heard = [one for one in (await rest.changes(start.next)).changes if one.ref.id == ref.id]
    words = [(one.body, one.author, one.marker) for one in heard if one.body]
    assert words == [("any news?", "Bridge Connector", word), ("we look", "Alva Agent", None)]
    assert [one.state for one in heard if one.raw_state] == [Theirs.WORKING]
