"""Suppliers of every kind that Muster speaks to, played in this process: the tests' own.

Imported by name, for they belong to the tests: a benchmark runs where the sources are, as the tests do.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from integrations.conformance.world import World
from integrations.practice.server import running_practice

PAGES: Final = ("statuspage",)
"""Kinds that are written to and never asked: nothing is heard from them."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one is played. given: what its world is made with."""

    kind: str
    where: str
    given: tuple[str, ...] = ()

    def load(self) -> Any:
        """The module, and the world's class in it."""
        module, _, name = self.where.partition(":")
        found = importlib.import_module(module)
        return found, getattr(found, name)


STANDS: Final[Mapping[str, Stand]] = MappingProxyType(
    {
        "aws_support": Stand("aws_support", "tests.played.aws_support:AwsSupportWorld"),
        "email": Stand("email", "tests.played.email:EmailWorld"),
        "freshservice": Stand("freshservice", "tests.played.freshservice_world:FreshserviceWorld"),
        "github": Stand("github", "tests.played.github:GitHubWorld"),
        "gitlab": Stand("gitlab", "tests.played.gitlab:GitLabWorld", ("",)),
        "jira": Stand("jira", "tests.played.jira_world:JiraWorld"),
        "jira (Service Management)": Stand("jira", "tests.played.jira_world:JiraWorld", ("desk",)),
        "jira (Data Center)": Stand("jira", "tests.played.jira_world:JiraWorld", ("datacenter",)),
        "opsgenie": Stand("opsgenie", "tests.played.opsgenie:OpsgenieWorld"),
        "pagerduty": Stand("pagerduty", "tests.played.pagerduty:PagerDutyWorld"),
        "practice": Stand("practice", "tests.integrations.worlds:PracticeWorld"),
        "redmine": Stand("redmine", "tests.played.redmine:RedmineWorld"),
        "rest (a Redmine)": Stand("rest", "tests.played.described:DescribedWorld"),
        "rt": Stand("rt", "tests.played.rt:RtWorld"),
        "servicenow": Stand("servicenow", "tests.played.servicenow_world:ServiceNowWorld"),
        "zammad": Stand("zammad", "tests.played.zammad:ZammadWorld"),
        "zendesk": Stand("zendesk", "tests.played.zendesk_world:ZendeskWorld"),
    }
)
"""By what they are called; a kind of system may have several."""


@asynccontextmanager
async def world_of(stand: Stand) -> AsyncIterator[World]:
    """One, new and empty."""
    module, made = stand.load()
    if stand.kind == "practice":
        with running_practice() as practice:
            yield made(practice)
    elif hasattr(module, "playing"):  # in servers of its own, on this machine
        async with module.playing() as running:
            yield made(running)
    else:
        yield made(*stand.given)


def passes(world: Any, seconds: float) -> None:
    """Time goes by there, where it does not go by of itself."""
    system: Any = getattr(world, "desk", None) or getattr(world, "played", None)
    for name in ("now", "clock"):
        now = getattr(system, name, None)
        if isinstance(now, datetime):
            setattr(system, name, now + timedelta(seconds=seconds))
