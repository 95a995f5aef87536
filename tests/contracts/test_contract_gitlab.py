"""What we ask of GitLab, held against a description of its API that others wrote: issues and notes alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations import linked
from integrations.connector import Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure
from integrations.gitlab.config import GitLabConfig
from integrations.gitlab.news import HABITS
from integrations.systems.gitlab import GitLab
from integrations.walking import Place
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
REF = Ref(id="7", key="#7")
BESIDES = ("/user: ", "_events: ", "/labels: ", "/projects/acme/desk: ", "/projects/acme%2Fdesk: ")


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = prism("gitlab-forest")
    config = GitLabConfig.model_validate(
        {"project": "acme/desk", "confidential": True, "states": {"opened": "new", "Doing": "working"}}
    )
    desk = desk_at(contract, GitLab, config, root="")
    desk._projects._me = 7  # the description has no /user
    monkeypatch.setattr(linked, "MOST", 2)
    place = Place(LONG_AGO, LONG_AGO, LONG_AGO, {}, {}).cursor(HABITS.stamp)
    for asked in (
        desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.CRITICAL)),
        desk.get(REF),
        desk._writing._say(REF, Comment(new_id(), "between us", public=False)),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Transition(new_id(), Theirs.CLOSED, "no longer needed")),
        desk.apply(REF, Transition(new_id(), Theirs.WORKING)),
        desk.apply(REF, Reprioritise(new_id(), Priority.LOW)),
        desk.find(new_id(), LONG_AGO),
        desk.find_comment(REF, new_id()),
        desk.changes(None),
        desk.changes({"projects": {"acme/desk": place}}),
        desk.history(REF),
        desk.check(),
    ):
        with contextlib.suppress(Failure):  # what is answered is an example, whatever was asked for
            await asked
    contract.refused = [one for one in contract.refused if not any(path in one for path in BESIDES)]
    done = {(request.method, request.url.path.rpartition("/")[2]) for request in contract.asked}
    assert {("POST", "issues"), ("GET", "issues"), ("PUT", "7"), ("GET", "7")} <= done
    assert {("POST", "notes"), ("GET", "notes")} <= done
    assert all(request.headers["private-token"] == "sample-secret" for request in contract.asked)
