"""A TOML file that people write: its text, its tables, its faults, each with file, line, key and remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from register.leaks import secret_key, secret_value
from register.text import LOGIN, SLUG, clip, one_line
from register.toml_lines import key_lines, line_of, twice

MAX_FILE: Final = 1_000_000
_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")
_AGAIN: Final = ("Cannot overwrite a value", "Cannot declare")
"""How the parser begins where a key or a table is there already."""
_PLAINLY: Final[Mapping[str, str]] = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not known here: take it out, or mend it",
    "string_type": "must be text in quotes",
    "string_too_short": "is empty: write a word, or take the line out",
    "too_short": "is empty: write a word, or take it out",
    "tuple_type": 'must be a list: ["one", "two"]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "finite_number": "must be a number that ends",
}
"""What pydantic's kinds of error mean to somebody who writes TOML."""
_PATTERNS: Final[Mapping[str, str]] = {
    SLUG: "is no name: take lower-case letters, digits, - and _, at most 40",
    LOGIN: "is no login: it has 1 to 64 characters, and no space, : or / among them",
}
KeyPath = tuple[str | int, ...]
"""The keys down to a value; an int is a place in a list."""
Model = TypeVar("Model", bound=BaseModel)


class FileFaults(Exception):
    """A file of ours cannot be used: one sentence a fault, each with place and remedy."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class FileMissing(FileFaults):
    """There is no such file."""


def text_of(path: Path) -> str:
    """The text of a file; FileFaults when it cannot be read, is no text, or is no file that people write."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileMissing(f"There is no {path}: write one, or set MUSTER_HOME to its folder.") from None
    except OSError as error:
        raise FileFaults(f"{path} cannot be read ({error.strerror}): look at its permissions.") from None
    if len(raw) > MAX_FILE:
        raise FileFaults(f"{path} has {len(raw):,} bytes, {MAX_FILE:,} at most: is it the right file?")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileFaults(f"{path.name} line {line}: this is not UTF-8. Save the file as UTF-8.") from None


class TomlFile:
    """The tables of one text, and the faults that were found in them so far. `name` is what they call it."""

    def __init__(self, name: str, text: str, tables: dict[str, Any] | None = None) -> None:
        """Read the text; FileFaults when it is not TOML. tables: what it says, where no text is left."""
        self.name = name
        try:
            self.tables: dict[str, Any] = tomllib.loads(text) if tables is None else tables
        except tomllib.TOMLDecodeError as error:
            said = str(error)
            found = _LINE.search(said)
            where = f"{name} line {found[1]}" if found else name
            what = one_line(_LINE.sub("", said))
            key = twice(text, int(found[1])) if found and what.startswith(_AGAIN) else ""
            if key:
                raise FileFaults(f"{where}: {one_line(key)} stands twice. Take one of them out.") from None
            raise FileFaults(f"{where}: this is not TOML ({what}). Mend that line.") from None
        self._lines = key_lines(text)
        self._faults: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._faults)

    def line(self, path: KeyPath) -> int:
        return line_of(self._lines, tuple(str(part) for part in path))

    def fault(self, path: KeyPath, says: str) -> None:
        """Note a fault at a key. `says` goes on from `name line 3, key: ` and has no full stop."""
        line = self.line(path)
        stopped = says if says.endswith("?") else f"{says.rstrip('.')}."
        key = one_line(".".join(clip(part, 60) for part in path if isinstance(part, str)))
        self._faults[f"{self.name} line {line}, {key}: {stopped}"] = line

    def raise_faults(self) -> None:
        """Raise FileFaults with all that was noted, in the order of the lines; nothing where all is well."""
        if self._faults:
            raise FileFaults(*sorted(self._faults, key=lambda fault: self._faults[fault]))

    def validated(self, here: KeyPath, model: type[Model], given: Mapping[str, Any]) -> Model | None:
        """The model of this table; None when it is faulty, and every fault of it is noted."""
        try:
            return model.model_validate(dict(given))
        except ValidationError as error:
            for path, what in faults_in(error, model):
                self.fault((*here, *path), what)
        return None

    def leaks(
        self, here: KeyPath, table: Mapping[str, Any], known: Callable[[KeyPath, str], bool], command: str
    ) -> list[KeyPath]:
        """Note and return every place in a table whose value looks like a credential. None is repeated.

        known: whether the key at the end of this path, with this value below it, is ours, so that its name
        alone says nothing.
        command: what stores a credential properly.
        """
        found = [
            path
            for path, text in leaves(here, table)
            if secret_value(text)
            or any(
                secret_key(str(key)) and not known(path[: end + 1], text)
                for end, key in enumerate(path)
                if end >= len(here)
            )
        ]
        for path in found:
            self.fault(
                path,
                "looks like a credential, which may not stand in a file. Take it out, store it with "
                f"{command}, and change it at the supplier if others could read it here",
            )
        return found


def faults_in(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[KeyPath, str]]:
    """Where in a table, and what, as `TomlFile.fault` takes it. A list of faulty items is not empty, too."""
    details = error.errors(include_url=False, include_input=False)
    places = [tuple(part for part in detail["loc"] if part != "[key]") for detail in details]
    for detail, path in zip(details, places, strict=True):
        inside = any(len(other) > len(path) and other[: len(path)] == path for other in places)
        if not (detail["type"] == "too_short" and inside):
            yield path, _says(detail, model, path)


def _says(detail: ErrorDetails, model: type[BaseModel], path: KeyPath) -> str:
    """What pydantic found, in the words of somebody who writes TOML."""
    if detail["type"] == "extra_forbidden":
        inside = model_at(model, path[:-1])
        known = inside.model_fields if inside else ()
        return f"is not known here{near(path[-1], known, '.')} Take it out, or mend it"
    described = _description(model, path)
    what = f" ({described})" if described else ""
    said = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    said = _PLAINLY.get(detail["type"], f"{said[:1].lower()}{said[1:]}").rstrip(".")
    if detail["type"] == "string_pattern_mismatch":
        said = _PATTERNS.get(str(detail["ctx"]["pattern"]), said)
    return f"{said}{what}"


def model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model of the table at `path`, through tables of tables and lists of them; None for what is none."""
    at: type[BaseModel] | None = model
    parts = list(path)
    while parts and at is not None:
        found = at.model_fields.get(str(parts.pop(0)))
        kind = None if found is None else found.annotation
        at = next(_models_in(kind), None)
        if at is not None and get_origin(kind) is not None and kind is not at:
            parts = parts[1:]  # the name in a table of tables, or the place in a list
    return at


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _description(model: type[BaseModel], path: KeyPath) -> str:
    """What the field of that path is described as; the nearest one around it where it has no words itself."""
    for end in range(len(path), 0, -1):
        inside = model_at(model, path[: end - 1])
        found = inside.model_fields.get(str(path[end - 1])) if inside else None
        if found is not None and (end == len(path) or not any(_models_in(found.annotation))):
            return found.description or ""
    return ""


def leaves(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    """Every value that is no table and no list, as text, with its path; places in lists are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves((*path, key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(path, inner)
    else:
        yield path, str(value)


def near(word: object, known: Iterable[str], otherwise: str = "") -> str:
    """Return `: did you mean that?` where a known word is like this one, else what is said otherwise."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close else otherwise
