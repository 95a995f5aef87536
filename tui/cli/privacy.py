"""Erasing a person, and retention, on the command line. Redaction and legal hold are verbs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from register.core import Refused, Role
from register.forgetting import Quoted
from register.live import live_path
from register.spool import Spool, folder_beside
from register.standing import told, who_may
from register.store.adopted import adopted
from register.store.erasing import Erased, erase, look_for, who_is
from register.store.retiring import due, retire
from register.text import one_line
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.progress import bar

_MOST: Final = 10
_BEYOND: Final = (
    "What cannot be reached from here: backups, what was exported or printed, other people's spools and the"
    " copies of boards that are off (those forget at their next start, as soon as the register answers),"
    " what suppliers have, and matrix.toml and vendors.toml in people's folders."
)


def erase_(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="who: a login, a name, or an id as in p7")],
    reason: Annotated[str, typer.Option(help="why, without the name (needed)")],
    also: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="what else they are called; may be said again")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would go; write nothing")] = False,
) -> Answer:
    """Erase a person: who they are, and the texts that quote them. It cannot be undone."""
    with here() as at:
        _refuse_below_admin(at)
        found = who_is(at.store, person, [one_line(name) for name in also or ()])
        with bar("Looking" if dry_run else "Erasing") as progress:
            if dry_run:
                found = look_for(at.store, found, progress)
            else:
                found = erase(at.desk(), at.who, found, reason, progress)
        waiting, myself = _in_spool(at, found), found.person == at.me
        if not dry_run:
            with contextlib.suppress(OSError):  # the board writes it anew; until then it is not there
                live_path(at.store.url).unlink(missing_ok=True)
    data = _data(found) | {"dry_run": dry_run, "spool": waiting}
    lines = _told(found, waiting, dry_run=dry_run, on_postgresql=at.store.path is None)
    if myself and dry_run:
        lines.insert(1, "THIS IS YOU: what you do afterwards stands under another id.")
    return Answer(data, lines)


def _refuse_below_admin(at: Here) -> None:
    if at.who.role < Role.ADMIN:
        policy = adopted(at.store).policy
        names = who_may(policy.matrix, policy.founder, Role.ADMIN)
        raise Refused(
            f"This takes the role {Role.ADMIN.word}; you are {at.who.role.word}. Nothing was done."
            f" {f'Who may: {told(names)}.' if names else f'Ask for the role {Role.ADMIN.word}.'}"
        )


def _in_spool(at: Here, found: Erased) -> list[str]:
    """The entries of this person's own spool that quote whoever is erased."""
    quoted = Quoted(found.names)
    entries = Spool(folder_beside(live_path(at.store.url))).look().entries
    return [one.name for one in entries if any(quoted.in_text(str(value)) for value in one.fields.values())]


def _data(found: Erased) -> dict[str, Any]:
    return {
        "person": found.person,
        "texts": found.texts,
        "incidents": found.incidents,
        "left_under_legal_hold": found.left,
        "suppliers": [
            {"vendor": vendor, "ticket": key, "number": number} for vendor, key, number in found.copies
        ],
        "files": [{"number": number, "id": id_, "name": name} for number, id_, name in found.files],
        "channels": [{"person": key, "channel": channel} for key, channel in found.channels],
        "exports": [{"seq": seq, "at": when, "by": who} for seq, when, who in found.exports],
        "names_too_short": len(found.short),
        "still_found_in_files": found.bytes,
        "not_cleaned": found.where,
    }


def _whom(found: Erased) -> str:
    """Who it is: named as long as nothing is erased."""
    return f"{found.person} ({', '.join(map(one_line, found.names))})" if found.names else found.person


