"""What `muster vendors check` finds of a project on GitLab: identity, project, role, labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure
from integrations.gitlab.wire import PLANNER, Issues, Labels, Project
from integrations.linked import listed
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.gitlab.config import GitLabConfig
    from integrations.gitlab.projects import Projects


async def health(projects: Projects) -> Health:
    """Each a line. GitLab makes labels that are not there, so one that is misspelt would never be noticed."""
    http, config = projects.http, projects.config
    try:
        who = one_line((await projects.account()).username)
        project = await projects.project(config.project)
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    lines = [Check("identity", True, f"signed in as {who}"), *_project(http.name, config, project)]
    try:
        for path in map(projects.path, config.projects):
            read(Issues, await http.get(f"{path}/issues", {"per_page": 1, "scope": "all"}))
        lines.append(Check("issues", True, "may be listed"))
        found = await listed(http, f"{projects.path(config.project)}/labels", Labels)
        labels = [one.name for one in found]
        ours = (*config.state_labels, *((config.label,) if config.label else ()))
        lines += [known("states", ours, labels), known("priorities", config.theirs, labels)]
    except Failure as failure:
        lines.append(failed("issues", failure, http.name))
    lines.append(mapped("priorities", config.unranked))
    return Health(who, tuple(lines))


def _project(vendor: str, config: GitLabConfig, found: Project) -> Iterable[Check]:
    open_ = found.issues_enabled and not found.archived
    says = "takes issues" if open_ else "takes no issues, or is archived"
    yield Check("project", open_, says, "" if open_ else f"ask {vendor} to turn its issues on")
    may = found.level >= PLANNER
    lacks = "may not set labels: priorities and states of ours get lost"
    if config.internal_comments:
        lacks += ", and an internal note would be public"
    todo = f"ask {vendor} for the role Planner there for our account, or Reporter before GitLab 17.7"
    yield Check("permission", may, "may set labels and close" if may else lacks, "" if may else todo)
    if found.visibility == "public" and not config.confidential:
        says = "everybody may read our issues there: confidential = true keeps them to their members"
        yield Check("visibility", True, says)
