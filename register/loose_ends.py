"""What names something that is not there: how a file's reader finds it, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from register.toml_file import KeyPath, near

Found = Iterator[tuple[KeyPath, str]]
"""Where in the file, and what is wrong, as `TomlFile.fault` takes it."""
_TABLES: Final[Mapping[str, str]] = {"person": "people", "policy": "policies"}
"""What the table of such things is called, where that is not with an s."""


def names(tables: Mapping[str, Any], section: str) -> list[str]:
    """The names that a section declares. A name counts though its entry is faulty."""
    found = tables.get(section)
    return list(found) if isinstance(found, dict) else []


def unknown(path: KeyPath, name: str, known: Iterable[str], what: str) -> Found:
    """The fault of a name that is not among those known; nothing where it is. what: as `team`."""
    known = list(known)
    if name not in known:
        table = _TABLES.get(what, f"{what}s")
        told = f"Known: {', '.join(sorted(known))}" if known else f"None is declared: write a [{table}.NAME]"
        yield path, f"there is no {what} {name!r}{near(name, known) or '.'} {told}"
