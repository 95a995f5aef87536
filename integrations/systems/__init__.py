"""The kinds of ticketing system that Muster speaks to, one file each.

A file here holds one class. It carries `info`, is made as `Class(http, config)` with `config` an
`info.config` already validated, and says with the static method `headers(config, secret)` what goes with
every request (the credential); where that is a signature, or stands in the body, it says nothing there, and
the static method `signer(config, secret)` gives what makes one. Where what a kind can do hangs on its
block, `informed(config)` says it. A class whose REST API does not begin at the vendor's `url` has
`root: ClassVar[str]`, the path to add. One that is spoken to by other means than HTTP has the static methods
`transport(config)`, which speaks them beneath the client, and `base(config)`. Nothing of httpx is imported at
the top of these files: the board reads vendors.toml, and must not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SYSTEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aws_support": "integrations.systems.aws_support:AwsSupport",
        "email": "integrations.systems.email:Email",
        "freshservice": "integrations.systems.freshservice:Freshservice",
        "github": "integrations.systems.github:GitHub",
        "gitlab": "integrations.systems.gitlab:GitLab",
        "jira": "integrations.systems.jira:Jira",
        "opsgenie": "integrations.systems.opsgenie:Opsgenie",
        "pagerduty": "integrations.systems.pagerduty:PagerDuty",
        "practice": "integrations.systems.practice:PracticeDesk",
        "redmine": "integrations.systems.redmine:Redmine",
        "rest": "integrations.systems.rest:Rest",
        "rt": "integrations.systems.rt:RequestTracker",
        "servicenow": "integrations.systems.servicenow:ServiceNow",
        "statuspage": "integrations.systems.statuspage:Statuspage",
        "zammad": "integrations.systems.zammad:Zammad",
        "zendesk": "integrations.systems.zendesk:Zendesk",
    }
)
"""`connector = "…"` in vendors.toml → module and class, imported when a vendor of that kind is read."""