def _told(found: Erased, waiting: Sequence[str], *, dry_run: bool, on_postgresql: bool) -> list[str]:
    would = "would be " if dry_run else ""
    lines = [
        f"{_whom(found) if dry_run else found.person} {'would be' if dry_run else 'is'} erased."
        f" Texts {would}redacted: {found.texts:,}, in {len(found.incidents):,} incidents."
    ]
    if found.short:
        lines.append(
            f"{len(found.short)} of the names {'is' if len(found.short) == 1 else 'are'} too short to be"
            " looked for in texts: read what may quote them, and `muster redact` it."
        )
    if found.left:
        lines.append(
            f"Left, for they are under legal hold: {_some(found.left)}. When the hold is lifted,"
            f" `muster erase {found.person} --also NAME` goes on there."
        )
    for title, several in (
        ("Suppliers that have copies; ask them to erase theirs", [_copy(*one) for one in found.copies]),
        (
            "Addresses by which they are paged, where `muster serve` has its keyring; take each out",
            [f"muster page logout {key} {channel}" for key, channel in found.channels],
        ),
        ("Files to look into; `muster detach` takes one out", [" ".join(one) for one in found.files]),
        (
            "Exports that were made",
            [f"event {seq}, {at[:10]} {at[11:16]} UTC, by {who}" for seq, at, who in found.exports],
        ),
        ("Entries of your own spool; `muster spool drop` takes one out", list(waiting)),
    ):
        if several:
            lines += [f"{title}:", *(f"  {one}" for one in several[:_MOST])]
            lines += [f"  and {len(several) - _MOST:,} more (--json tells all)"] if several[_MOST:] else []
    return lines if dry_run else [*lines, *_in_files(found, on_postgresql=on_postgresql), _BEYOND]


def _in_files(found: Erased, *, on_postgresql: bool) -> list[str]:
    if found.where:
        return [
            f"The database's files could not be cleaned ({one_line(found.where)}): what was erased may lie in"
            " them still. Close what reads the register and erase again, with --also."
        ]
    if on_postgresql:
        return [
            "Its tables were vacuumed: no question finds it. Pages may hold what is dead until they are used"
            " again (VACUUM FULL rewrites them); so may the write-ahead log and replicas, for their time."
        ]
    if found.bytes:
        return [
            f"The register's file has a word like the name {found.bytes:,} times still: under legal hold, in"
            " files attached, or as somebody's or something's else."
        ]
    return ["The register's file was written anew, and the names are nowhere in it."]


def _copy(vendor: str, key: str, number: str) -> str:
    return f"{vendor} {key or '(no ticket known)'}, for {number}"


def _some(numbers: Sequence[str]) -> str:
    more = len(numbers) - _MOST
    return ", ".join(numbers[:_MOST]) + (f" and {more:,} more" if more > 0 else "")


def retention_run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what is due; write nothing")] = False,
) -> Answer:
    """Take texts and people out of what has been over for as long as the matrix's retention says."""
    now = datetime.now(UTC)
    with here() as at, bar("Retiring") as progress:
        _refuse_below_admin(at)
        desk = at.desk()
        found = due(desk, now) if dry_run else retire(desk, at.who, now, progress)
    data = {
        "dry_run": dry_run,
        "rules": found.rules,
        "due": found.due,
        "done": found.done,
        "left_under_legal_hold": found.held,
        "waits": found.waits,
        "people": found.people,
        "not_cleaned": found.where,
    }
    if not found.rules:
        return Answer(data, ["The adopted matrix has no [[retention]] rule: everything is kept."])
    if not (found.due or found.held or found.people):
        return Answer(data, ["Nothing is old enough by the matrix's rules."])
    lines = (
        [f"Due: {len(found.due):,}."] if dry_run else [f"Texts and people are gone from {len(found.done):,}."]
    )
    lines += [f"Left, for they are under legal hold: {_some(found.held)}."] if found.held else []
    lines += (
        [f"People of whom nothing else is on record, erased: {len(found.people):,}."] if found.people else []
    )
    lines += [f"The database's files could not be cleaned: {one_line(found.where)}."] if found.where else []
    return Answer(data, [*lines, *found.waits[:_MOST]])
