"""Connectors of others: installed, listed, read; and one that is broken hurts nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integrations import plugged
from integrations.vendor import system
from integrations.vendors import VendorsFileError, read_vendors
from tests.example_connector.little import LittleDesk
from tests.tui.cli_help import Cli, fresh, vendor_block

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "example_connector"
LITTLE = "tests.example_connector.little:LittleDesk"
BLOCK = """
[vendor.acme]
connector = "{kind}"
title = "ACME"
url = "https://little.example"
environment = "test"
[vendor.acme.states]
open = "new"
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution that offers these connectors: `install("acme-kit", little="module:Class")`."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))

    def installed(name: str, **points: str) -> None:
        folder = site / f"{name.replace('-', '_')}-1.2.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = [f"{kind} = {where}" for kind, where in points.items()]
        (folder / "entry_points.txt").write_text("\n".join([f"[{plugged.GROUP}]", *lines, ""]))
        plugged.forget()

    yield installed
    plugged.forget()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    fresh(tmp_path, monkeypatch)
    return Cli(tmp_path, monkeypatch, capsys)


def fault(kind: str) -> str:
    with pytest.raises(VendorsFileError) as caught:
        read_vendors(BLOCK.format(kind=kind))
    (told,) = caught.value.faults
    return str(told)


def test_the_example_is_short() -> None:
    lines = [line for path in EXAMPLE.glob("*.py") for line in path.read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) < 60


def test_what_is_installed_is_read_like_our_own_and_listed(install: Install, cli: Cli) -> None:
    install("acme-kit", little=LITTLE)
    vendor = read_vendors(BLOCK.format(kind="little"))["acme"]
    assert vendor.info is LittleDesk.info
    assert vendor.system_title == "Little Desk"
    told = {about["kind"]: about for about in cli.json("vendors", "systems")}
    assert told["little"]["by"] == "acme-kit 1.2"
    assert told["little"]["level"] == "not measured"
    assert told["rt"]["by"] == ""
    assert "little comes with acme-kit 1.2." in cli("vendors", "systems").out


def test_a_block_for_it_is_written(install: Install, cli: Cli) -> None:
    install("acme-kit", little=LITTLE, broken="no.such.module:Desk")
    own = ("--url", "https://little.example")
    assert cli("vendors", "new", "mine", "--connector", "broken", *own).code == 2
    told = cli("vendors", "new", "mine", "--connector", "nothing", *own).err
    assert "little" in told
    assert cli("vendors", "new", "mine", "--connector", "little", *own, "--set", "states=x").code == 2


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("no.such.module:Desk", "acme-kit 1.2, which offers it, does not load (ModuleNotFoundError"),
        ("integrations.reading:read", "is no connector: it lacks `info`"),
        (LITTLE, 'is no connector: it lacks the kind "other" in its `info`'),
    ],
)
def test_one_that_is_broken_is_told_by_its_distribution(
    install: Install, cli: Cli, where: str, says: str
) -> None:
    install("acme-kit", other=where, little=LITTLE)
    told = fault("other")
    assert says in told
    assert "Install another version of it, or uninstall it" in told
    assert read_vendors(BLOCK.format(kind="little"))
    assert read_vendors(vendor_block())
    listed = {about["kind"]: about for about in cli.json("vendors", "systems")}
    assert says.split(",")[-1].strip() in listed["other"]["fault"]
    assert listed["little"]["fault"] == ""
    assert "other cannot be used: acme-kit 1.2" in " ".join(cli("vendors", "systems").out.split())


def test_our_own_names_are_not_to_be_had(install: Install, cli: Cli) -> None:
    install("acme-kit", rt=LITTLE, manual=LITTLE, Odd=LITTLE)
    assert system("rt").info.title == "Request Tracker 5"
    assert plugged.kinds() == ()
    faults = [one for one in cli.json("vendors", "systems") if one.get("fault")]
    assert [one["kind"] for one in faults] == ["Odd", "manual", "rt"]
    assert "Muster's own name" in faults[1]["fault"]


def test_a_name_that_two_offer_is_nobodys(install: Install) -> None:
    install("acme-kit", little=LITTLE)
    install("other-kit", little=LITTLE)
    assert "both offer it: uninstall all but one" in fault("little")


def test_an_unknown_kind_names_those_that_are_installed(install: Install) -> None:
    install("acme-kit", little=LITTLE)
    assert "did you mean little?" in fault("littel")


def test_nothing_of_theirs_is_imported_before_it_is_needed(install: Install, tmp_path: Path) -> None:
    install("acme-kit", little=LITTLE)
    code = (
        "import sys, tui.main, tui.session, tui.fullscreen, tui.app, tui.follow;"
        "from integrations.vendors import read_vendors; import integrations.vendor_block;"
        f"read_vendors({vendor_block()!r});"
        "assert not any('example_connector' in name for name in sys.modules);"
        "assert 'integrations.plugged' not in sys.modules;"
        f"read_vendors({BLOCK.format(kind='little')!r});"
        "assert 'tests.example_connector.little' in sys.modules"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
