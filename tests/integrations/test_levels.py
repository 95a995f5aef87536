"""How a connector's level is computed, and that what is on record is what the suite asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations import levels
from integrations.conformance.rules import all_rules
from integrations.levels import Level, computed

B, S, G = (str(level) for level in (Level.BRONZE, Level.SILVER, Level.GOLD))


@pytest.mark.parametrize(
    ("outcomes", "level"),
    [
        ({}, Level.NONE),
        ({"a": (B, "passed"), "b": (S, "passed"), "c": (G, "passed")}, Level.GOLD),
        ({"a": (B, "passed"), "b": (S, "passed"), "c": (G, "failed")}, Level.SILVER),
        ({"a": (B, "passed"), "b": (S, "not shown"), "c": (G, "passed")}, Level.BRONZE),
        ({"a": (B, "failed"), "b": (S, "passed"), "c": (G, "passed")}, Level.NONE),
        ({"a": (B, "passed"), "b": (S, "not offered"), "c": (G, "exempt: no mergers there")}, Level.GOLD),
        ({"a": (B, "passed"), "b": (S, "exempt")}, Level.BRONZE),
        ({"a": (B, "passed")}, Level.BRONZE),
    ],
)
def test_a_level_takes_all_that_the_ones_before_it_take(
    outcomes: dict[str, tuple[str, str]], level: Level
) -> None:
    assert computed(outcomes) is level


@pytest.mark.parametrize("kind", sorted(levels._recorded()))
def test_every_rule_is_on_record_and_nothing_else(kind: str) -> None:
    """What each rule found there is held against the record by the suite itself, rule by rule."""
    rules = {rule.name: str(rule.level) for rule in all_rules()}
    assert {name: level for name, (level, _) in levels.on_record(kind).items()} == rules


def test_the_practice_supplier_is_gold_and_an_unknown_one_is_nothing() -> None:
    assert levels.level_of("practice") is Level.GOLD
    assert levels.level_of("nobody") is None


def test_what_is_found_is_written_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "RECORD", tmp_path / "record.json")
    (tmp_path / "record.json").write_text('{"b": {"x": ["bronze", "passed"]}}')
    levels._recorded.cache_clear()
    try:
        levels.put_on_record({"a": {"y": ("gold", "failed")}})
        assert levels.on_record("a") == {"y": ("gold", "failed")}
        assert levels.on_record("b") == {"x": ("bronze", "passed")}
        assert '    "y": ["gold", "failed"]' in (tmp_path / "record.json").read_text().splitlines()
    finally:
        levels._recorded.cache_clear()
