"""`muster apply`, `matrix show`, `matrix lint`: the policy of a register on the command line."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from register.matrix_toml import SAMPLE
from register.store import Store, open_store
from register.store.adopted import adopted
from register.store.shared import make_shared
from tests.tui.cli_help import Cli, vendor_block

SMALL = """
fallback_team = "desk"
[teams.desk]
name = "Desk"
[people.me]
name = "Me Sample"
uid = {uid}
role = "admin"
teams = ["desk"]
"""


def write(cli: Cli, text: str) -> None:
    (cli.home / "matrix.toml").write_text(text.replace("{uid}", str(os.getuid())))


def store_of(cli: Cli) -> Store:
    return open_store(os.environ["MUSTER_REGISTER"])


@pytest.fixture
def shared(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A command line on a register that a group shares, made by whoever runs this."""
    with tempfile.TemporaryDirectory(prefix="sh") as folder:
        register = Path(folder) / "muster" / "r.db"
        make_shared(register, str(os.getgid()))
        monkeypatch.setenv("MUSTER_REGISTER", str(register))
        yield cli


def test_a_dry_run_tells_what_changes_and_writes_nothing(cli: Cli) -> None:
    write(cli, SMALL)
    told = cli.json("apply", "--dry-run")
    assert (told["version"], told["adopted"]) == (1, False)
    assert "+ person me" in "\n".join(cli("apply", "--dry-run").out.splitlines())
    assert {"sign": "+", "what": "person", "name": "me"}.items() <= next(
        one for one in told["changes"] if one["name"] == "me"
    ).items()
    assert store_of(cli).seq() == 0


def test_the_sample_fits_on_a_screen_and_is_told_whole_with_json(cli: Cli) -> None:
    write(cli, SAMPLE.read_text(encoding="utf-8"))
    assert len(cli("apply", "--dry-run").out.splitlines()) <= 22
    assert len(cli.json("apply", "--dry-run")["changes"]) > 30


def test_the_same_files_again_change_nothing(cli: Cli) -> None:
    write(cli, SMALL)
    assert cli.json("apply")["adopted"] is True
    seq = store_of(cli).seq()
    assert "adopted already, as version 1" in cli("apply").out
    assert store_of(cli).seq() == seq


def test_a_private_register_takes_its_owners_files_by_itself(cli: Cli) -> None:
    cli.json("log", "no files yet")
    assert store_of(cli).seq() == 1  # the samples are nobody's policy
    write(cli, SMALL)
    cli.vendors(vendor_block())
    cli.json("log", "with files")
    found = adopted(store_of(cli))
    assert (found.policy.version, list(found.policy.vendors)) == (1, ["practice"])
    (cli.home / "matrix.toml").unlink()
    (cli.home / "vendors.toml").unlink()
    cli.json("log", "without files again")
    assert adopted(store_of(cli)).policy == found.policy


def test_a_faulty_file_is_told_and_what_was_adopted_holds(cli: Cli) -> None:
    write(cli, SMALL)
    cli.json("apply")
    write(cli, "flap_window = 3\n" + SMALL)
    ran = cli("log", "still works")
    assert ran.code == 0
    assert "matrix.toml line 1, flap_window" in ran.err
    assert "What was adopted before holds on." in ran.err
    assert cli("apply").code == 2
    assert adopted(store_of(cli)).policy.version == 1


def test_no_credential_gets_into_the_register(cli: Cli) -> None:
    write(cli, "# token: ghp_0123456789abcdef0123456789abcdef\n" + SMALL)
    cli.vendors(vendor_block(api_token="glpat-abcdefghijklmnop"))
    ran = cli("apply")
    assert ran.code == 2
    assert "glpat" not in ran.out + ran.err
    cli.vendors(vendor_block())
    cli.json("apply")
    assert "ghp_" not in adopted(store_of(cli)).matrix  # comments are not kept


# On a shared register


