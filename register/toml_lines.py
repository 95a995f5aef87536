"""In which line of a TOML text a key stands: for errors that a person can go to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

Path = tuple[str, ...]

_PIECES: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''  # the four kinds of string
    r"|\#[^\n]*|[\[\]{}=\n]|[^\s\"'\#\[\]{}=]+|[^\S\n]+|.",
    re.DOTALL,
)


def key_lines(text: str) -> Mapping[Path, int]:
    """The line, from 1, of every table header and key of a valid TOML text; not of those in inline tables.

    A `[[name]]` is `name` and its place in the list, from 0: ("name", "0"), ("name", "1").
    """
    found: dict[Path, int] = {}
    many: dict[Path, int] = {}
    table: Path = ()
    for line, header, name in _statements(text):
        path = _parsed(name)
        if header == 2:
            found.setdefault(path, line)
            many[path] = many.get(path, -1) + 1
        if header:
            path = table = _numbered(path, many)
        found.setdefault(path if header else table + path, line)
    return found


def twice(text: str, line: int) -> str:
    """The key or table that ends on this line and stood above already; empty where it is no such one.

    line: where the TOML parser stopped, so that all before it is sound.
    """
    seen: set[Path] = set()
    many: dict[Path, int] = {}
    table: Path = ()
    last: Path = ()
    again = False
    for _, header, name in _statements("\n".join(text.split("\n")[:line])):
        path = _parsed(name)
        if header == 2:
            many[path] = many.get(path, -1) + 1
        last = _numbered(path, many) if header else table + path
        again = last in seen
        seen.add(last)
        table = last if header else table
    return ".".join(last) if again else ""


def _numbered(path: Path, many: Mapping[Path, int]) -> Path:
    """`path` with the place in the list behind the name of each list of tables in it."""
    found: list[str] = []
    for end, part in enumerate(path, 1):
        found.append(part)
        if path[:end] in many:
            found.append(str(many[path[:end]]))
    return tuple(found)


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest thing around it; 1 when nothing is."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _statements(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, number of brackets if it is a table's header, and the name as written, of each statement."""
    name, header, in_value, depth, line = "", 0, False, 0, 1
    for piece in [*_PIECES.findall(text), "\n"]:
        if piece == "\n" and depth == 0:
            if header:
                yield line, header, name
            name, header, in_value = "", 0, False
        elif in_value:
            depth += (piece in ("[", "{")) - (piece in ("]", "}"))
        elif piece == "=":
            yield line, 0, name
            in_value = True
        elif piece in ("[", "]"):
            header += piece == "["
        elif not piece.startswith("#"):
            name += piece
        line += piece.count("\n")


def _parsed(name: str) -> Path:
    """`a."b c".d` as ("a", "b c", "d"), read by the TOML parser itself."""
    path: list[str] = []
    value = tomllib.loads(f"{name} = 0")
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        path.append(key)
    return tuple(path)
