"""Every connector has what belongs to it: file, page, sample, line in the README, level on record."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from integrations import levels
from integrations.systems import SYSTEMS
from integrations.vendors import read_vendors

ROOT = Path(__file__).parents[2]
PLAYED = "practice"
"""Muster's own supplier to practise with: it needs no page."""
_BLOCK = re.compile(r"^# \[vendor\.[a-z0-9_-]+\]$")


def samples() -> dict[str, str]:
    """The commented blocks of the sample vendors.toml, by the kind of system that each is of."""
    found: dict[str, str] = {}
    lines: list[str] = []
    for line in [*(ROOT / "vendors.toml").read_text().splitlines(), ""]:
        if _BLOCK.match(line):
            lines = []
        if line.startswith("# "):
            lines.append(line.removeprefix("# "))
        elif lines:
            text = "\n".join(lines)
            if kind := re.search(r'^connector = "([a-z_]+)"', text, re.MULTILINE):
                found.setdefault(kind[1], text)
            lines = []
    return found


def page(kind: str) -> str:
    return f"docs/{kind.replace('_', '-')}.md"


def test_each_file_is_a_kind_of_system_and_the_other_way_round() -> None:
    files = {path.stem for path in (ROOT / "integrations/systems").glob("*.py")} - {"__init__"}
    assert files == set(SYSTEMS)
    assert all(where.startswith(f"integrations.systems.{kind}:") for kind, where in SYSTEMS.items())


@pytest.mark.parametrize("kind", sorted(set(SYSTEMS) - {PLAYED}))
def test_each_has_a_page_a_line_in_the_readme_and_a_sample(kind: str) -> None:
    assert f'connector = "{kind}"' in (ROOT / page(kind)).read_text()
    assert f"]({page(kind)})" in (ROOT / "README.md").read_text()
    assert tomllib.loads(samples()[kind])
    vendors = read_vendors(samples()[kind])
    assert [vendor.connector for vendor in vendors.values()] == [kind]


def test_each_is_on_record_and_nothing_else_is() -> None:
    assert set(levels._recorded()) == set(SYSTEMS)


def test_each_block_that_may_be_copied_is_told_before_the_first_one() -> None:
    before = (ROOT / "docs" / "rest.md").read_text("utf-8").partition("```toml")[0]
    for path in sorted((ROOT / "tests" / "described").glob("*.toml")):
        assert f"(../tests/described/{path.name})" in before
        assert read_vendors(path.read_text("utf-8"))
