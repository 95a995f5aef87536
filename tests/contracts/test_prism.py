"""Prism refuses what a description does not allow: where it cannot read a schema, it lets everything pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.contracts

BAD: dict[str, tuple[str, str, Any, dict[str, str]]] = {
    "github": ("POST", "/repos/acme/desk/issues", {"body": "no title"}, {}),
    "gitlab-forest": (
        "POST",
        "/projects/acme%2Fdesk/issues",
        {"description": "no title"},
        {"PRIVATE-TOKEN": "sample"},
    ),
    "jira": (
        "POST",
        "/rest/api/3/issue/10002/transitions",
        {"transition": {"id": 7}},
        {"Authorization": "Basic YTpi"},
    ),
    "jira-service-management": (
        "POST",
        "/rest/servicedeskapi/request",
        {"nothing": "known"},
        {"Authorization": "Basic YTpi"},
    ),
    "pagerduty": (
        "POST",
        "/incidents",
        {"incident": {"type": "incident", "title": "x"}},
        {"Authorization": "Token token=sample", "From": "us@example.com", "Accept": "application/json"},
    ),
    "pagerduty-events": (
        "POST",
        "/enqueue",
        {"routing_key": "sample", "event_action": "reopen", "payload": {"summary": "x"}},
        {},
    ),
    "zendesk": (
        "POST",
        "/api/v2/tickets",
        {"ticket": {"priority": "nope", "comment": {"body": "x"}}},
        {"Authorization": "Basic YTpi"},
    ),
    "servicenow-ms": (
        "POST",
        "/api/now/v2/table/incident?sysparm_exclude_reference_link=true",
        {"short_description": {"not": "a string"}},
        {"Authorization": "Bearer sample", "Accept": "application/json"},
    ),
    "opsgenie": ("POST", "/v2/alerts", {"message": 7}, {"Authorization": "GenieKey sample"}),
    "aws-support": (
        "POST",
        "/AWSSupport_20130415.CreateCase",
        {"subject": "no text"},
        {"Authorization": "sample", "X-Amz-Target": "AWSSupport_20130415.CreateCase"},
    ),
    "statuspage": (
        "POST",
        "/pages/p1/incidents",
        {"incident": {"name": "x", "status": "nope"}},
        {"Authorization": "OAuth sample"},
    ),
}
"""Description → a request that it must not allow."""


@pytest.mark.parametrize("name", BAD)
def test_what_a_description_does_not_allow_is_refused(served: Callable[[str], str], name: str) -> None:
    method, path, body, headers = BAD[name]
    answer = httpx.request(method, served(name) + path, json=body, headers=headers, timeout=60)
    assert 400 <= answer.status_code < 500
    assert answer.headers.get("sl-violations") or answer.json()["validation"]
