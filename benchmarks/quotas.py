"""What a supplier may be asked: our own budgets, and the limits that each vendor publishes.

One table for `tests/integrations/test_polling_budgets.py`, which holds each kind of system to it, and for
`python -m benchmarks.asking`, which prints what each takes of it. Sources were read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

QUIET: Final = 1
"""Requests of a poll that brings nothing."""
QUIET_BYTES: Final = 2_500
"""Bytes of its answers' bodies, as sent."""
SELDOM: Final = 3
"""More requests that twenty such polls may take together: now and then some look further, or elsewhere."""
CHANGED: Final = 10
TEN: Final = 11
"""Requests until a text on each of ten tickets is heard."""
BONDS: Final = 1_000
"""Open tickets at which a vendor's limit must hold."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A vendor's limit. a_minute: requests, of its smallest plan; lists: of the question that a poll asks.

    None: it publishes none, as `says` tells. source: where it stands.
    """

    a_minute: float | None
    says: str
    source: str
    lists: float | None = None


@dataclass(frozen=True, slots=True)
class Excuse:
    """Where a kind of system may take more than our budget, and why it cannot take less."""

    why: str
    quiet: int = QUIET
    quiet_bytes: int | None = QUIET_BYTES  # None: as many as its list has
    ten: int = TEN
    a_hundred: bool = False  # a quiet poll is `quiet` for each hundred open tickets

    def quiet_at(self, bonds: int) -> int:
        return self.quiet * -(-bonds // 100) if self.a_hundred else self.quiet

    def ten_at(self, bonds: int) -> int:
        """Where a poll is a list of all, texts come with every fourth of them."""
        return max(self.ten, 4 * self.quiet_at(bonds)) if self.a_hundred else self.ten


_NONE: Final = "none by itself: whoever runs it decides"

QUOTAS: Final[Mapping[str, Quota]] = MappingProxyType(
    {
        "aws_support": Quota(
            None,
            "no rate is published for its operations",
            "https://docs.aws.amazon.com/general/latest/gr/awssupport.html",
        ),
        "email": Quota(None, "a mailbox provider's own", "RFC 9051, RFC 5321"),
        "freshservice": Quota(
            100,
            "an account on Starter, 500 on Enterprise; of these lists of tickets 40, of one ticket 50",
            "https://docs.exalate.com/docs/freshservice-rate-limits",  # which quotes api.freshservice.com
            lists=40,
        ),
        "github": Quota(
            5_000 / 60,
            "5,000 an hour for an account",
            "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api",
        ),
        "gitlab": Quota(
            2_000,
            "an account on GitLab.com; of one's own, whoever runs it decides",
            "https://docs.gitlab.com/user/gitlab_com/rate_limits/",
        ),
        "jira": Quota(  # numbers as others quote the page: what of it could be read here has none
            6_000,
            "100 a second for reading and making, 50 for changing, a kind of question (Cloud, API token)",
            "https://developer.atlassian.com/cloud/jira/platform/rate-limiting",
        ),
        "opsgenie": Quota(
            None,
            "by account, plan and kind of question; the numbers are told to the account alone",
            "https://docs.opsgenie.com/docs/api-rate-limiting",
        ),
        "pagerduty": Quota(960, "a key", "https://support.pagerduty.com/docs/rest-api-rate-limits"),
        "practice": Quota(None, _NONE, "integrations/practice"),
        "redmine": Quota(None, _NONE, "https://www.redmine.org/projects/redmine/wiki/Rest_api"),
        "rest": Quota(None, "that of whatever it describes", "docs/rest.md"),
        "rt": Quota(None, _NONE, "https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html"),
        "servicenow": Quota(
            None,
            "none is set when it is new; by the hour where a supplier sets one",
            "https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/inbound-REST-API-rate-limiting.html",
        ),
        "statuspage": Quota(
            60,
            "one a second for a key, over a minute",
            "https://developer.statuspage.io/#section/Rate-Limiting",
        ),
        "zammad": Quota(None, _NONE, "https://docs.zammad.org/en/latest/api/intro.html"),
        "zendesk": Quota(  # 200 as others quote the page's table; the exports are on the page of exports
            200,
            "an account on Team, 700 on Enterprise; of these exports 10",
            "https://developer.zendesk.com/api-reference/introduction/rate-limits",
            lists=10,
        ),
    }
)
"""By kind of system."""

EXCUSED: Final[Mapping[str, Excuse]] = MappingProxyType(
    {
        "aws_support": Excuse(
            "tells no case when it changed: all open cases are listed, a hundred a request",
            quiet_bytes=None,
            a_hundred=True,
        ),
    }
)
"""Kinds that take more than the budget. Whoever takes less is to be held to less."""
_USUAL: Final = Excuse("")


def allowed(kind: str) -> Excuse:
    """What a kind of system may take: the budget, unless it is excused."""
    return EXCUSED.get(kind, _USUAL)
