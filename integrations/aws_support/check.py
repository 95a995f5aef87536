"""What must be true of an AWS account before Muster may open cases there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from integrations.aws_support.wire import Services, Severities
from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure

if TYPE_CHECKING:
    from integrations.aws_support.cases import Cases

_TODO: Final = {
    "clock of this host": "set this host's clock right, by NTP say, then check again",
    "support plan": "change the account's support plan, then check again",
}
"""What a refusal says that is no matter of the credential → what to do."""
_LARGE: Final = 16 * 2**20


async def health(cases: Cases) -> Health:
    """Identity, plan and permissions, severities, services, each a line. Nothing is made."""
    name, config, api = cases.http.name, cases.config, cases.api
    try:
        listed = await cases.open(words=False)
    except Failure as failure:
        return Health("", (_failed(failure, name),))
    account = next((number.split("-")[1] for number in listed.cases), "")
    who = f"AWS account {account}" if account else "the AWS account of the access key"
    lines = [Check("identity", True, f"{who}: its cases may be listed")]
    try:
        asked = {"language": config.language}
        told = await api.ask("DescribeSeverityLevels", asked, Severities)
        levels = [one.code for one in told.severityLevels]
        lines += [known("priorities", config.theirs, levels), mapped("priorities", config.unranked)]
    except Failure as failure:
        lines.append(failed("priorities", failure, name))
    try:
        lines.append(await _services(cases))
    except Failure as failure:
        lines.append(failed("services", failure, name))
    return Health(who, tuple(lines))


def _failed(failure: Failure, name: str) -> Check:
    line = failed("identity", failure, name)
    return replace(line, todo=next((todo for sign, todo in _TODO.items() if sign in failure.why), line.todo))


async def _services(cases: Cases) -> Check:
    """Whether each service that we name is there, with each category that a case of it may get."""
    config = cases.config
    asked = {"serviceCodeList": sorted({one for one, _ in config.kinds}), "language": config.language}
    told = (await cases.api.ask("DescribeServices", asked, Services, _LARGE)).services
    theirs = {one.code: {kind.code for kind in one.categories} for one in told}
    lacks = sorted(
        f"{service}" if service not in theirs else f"{kind} of {service}"
        for service, kind in config.kinds
        if kind not in theirs.get(service, ())
    )
    if lacks:
        says = f"there is no {', '.join(dict.fromkeys(lacks))} there"
        todo = "mend `service`, `category` and their tables in vendors.toml: `aws support describe-services`"
        return Check("services", False, says, todo)
    return Check("services", True, "all known there, with their categories")
