"""Each trap of a supplier's system has a test that fails where it is not minded; the table is traps.toml."""

from __future__ import annotations

import ast
import functools
import tomllib
from pathlib import Path
from typing import Final

import pytest

from integrations import levels
from integrations.systems import SYSTEMS

ROOT: Final = Path(__file__).parents[2]
TRAPS: Final[dict[str, dict[str, str | list[str]]]] = tomllib.loads(
    (Path(__file__).parent / "traps.toml").read_text()
)
PLAYED: Final = "practice"
"""Muster's own supplier to practise with: it sets no traps but those that others are found to set."""
OF_ALL: Final = {"every", "contracts"}
"""Tables of no one system: of any supplier, and of the vendors' descriptions as they are served."""
RULE: Final = "test_conforms["


@functools.cache
def functions(path: Path) -> frozenset[str]:
    """The tests of a file, as pytest names them."""
    body = ast.parse(path.read_text()).body
    found = [("", node) for node in body]
    found += [
        (f"{node.name}::", inner) for node in body if isinstance(node, ast.ClassDef) for inner in node.body
    ]
    tests = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(f"{of}{node.name}" for of, node in found if isinstance(node, tests))


def is_there(node_id: str) -> bool:
    """Whether there is this test; one of the conformance suite must be on record as kept, too."""
    file, _, name = node_id.partition("::")
    path = ROOT / file
    if not path.is_file():
        return False
    if RULE not in name:
        return name.startswith("test_") and name in functions(path)
    level, _, rule = name.partition(RULE)[2].rstrip("]").partition("-")
    kind = path.stem.removeprefix("test_conformance_")
    return levels.on_record(kind).get(rule) == (level, levels.PASSED)


def test_each_kind_of_system_has_its_rows_and_nothing_else_has() -> None:
    assert set(TRAPS) == (set(SYSTEMS) - {PLAYED}) | OF_ALL
    assert all(TRAPS.values())


@pytest.mark.parametrize("system", sorted(TRAPS))
def test_each_test_that_is_named_is_there(system: str) -> None:
    for trap, named in TRAPS[system].items():
        tests = [named] if isinstance(named, str) else named
        lacks = [test for test in tests if not is_there(test)]
        assert tests, f"{trap}: which test fails where it is not minded?"
        assert not lacks, f"{trap}: there is no {', '.join(lacks)}"


@pytest.mark.parametrize(
    "odd",
    [
        "tests/integrations/test_none.py::test_x",
        "tests/integrations/test_traps.py::test_none",
        "tests/integrations/test_traps.py::functions",
        "tests/integrations/test_conformance_statuspage.py::TestStatuspage::test_conforms[silver-their-words-are-heard]",
    ],
)
def test_one_that_is_not_there_is_told(odd: str) -> None:
    assert not is_there(odd)
