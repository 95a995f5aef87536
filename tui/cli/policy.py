"""The register's policy on the command line: apply, matrix show, matrix lint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from integrations.policy_files import Texts, find_files
from integrations.vendors import home_of
from register.adoption import NOTHING, matrix_in, tables_in
from register.core import Role, World, decide
from register.escalation_notes import Otherwise, escalation_notes, otherwise
from register.matrix_toml import FILE as MATRIX
from register.matrix_toml import SAMPLE
from register.plain import clean, clip
from register.policy import Matrix
from register.policy_diff import Change, changes, in_short
from register.policy_notes import notes
from register.roles import PEOPLES_ROLES
from register.roster import Roster
from register.standing import standing, who_may
from register.store import is_private
from register.store.adopted import Adopted, adopted
from register.store.rosters import roster_now
from register.toml_file import FileFaults, FileMissing, TomlFile, text_of
from tui.cli.answer import Answer
from tui.cli.contracts import contract_lines, contracts_data
from tui.cli.foreseeing import otherwise_data, otherwise_lines
from tui.cli.here import Here, here
from tui.cli.matrix_show import Shown
from tui.cli.tabular import columns
from tui.cli.trouble import FOUND_FAULTS
from tui.session import session_from
from tui.who import env_of, person

_MOST: Final = 18
"""Differences on a screenful of 24 lines."""
_WIDEST: Final = 150


def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would change; write nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="also where you would be no admin any more")] = False,
) -> Answer:
    """Make matrix.toml and vendors.toml the register's policy: for everybody, from now on."""
    with here() as at:
        files = find_files(env_of(at.session))
        checked = files.read().checked()
        found = adopted(at.store)
        command = checked.command(person(at.session), private=is_private(at.store.url), sure=yes)
        differences = _differences(found, command.matrix, command.vendors)
        others = _others(at, found.policy.matrix, matrix_in(command.matrix))
        same = bool(found.policy.version) and found.policy.digest == command.digest
        version = found.policy.version + (not same)
        if dry_run:
            decide(
                command, None, World(datetime.now(UTC), "", found.policy, "")
            )  # says what would be refused
        else:
            at.plain_desk().do(at.who, command)
        from_ = [str(files.vendors), *([] if files.matrix is None else [str(files.matrix)])]
        data = {
            "version": version,
            "digest": command.digest,
            "files": from_,
            "adopted": not dry_run and not same,
            "changes": [
                {"sign": one.sign, "what": one.what, "name": one.name, "says": one.says}
                for one in differences
            ],
            "forecasts": otherwise_data(others),
        }
        told = otherwise_lines(others, _MOST // 2)
        lines = [*in_short(differences, _MOST - len(told)), *told]
    return Answer(data, _told(lines, data, same=same, dry_run=dry_run, no_matrix=files.matrix is None))


def _others(at: Here, before: Matrix, after: Matrix) -> list[Otherwise]:
    """For whom another matrix would tell other people, or at other times."""
    rosters = [(matrix, roster_now(at.store, matrix)) for matrix in (before, after)]
    return list(otherwise(rosters[0], rosters[1], datetime.now(UTC)))


def _differences(found: Adopted, matrix: str, vendors: str) -> list[Change]:
    blocks = tables_in(found.vendors).get("vendor", {}), tables_in(vendors).get("vendor", {})
    return changes(found.policy.matrix, matrix_in(matrix), blocks)


def _told(differences: Sequence[str], data: Any, *, same: bool, dry_run: bool, no_matrix: bool) -> list[str]:
    if same:
        return [f"These files are adopted already, as version {data['version']}: nothing changes."]
    lines = [clip(clean(line), _WIDEST) for line in differences]
    if not differences:
        lines.append("Comments or layout alone differ: nobody's work changes.")
    if no_matrix:
        lines.append(f"There is no {MATRIX}: the built-in one holds (one team, no names).")
    if dry_run:
        return [*lines, f"Nothing was written. `muster apply` makes this version {data['version']}."]
    return [*lines, f"Adopted as version {data['version']}: it holds for everybody from now on."]


# What is adopted


def show() -> Answer:
    """Show what is adopted: roles, teams, who owns what; and who would be told now, with what is open."""
    with here() as at:
        return _shown(at, adopted(at.store))


def _shown(at: Here, found: Adopted) -> Answer:
    policy, matrix = found.policy, found.policy.matrix
    by = at.people.get(found.by or "", found.by) if found.by else None
    told_now = Shown(at, found)
    founder = policy.founder[1] if policy.founder else None
    data = {
        "version": policy.version,
        "adopted_at": found.at,
        "adopted_by": by,
        "digest": policy.digest or None,
        "founder": founder,
        "roles": {role.word: list(_of_role(matrix, role)) for role in reversed(PEOPLES_ROLES)},
        "default_role": matrix.default_role.word,
        "admins": list(who_may(matrix, policy.founder, Role.ADMIN)),
        "teams": {key: _team(matrix, key) for key in matrix.teams},
        "owners": [
            {"service": service, "category": category, "team": team}
            for service, row in _owners(matrix)
            for category, team in row.items()
        ],
        "suppliers": list(policy.vendors),
        "contracts": contracts_data(matrix.book),
        "escalation": told_now.data(),
        "matrix": tables_in(found.matrix) if found.matrix != NOTHING else None,
    }
    head = (
        f"Version {policy.version}, adopted {found.at:%Y-%m-%d %H:%M} UTC by {by}."
        if found.at is not None
        else "Nothing is adopted yet: the built-in policy holds. `muster apply` adopts matrix.toml."
    )
    return Answer(
        data,
        [
            head,
            "",
            *_roles(at, found),
            "",
            *_teams(matrix),
            "",
            *_owner_lines(matrix),
            *contract_lines(matrix.book),
            *told_now.lines(),
        ],
    )


def _of_role(matrix: Matrix, role: Role) -> list[str]:
    return [one.name for one in matrix.people.values() if (one.role or matrix.default_role) is role]


def _roles(at: Here, found: Adopted) -> list[str]:
    matrix, founder = found.policy.matrix, found.policy.founder
    rows = [
        (role.word, ", ".join(names)) for role in reversed(PEOPLES_ROLES) if (names := _of_role(matrix, role))
    ]
    if is_private(at.store.url):
        rows.insert(0, ("admin", "you: the register is yours alone"))
    elif founder and standing(matrix, founder, *founder).why.startswith("you made"):
        rows.insert(0, ("admin", f"{founder[1]}, who made the register, until a matrix names an admin"))
    return columns(("ROLE", "WHO"), [*rows, (matrix.default_role.word, "everybody else")])


def _team(matrix: Matrix, key: str) -> dict[str, Any]:
    team = matrix.teams[key]
    lead = matrix.people.get(team.lead or "")
    return {
        "name": team.name,
        "lead": lead.name if lead is not None else None,
        "first_line": team.first_line,
        "hours": team.hours,
        "people": [one.name for one in matrix.people.values() if key in one.teams],
    }


def _teams(matrix: Matrix) -> list[str]:
    rows = []
    for key in matrix.teams:
        about = _team(matrix, key)
        first = "first line" if about["first_line"] else ""
        people = clip(", ".join(about["people"]) or "nobody", 60)
        rows.append((key, about["name"], about["lead"] or "", first, about["hours"], people))
    return columns(("TEAM", "NAME", "LEAD", "", "HOURS", "PEOPLE"), rows)


def _owners(matrix: Matrix) -> list[tuple[str, dict[str, str]]]:
    """Each service with the owner by category; "" is any other."""
    return [
        (service, {category: matrix.owning_team(service, category) for category in (*matrix.categories, "")})
        for service in (*matrix.services, "")
    ]


def _owner_lines(matrix: Matrix) -> list[str]:
    """A line a service; categories that go the service's usual way are not told one by one."""
    rows = []
    for service, row in _owners(matrix):
        usual = row[""]
        others = [f"{category}: {team}" for category, team in row.items() if team != usual]
        rows.append((service or "any other", usual, ", ".join(others)))
    return columns(("SERVICE", "OWNER", "BUT"), rows)


# What is odd


def lint(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="a matrix.toml; otherwise the one of MUSTER_HOME")
    ] = None,
) -> Answer:
    """Check matrix.toml, without a register: what is wrong, and what is odd about it."""
    session = session_from(os.environ)
    files = find_files(env_of(session))
    path = file or files.matrix
    if path is None:
        where = home_of(env_of(session)) / MATRIX
        raise FileMissing(f"There is no {where}: copy the sample {SAMPLE} there, or name another file.")
    texts = Texts(text_of(files.vendors), text_of(path))
    try:
        checked = texts.checked()
    except FileFaults as error:
        data = {"ok": False, "file": str(path), "faults": error.faults, "notes": []}
        return Answer(data, [*(f"✗ {fault}" for fault in error.faults)], FOUND_FAULTS)
    blocks = TomlFile("vendors.toml", texts.vendors).tables.get("vendor", {})
    roster = Roster(checked.matrix, ids={key: key for key in checked.matrix.people})
    odd = notes(checked.matrix, blocks)
    odd += escalation_notes(checked.matrix, roster, blocks, datetime.now(UTC))
    data = {"ok": True, "file": str(path), "faults": [], "notes": odd}
    return Answer(data, [f"✓ {path} can be applied.", *(f"• {note}" for note in odd)])
