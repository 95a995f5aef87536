"""Moving a whole register, on the command line: backup, restore, migrate."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from register.core import Refused, Role
from register.live import live_path
from register.store import RegisterUnavailable, as_url, sqlite_path
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.progress import bar
from tui.session import session_from
from tui.who import person

_Force = Annotated[bool, typer.Option("--force", help="take the place of what is there already")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the file to write")], force: _Force = False
) -> Answer:
    """Write the whole register into one file, while it is in use, and prove it."""
    from register.backup import back_up

    path = file.expanduser().absolute()
    with here() as at, bar("Backing up") as progress:
        refuse_below_admin(at)
        made = back_up(at.store, path, datetime.now(UTC), force=force, progress=progress)
    data = {
        "file": str(made.path),
        "events": made.events,
        "incidents": made.incidents,
        "seq": made.seq,
        "hash": made.hash,
        "bytes": made.size,
    }
    return Answer(
        data,
        [
            f"{made.path} is written and proved, readable by you alone."
            f" Events: {made.events:,}, incidents: {made.incidents:,}.",
            f"Head: {made.seq}:{made.hash}",
            "It holds everything, restricted incidents too: keep it as you keep the register.",
        ],
    )


def restore_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what `muster backup` wrote")],
    force: _Force = False,
) -> Answer:
    """Make a backup the register that MUSTER_REGISTER names. Nothing is sent until you say so."""
    from register.restore import restore

    session = session_from(os.environ)
    url = as_url(session.register_url)
    where = str(sqlite_path(url) or "The register on PostgreSQL")
    if force:
        _refuse_below_admin_there(url)
    with bar("Restoring") as progress:
        back = restore(
            file.expanduser().absolute(),
            url,
            person(session).login,
            datetime.now(UTC),
            force=force,
            progress=progress,
        )
    with contextlib.suppress(OSError):  # a board writes it anew
        live_path(url).unlink(missing_ok=True)
    data = {
        "register": url,
        "made_at": back.made_at,
        "seq": back.anchor.seq,
        "hash": back.anchor.hash,
        "events": back.events,
        "incidents": back.incidents,
        "doubtful": back.doubted,
        "paused": list(back.paused),
        "aside": None if back.aside is None else str(back.aside),
    }
    lines = [
        f"{where} is as it was on {back.made_at:%Y-%m-%d %H:%M:%S} UTC, at event {back.anchor}."
        f" Events: {back.events:,}, incidents: {back.incidents:,}.",
        "What was recorded since is not in it; numbers that were given since are given again.",
    ]
    if back.aside is not None:
        lines.append(f"What was there is kept as {back.aside}.")
    if back.paused:
        lines += [
            f"Sendings that may have gone out since: {back.doubted:,}. Each is looked up before it is sent.",
            "Nothing is sent to these suppliers until you say so: " + ", ".join(back.paused) + ".",
            "Look at `muster outbox list` and at what they have, then `muster vendors check NAME` goes on.",
        ]
    return Answer(data, lines)


def _refuse_below_admin_there(url: str) -> None:
    """Nobody but an admin puts anything in a register's place; one that cannot be opened has none."""
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return
    with contextlib.suppress(RegisterUnavailable), here() as at:
        refuse_below_admin(at)


def migrate_(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="where to: postgresql://host/database, or a new file")
    ],
) -> Answer:
    """Move the register into another database, proved event by event; broken off, run it again."""
    from register.migrate import migrate

    with here() as at, bar("Moving") as progress:
        refuse_below_admin(at)
        moved = migrate(at.store, target, datetime.now(UTC), progress=progress)
    data = {
        "place": moved.place,
        "events": moved.events,
        "rows": moved.rows,
        "seq": moved.seq,
        "hash": moved.hash,
        "digests": moved.digests,
    }
    return Answer(
        data,
        [
            f"The register is in {moved.place} now, every row as it was here."
            f" Events: {moved.events:,}, rows: {moved.rows:,}.",
            f"Head: {moved.seq}:{moved.hash}",
            "The old one can be read; whoever writes into it is told the new place.",
            f"Next: everybody sets MUSTER_REGISTER={moved.place}; start boards and `muster serve` anew.",
        ],
    )


def refuse_below_admin(at: Here) -> None:
    if at.who.role < Role.ADMIN:
        raise Refused(f"This takes the role {Role.ADMIN.word}; you are {at.who.role.word}. Nothing was done.")
