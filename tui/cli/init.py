"""Making a register: one's own, or one that a group of this host shares."""

from __future__ import annotations

import os
from typing import Annotated, Final

import typer

from register.store import is_private, sqlite_path
from register.store.adopted import adopted
from register.store.shared import make_shared
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.trouble import WrongUse
from tui.session import session_from
from tui.who import standing_of

_HOSTS: Final = "PostgreSQL decides itself who may connect: leave --group away. Nothing was made."
_WHERE: Final = (
    "Say where the shared register shall be: muster init --group {group} /srv/muster/register.db."
    " Nothing was made: your own folder is closed to others."
)


def init(
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="its file; otherwise what MUSTER_REGISTER names")
    ] = None,
    group: Annotated[
        str, typer.Option(metavar="GROUP", help="share it with this group of the host", show_default=False)
    ] = "",
) -> Answer:
    """Make a register: your own, or with --group one that a group of this host shares."""
    env = dict(os.environ) | ({"MUSTER_REGISTER": path} if path else {})
    notes = _shared(env, group) if group else []
    with here(env) as at:
        url, where = at.store.url, str(at.store.path or "The register on PostgreSQL")
        data = {"register": url, "register_id": at.store.register_id, "private": is_private(url)}
        standing, version = standing_of(at.store, at.session), adopted(at.store).policy.version
    data |= {"group": group or None, "notes": notes, "role": standing.role.word, "policy_version": version}
    if not group:
        return Answer(data, [f"{where} is there."])
    said = f"{where} is there, shared by the group {group}. You are its {standing.role.word}: {standing.why}."
    return Answer(data, [said, *_next(where), *notes])


def _shared(env: dict[str, str], group: str) -> list[str]:
    if not env.get("MUSTER_REGISTER"):
        raise WrongUse(_WHERE.format(group=group), "path")
    file = sqlite_path(session_from(env).register_url)
    if file is None:
        raise WrongUse(_HOSTS, "group")
    return make_shared(file, group)


def _next(where: str) -> list[str]:
    return [
        "Next: write matrix.toml (who may what, who owns what) and say `muster apply`;",
        f"everybody in it sets MUSTER_REGISTER={where}, in /etc/profile.d for instance;",
        "`muster serve` runs as a service, under a user of its own that is in the group too.",
    ]
