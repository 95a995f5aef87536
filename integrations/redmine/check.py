"""What must be true of a supplier's Redmine before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health, Theirs
from integrations.errors import Failure
from integrations.reading import read
from integrations.redmine.account import PRIORITIES, STATUSES, Account
from integrations.redmine.config import NO_NUMBERS
from integrations.redmine.wire import One, Rows, issue_path, names
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.redmine.config import RedmineConfig

NOBODY: Final = "00000000000000000000000000"
"""A reference that no ticket has."""
_NEEDS: Final = ("view_issues", "add_issues", "edit_issues", "add_issue_notes")
_PRIVATE: Final = ("view_private_notes", "set_notes_private")


async def health(http: Http, config: RedmineConfig, account: Account) -> Health:
    """Identity, project, rights, mapping and look-up, each a line."""
    try:
        who = one_line((await account.user()).login)
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    lines = [Check("identity", True, f"signed in as {who}")]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("project", lambda: _project(config, account)),
        ("permission", lambda: _rights(http.name, config, account)),
        ("mapping", lambda: _mapping(config, account)),
        ("reference", lambda: _reference(http, config, account)),
        ("mapping", lambda: _kept_under(config, account)),
        ("fields", lambda: _fields(http, config, account)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
            if name == "project":
                break  # without it, the rest would say the same
    return Health(who, tuple(lines))


async def _project(config: RedmineConfig, account: Account) -> Iterable[Check]:
    project = await account.project()
    tracked = any(each.name == config.tracker for each in project.trackers)
    bad = f"there is no tracker {config.tracker} in it, but {names(project.trackers)}"
    return (
        _line("project", project.status == 1, f"{one_line(project.name)} is there",
              f"{one_line(project.name)} is closed or archived", "ask them to open it again"),
        _line("tracker", tracked, f"{config.tracker} is there", bad, "mend `tracker` in vendors.toml"),
    )  # fmt: skip


async def _rights(vendor: str, config: RedmineConfig, account: Account) -> Iterable[Check]:
    """Redmine drops what our roles do not allow, without a word: a note made public is not taken back."""
    have = await account.rights()
    if have is None:
        return (Check("permission", True, "is an administrator: may do anything, which is more than needed"),)
    needs = (*_NEEDS, *(_PRIVATE if config.internal_comments else ()))
    lacks = ", ".join(right for right in needs if right not in have)
    todo = f"ask {vendor} to give a role of our account in the project this"
    return (_line("permission", not lacks, "may do all that is needed", f"may not {lacks}", todo),)


async def _mapping(config: RedmineConfig, account: Account) -> Iterable[Check]:
    statuses = tuple((await account.named(STATUSES, fresh=True)).values())
    priorities = tuple((await account.named(PRIORITIES, fresh=True)).values())
    return (
        known("states", config.states, statuses, whole=True),
        known("priorities", config.theirs, priorities),
        mapped("priorities", config.unranked),
    )


async def _reference(http: Http, config: RedmineConfig, account: Account) -> Iterable[Check]:
    """A field that is no filter, or not shown to us, is ignored in a search: everything is found."""
    path, field = f"/projects/{config.project}/issues.json", config.reference_field
    of = {"status_id": "*", "tracker_id": await account.tracker(), "limit": 1}
    latest = read(Rows, await http.get(path, params={**of, "sort": "id:desc"})).issues
    found = read(Rows, await http.get(path, params={**of, f"cf_{field}": NOBODY}))
    shown = [each for issue in latest for each in issue.custom_fields]
    theirs = ", ".join(f"{each.id} {one_line(each.name)}" for each in shown) or "none"
    good = next((f"{one_line(each.name)} is on its tickets" for each in shown if each.id == field), "")
    return (
        _line("reference", bool(good) or not latest, good or "proved with our first ticket there",
              f"their tickets show us no custom field {field}, but: {theirs}",
              f"mend `reference_field` in vendors.toml, or ask {http.name} to show it on the tracker"),
        _line("look-up", not found.total_count, "matches exactly",
              f"a search by custom field {field} is ignored: it finds all tickets",
              f"ask {http.name} to let the field be used as a filter"),
    )  # fmt: skip


async def _kept_under(config: RedmineConfig, account: Account) -> Iterable[Check]:
    """Whether there are the trackers and categories that our categories and services stand for."""
    tables = {"category": config.categories, "service": config.service_names}
    lines = []
    for ours, key in (("category", "categories"), ("service", "service_names")):
        if config.fields.get(ours) in ("tracker", "category"):
            project = await account.project()
            named = project.trackers if config.fields[ours] == "tracker" else project.issue_categories
            lines.append(known(key, tables[ours].values(), [each.name for each in named]))
    return lines


async def _fields(http: Http, config: RedmineConfig, account: Account) -> Iterable[Check]:
    """What we fill in, and whether we may close: proved on the newest ticket, where there is one."""
    of = {"status_id": "*", "tracker_id": await account.tracker(), "limit": 1, "sort": "id:desc"}
    latest = read(Rows, await http.get(f"/projects/{config.project}/issues.json", params=of)).issues
    if not latest:
        return (Check("fields", True, "proved with our first ticket there"),)
    path, include = issue_path(latest[0].id), {"include": "allowed_statuses"}
    issue = read(One, await http.get(path, params=include)).issue
    wanted = {*config.fields.values(), *config.close.fields, config.close.field} - {*NO_NUMBERS, ""}
    lacks = ", ".join(sorted(wanted - {str(each.id) for each in issue.custom_fields}, key=int))
    there = ", ".join(f"{each.id} {one_line(each.name)}" for each in issue.custom_fields) or "none"
    raw, now = config.raw_state(Theirs.CLOSED), issue.status.name
    may = None if issue.allowed_statuses is None else {now, *(each.name for each in issue.allowed_statuses)}
    over = config.meaning(now) in (Theirs.CLOSED, Theirs.REFUSED)
    return (
        _line("fields", not lacks, "all are on its tickets" if wanted else "none are asked for",
              f"their tickets show us no custom field {lacks}, but: {there}",
              f"mend `fields` or `close` in vendors.toml, or ask {http.name} to show it on the tracker"),
        _line("closing", over or may is None or raw is None or raw in may,
              f"our account may set #{issue.id} to {raw}" if raw else "no status of theirs means closed",
              f"our account may not set #{issue.id} from {one_line(now)} to {raw}",
              f"mend `transitions` in vendors.toml, or ask {http.name} for it in the workflow of our role"),
    )  # fmt: skip


def _line(name: str, ok: bool, good: str, bad: str, todo: str) -> Check:
    return Check(name, ok, good) if ok else Check(name, False, bad, todo)
