"""How the house is built: arrows one way, small files, and nothing heavy before the first paint."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("register", "integrations", "tui")
FILES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
HEAVY = {
    "sqlalchemy",
    "psycopg",
    "pysqlite3",
    "pydantic",
    "typer",
    "httpx",
    "starlette",
    "uvicorn",
    "keyring",
    "jinja2",
    "jmespath",
}


def test_arrows_run_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path: Path) -> None:
    """At most 400 lines; functions of 50, classes of 250; a first line that says what it is for."""
    source = path.read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= 400
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 50, node.name  # type: ignore[operator]
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno - node.lineno < 250, node.name  # type: ignore[operator]


@pytest.mark.parametrize("name", ["tui.main", "tui.session", "tui.fullscreen", "tui.app", "tui.follow"])
def test_the_first_paint_waits_for_nothing_heavy(name: str) -> None:
    code = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_error_is_swallowed_unnamed(path: Path) -> None:
    bare = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if is_bare(node)]
    assert bare == []


def is_bare(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and node.type is None


def test_no_two_test_files_share_a_name() -> None:
    """Run together, pytest refuses the second of them; run alone, nobody sees it."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
