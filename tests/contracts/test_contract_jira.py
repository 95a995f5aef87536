"""What we ask of Jira Cloud and of Service Management, held against Atlassian's descriptions of their APIs.

That texts are documents these do not say: test_jira.py does. Each description is cut to what connectors use,
and lacks what the check alone asks for, a long issue's own changelog, and a request type's form.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connector import Attach, Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure
from integrations.jira.config import JiraConfig
from integrations.jira.making import FormField
from integrations.jira.wire import Issue
from integrations.systems.jira import Jira
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

USER = "muster@customer.example"
REF = Ref(id="10002", key="ED-1")
CUT = ("/mypermissions", "/priority", "/statuses", "/changelog")
"""Ends of addresses that Jira has, and the description does not."""
FILE = Attach(new_id(), "trace.log", "text/plain", hashlib.sha256(b"x").hexdigest(), b"x")


async def asked(*wishes: Any) -> None:
    for wish in wishes:
        with contextlib.suppress(Failure):  # what is answered is an example, in which little fits
            await wish


def done(contract: Contract) -> set[tuple[str, str]]:
    return {(request.method, request.url.path.rpartition("/")[2]) for request in contract.asked}


async def test_all_that_we_ask_of_jira_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("jira")
    config = JiraConfig(
        project="ED",
        user=USER,
        internal_comments=True,
        internal_role="Administrators",
        states={"Done": "fixed"},
    )
    desk = desk_at(contract, Jira, config)
    start = {"begin": "2020-01-01T00:00:00+00:00", "floor": "2020-01-01T00:00:00+00:00"}
    start |= {"seen": "2020-01-01T00:00:00+00:00", "page": None, "told": {}, "todo": ["10002"]}
    await asked(
        desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.CRITICAL)),
        desk.get(REF),
        desk.find(new_id(), datetime.now(UTC)),
        desk.find_comment(REF, new_id()),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Comment(new_id(), "between us", public=False)),
        desk.apply(REF, Transition(new_id(), Theirs.FIXED, "no longer needed")),
        desk.apply(REF, Reprioritise(new_id(), Priority.LOW)),
        desk.apply(REF, FILE),
        desk.history(REF),
        desk.changes(None),
        desk.changes(start),
        desk.changes({**start, "todo": []}),
        desk.changes({**start, "todo": [], "page": "next"}),
        desk.check(),
    )
    contract.refused = [one for one in contract.refused if not one.split(": ")[0].endswith(CUT)]
    contract.check()
    assert {("POST", "issue"), ("GET", "10002"), ("PUT", "10002")} <= done(contract)
    assert {("GET", "jql"), ("POST", "jql")} <= done(contract)
    assert {("POST", "comment"), ("POST", "attachments")} <= done(contract)
    assert ("GET", "myself") in done(contract)


async def test_a_step_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of an issue has no status, so that of the one before the step is said here."""
    contract = prism("jira")
    desk = desk_at(contract, Jira, JiraConfig(project="ED", user=USER, states={"Closed": "closed"}))
    now = datetime.now(UTC)
    issue = Issue.model_validate(
        {"id": REF.id, "key": REF.key, "fields": {"status": {"id": "1", "name": "Open"}, "updated": now}}
    )

    async def stands(ref: Ref) -> Issue:
        return issue

    monkeypatch.setattr(desk._issues, "stands", stands)
    fields = {"summary": "blue", "colour": "red"}
    wish = Transition(new_id(), Theirs.CLOSED, "no longer needed", fields)
    await asked(desk.apply(REF, wish))
    assert {("GET", "transitions"), ("POST", "transitions")} <= done(contract)


async def test_all_that_we_ask_of_a_service_desk_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("jira-service-management")
    config = JiraConfig(project="ED", user=USER, service_desk="10", request_type="25", internal_comments=True)
    desk = desk_at(contract, Jira, config)
    names = ("summary", "description", "priority")
    desk.making.form = tuple(FormField(fieldId=name) for name in names)
    await asked(
        desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.CRITICAL)),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Comment(new_id(), "between us", public=False)),
    )
    assert {("POST", "request"), ("POST", "comment")} == done(contract)
