"""What must be true of a supplier's PagerDuty before Muster may believe what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure
from integrations.pagerduty.wire import Log, Me, Priorities, Services
from integrations.reading import read

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.pagerduty.config import PagerDutyConfig


async def health(http: Http, config: PagerDutyConfig) -> Health:
    """Identity, service, priorities and the log, each a line."""
    try:
        who = read(Me, await http.get("/users/me")).user.title
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    lines = [Check("identity", True, f"signed in as {who}")]
    try:
        services = read(Services, await http.get("/services", params={"limit": 100})).services
        names = {one.id: one.title for one in services}
        there = ", ".join(f"{number} {title}" for number, title in names.items()) or "none"
        lines.append(
            Check("service", True, f"{names[config.service]} is there")
            if config.service in names
            else Check("service", False, f"there is no {config.service}, but {there}", "mend `service`")
        )
        if config.prioritised:
            ranks = read(Priorities, await http.get("/priorities")).priorities
            lines.append(known("priorities", config.theirs, [one.title for one in ranks]))
        read(Log, await http.get("/log_entries", params={"limit": 1}))
        lines.append(Check("log", True, "our account may read the log"))
    except Failure as failure:
        lines.append(failed("permission", failure, http.name))
    states = ("triggered", "acknowledged", "resolved")
    lines += (known("states", config.states, states, whole=True), mapped("priorities", config.unranked))
    return Health(who, tuple(lines))
