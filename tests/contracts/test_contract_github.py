"""What we ask of GitHub, held against the vendor's description of its API.

It holds issues, their comments and `/user`; timelines, labels and the repository are asked for besides.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations import linked
from integrations.connector import Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure
from integrations.github.config import GitHubConfig
from integrations.github.news import stamp
from integrations.systems.github import GitHub
from integrations.walking import Place
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
REF = Ref(id="1347", key="#1347")
BESIDES = ("/timeline: ", "/labels: ", "/acme/desk: ")


def no_pull_request(desk: GitHub) -> None:
    """The vendor's example of an issue is one of a pull request, which we would leave alone."""
    asked = desk._timeline.issue

    async def issue(number: int) -> Any:
        return (await asked(number)).model_copy(update={"pull_request": None})

    desk._timeline.issue = issue  # type: ignore[method-assign]


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = prism("github")
    desk = desk_at(contract, GitHub, GitHubConfig(repository="acme/desk"))
    assert (await desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.CRITICAL))).id
    no_pull_request(desk)
    assert (await desk.get(REF)).raw_state
    assert (await desk.apply(REF, Comment(new_id(), "any news?"))).change_ids
    for wish in (
        Transition(new_id(), Theirs.CLOSED, "no longer needed"),
        Transition(new_id(), Theirs.REFUSED),
        Transition(new_id(), Theirs.WAITS_FOR_US),
        Reprioritise(new_id(), Priority.LOW),
    ):
        with contextlib.suppress(Failure):  # what is answered is an example, whatever was asked for
            await desk.apply(REF, wish)
    monkeypatch.setattr(linked, "MOST", 2)  # an example's Link header has a next page for ever
    place = Place(LONG_AGO, LONG_AGO, LONG_AGO, {}, {}).cursor(stamp)
    for asked in (
        desk.find(new_id(), LONG_AGO),
        desk.find_comment(REF, new_id()),
        desk.changes(None),
        desk.changes(place),
        desk.history(REF),
        desk.check(),
    ):
        with contextlib.suppress(Failure):
            await asked
    contract.refused = [one for one in contract.refused if not any(path in one for path in BESIDES)]
    done = {(request.method, request.url.path.rpartition("/")[2]) for request in contract.asked}
    assert {("POST", "issues"), ("GET", "issues"), ("PATCH", "1347"), ("GET", "1347")} <= done
    assert {("POST", "comments"), ("GET", "comments"), ("GET", "user")} <= done
    assert all(request.headers["authorization"] == "Bearer sample-secret" for request in contract.asked)
