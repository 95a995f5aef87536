"""`muster vendors check` of a first set-up: an address that is wrong, nobody there, a clock told once."""

from __future__ import annotations

from integrations.practice.server import running_practice
from tests.tui.cli.test_cli_try import BLOCK
from tests.tui.cli_help import Cli, vendor_block


def test_an_address_that_leads_nowhere_may_be_wrong(cli: Cli) -> None:
    with running_practice() as practice:
        cli.vendors(vendor_block(f"{practice.url}/wrong"))
        ran = cli("vendors", "check", "practice")
    assert ran.code == 6
    assert "✗ identity: practice has nothing at this address: HTTP 404" in ran.out
    assert "→ is its `url` right, up to where its API begins" in ran.out
    assert "any more" not in ran.out
    assert "clock" not in ran.out


def test_so_may_that_of_a_block(cli: Cli) -> None:
    with running_practice() as practice:
        cli.vendors(BLOCK.format(url=f"{practice.url}/wrong", environment="test"))
        ran = cli("vendors", "check", "desk")
    assert ran.code == 6
    assert "✗ look-up: desk has nothing at this address: HTTP 404" in ran.out
    assert "→ is its `url` right? If it is, mend `find` in vendors.toml" in ran.out
    assert "clock" not in ran.out


def test_nothing_is_said_of_a_clock_where_nobody_answers(cli: Cli) -> None:
    cli.vendors(vendor_block())
    ran = cli("vendors", "check", "practice")
    assert ran.code == 6
    assert "clock" not in ran.out


def test_a_clock_is_told_once(cli: Cli) -> None:
    with running_practice() as practice:
        cli.vendors(vendor_block(practice.url))
        assert cli("vendors", "check", "practice").out.count("✓ clock: as ours") == 1
