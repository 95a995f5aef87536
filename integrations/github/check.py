"""What `muster vendors check` finds of a repository on GitHub: identity, repository, rights, labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure, Gone
from integrations.github.wire import Issues, Labels, Repository, Rights
from integrations.linked import listed
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.github.timeline import Timeline


async def health(timeline: Timeline) -> Health:
    """Each a line. The labels must be there: of who may not push, GitHub drops those that are not."""
    http, config = timeline.http, timeline.config
    try:
        who = one_line(await timeline.me())
        repository = read(Repository, await http.get(timeline.path))
    except Gone:
        says = f"there is no {config.repository}, or it is hidden from our account"
        todo = f"mend `repository` in vendors.toml, or ask {http.name} to give our token this repository"
        return Health("", (Check("identity", False, says, todo),))
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    lines = [Check("identity", True, f"signed in as {who}"), *_repository(http.name, repository)]
    try:
        read(Issues, await http.get(f"{timeline.path}/issues", {"per_page": 1, "state": "all"}))
        lines.append(Check("issues", True, "may be listed"))
        labels = [one.name for one in await listed(http, f"{timeline.path}/labels", Labels)]
        ours = (*config.state_labels, *((config.label,) if config.label else ()))
        lines += [known("states", ours, labels), known("priorities", config.theirs, labels)]
    except Failure as failure:
        lines.append(failed("issues", failure, http.name))
    lines.append(mapped("priorities", config.unranked))
    return Health(who, tuple(lines))


def _repository(vendor: str, found: Repository) -> Iterable[Check]:
    open_ = found.has_issues and not found.archived
    says = "takes issues" if open_ else "takes no issues, or is archived"
    yield Check("repository", open_, says, "" if open_ else f"ask {vendor} to turn its issues on")
    rights = found.permissions or Rights()
    may = rights.triage or rights.push or rights.admin
    says = "may set labels and close" if may else "may not set labels: priorities and states of ours get lost"
    yield Check(
        "permission", may, says, "" if may else f"ask {vendor} for the role Triage there for our account"
    )