def test_the_maker_is_admin_and_files_wait_for_an_admin(shared: Cli) -> None:
    shared.json("log", "the first word")
    found = adopted(store_of(shared))
    assert found.policy.founder is not None
    assert found.policy.founder[0] == os.getuid()
    assert (found.policy.version, list(found.policy.vendors)) == (1, ["practice"])  # usable at once
    write(shared, SMALL)
    shared.json("log", "a file changes nothing")
    assert adopted(store_of(shared)).policy.version == 1
    assert shared.json("apply")["version"] == 2
    assert shared.json("matrix", "show")["admins"] == ["Me Sample"]


def test_who_is_no_admin_is_told_who_is(shared: Cli) -> None:
    shared.json("log", "the first word")
    write(shared, SMALL)
    shared.json("apply")
    write(shared, SMALL.replace("{uid}", "4242") + "zone = 'Europe/Oslo'\n")
    ran = shared("apply")
    assert ran.code == 3
    assert "you would be responder" in ran.err
    assert shared("apply", "--dry-run").code == 3
    assert shared("apply", "--yes").code == 0
    ran = shared("apply")
    assert (ran.code, "Who may: Me Sample." in ran.err) == (3, True)
    assert shared("log", "a responder still logs").code == 0
    assert shared("engage", "1", "practice", "x").code == 3


# Looking


def test_show_tells_roles_teams_and_owners(cli: Cli) -> None:
    assert cli("matrix", "show").out.startswith("Nothing is adopted yet")
    write(cli, SAMPLE.read_text(encoding="utf-8"))
    cli.json("apply")
    out = cli("matrix", "show").out
    assert out.startswith("Version 1, adopted ")
    for words in ("Cat Sample", "first line", "Telephony", "everybody else", "yours alone"):
        assert words in out
    owners: list[Any] = cli.json("matrix", "show")["owners"]
    assert {"service": "Network", "category": "hardware", "team": "net-ops"} in owners
    assert {"service": "", "category": "", "team": "service-desk"} in owners


def test_lint_tells_what_is_wrong_and_what_is_odd(cli: Cli) -> None:
    assert cli("matrix", "lint").code == 4
    write(cli, SMALL + '[teams.ghosts]\nname = "Ghosts"\n[services]\nShop = "sells"\n')
    cli.vendors(vendor_block().replace('queue = "Support"', 'queue = "Support"\nservices = ["Bar"]'))
    ran = cli("matrix", "lint")
    assert ran.code == 0
    for words in ("teams.ghosts has no members", "No rule names Shop", "looks after Bar", "first_line"):
        assert words in ran.out
    write(cli, SMALL.replace('role = "admin"', 'role = "king"'))
    ran = cli("matrix", "lint")
    assert (ran.code, "people.me.role" in ran.out) == (1, True)
    write(cli, SMALL.replace('teams = ["desk"]', "").replace('role = "admin"', ""))
    out = cli("matrix", "lint").out
    assert "Nobody is admin" in out
    assert "In no team: me" in out


def findings(cli: Cli) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(cli("doctor", "--json").out)["findings"]}


def test_the_doctor_says_one_thing_before_the_first_adoption(cli: Cli) -> None:
    store_of(cli).close()
    assert findings(cli)["policy"]["says"].endswith("until you write a file")
    write(cli, SMALL)
    told = findings(cli)
    assert told["policy"]["says"].endswith("until your files are taken")
    assert "at your next command" in told["files"]["says"]


def test_the_doctor_tells_what_holds_who_is_admin_and_my_role(shared: Cli) -> None:
    store_of(shared).close()  # it is there, and nobody began to work on it
    told = findings(shared)
    assert (told["policy"]["ok"], told["admins"]["ok"]) == (False, False)
    assert told["role"]["says"].startswith("you are coordinator: default_role")
    shared.json("list")
    told = findings(shared)
    assert told["policy"]["says"].startswith("version 1, adopted ")
    assert "you made this register" in told["role"]["says"]
    write(shared, SMALL)
    told = findings(shared)
    assert "when an admin says `muster apply`" in told["files"]["says"]
    shared.json("apply")
    told = findings(shared)
    assert "files" not in told
    assert told["admins"]["says"] == "Me Sample"
    assert told["role"]["says"] == "you are admin: people.me of the matrix"
    assert "guard rails, no locks" in told["sharing"]["says"]
