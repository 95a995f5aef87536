"""Templates of a `rest` block: Jinja2 in its sandbox, and of that a part which cannot run long or grow large.

No loop, no call, no multiplication: what a template can do is put values together and choose between them.
So the time and room that it takes are bounded by what it is given. In a body each template fills one place
of a structure, and one that is a single expression gives its value as it is, so no value can leave its place.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_SOURCE: Final = 4_000
"""Characters of one template."""
MOST_MADE: Final = 1_000_000
"""Characters that one template may become."""
_ALONE: Final = re.compile(r"\s*\{\{((?:[^{}'\"]|'[^']*'|\"[^\"]*\")*)\}\}\s*", re.DOTALL)
_PIECE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TAKEN: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Concat,
    nodes.Add,
    nodes.List,
    nodes.Dict,
    nodes.Pair,
)
"""What a template may be made of; the rest could run long, grow large, or reach what it should not."""


class Unfit(ValueError):
    """A template, or a path into an answer, that cannot be used. Says what and where."""


class Wanting(Exception):
    """What a template needs is not there. Says which template lacks what; nothing of the values."""


class _Omit:
    """Stands for a key that is left out."""

    def __bool__(self) -> bool:
        return False


OMIT: Final = _Omit()


class Unquoted(str):
    """A value that goes into a path as it is: its author says that it is one."""


class Awaited(Unquoted):
    """Stands for what only an answer tells, where nobody is asked; no filter changes it."""


def _replace(text: object, old: str, new: str) -> str:
    said = str(text)
    if not old or len(said) + said.count(old) * len(new) > MOST_MADE:
        raise Wanting("a replacement would grow too large")
    return said.replace(old, new)


def _base64(content: bytes | str) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def _but_awaited(does: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, *more: value if isinstance(value, Awaited) else does(value, *more)


def _awaits(value: Any, deep: int = 4) -> bool:
    """Whether a value that a template may take is, or has in it, one that only an answer tells.

    deep: how far in it is looked for: rows, their values, and a list that a template made.
    """
    parts = vars(value).values() if isinstance(value, SimpleNamespace) else value
    if not deep or isinstance(parts, str | bytes) or not isinstance(parts, Iterable):
        return isinstance(parts, Awaited)
    return any(_awaits(one, deep - 1) for one in parts)


_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "base64": _base64,
    "int": int,
    "json": lambda value: __import__("orjson").dumps(value).decode(),
    "length": len,
    "lower": lambda text: str(text).lower(),
    "replace": _replace,
    "string": str,
    "trim": lambda text: str(text).strip(),
    "unquoted": Unquoted,
    "upper": lambda text: str(text).upper(),
}


def _made(finalize: Callable[[Any], Any]) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=finalize,
        cache_size=0,
    )
    made.filters.clear()
    made.filters.update({name: _but_awaited(does) for name, does in _FILTERS.items()})
    made.globals.clear()
    return made


def _shown(value: Any) -> Any:
    if value is None or value is OMIT:
        return ""
    return value


def _quoted(value: Any) -> Any:
    """A value in an address: one part of it, whatever signs are in it."""
    if isinstance(value, StrictUndefined):
        str(value)  # tells which one is not there
    if isinstance(value, Unquoted):
        return str(value)
    said = "" if value is None or value is OMIT else str(value)
    if not said or said in (".", ".."):
        raise Wanting("a value for the path is empty")
    return quote(said, safe="")


_PLAIN: Final = _made(_shown)
_PATH: Final = _made(_quoted)


def checked(source: str) -> str:
    """The template itself; Unfit where it is none that may be used."""
    compiled(source)
    return source


def checked_path(source: str) -> str:
    """The template of a path; it begins at the vendor's url."""
    if not source.startswith("/") or "?" in source or "#" in source:
        raise Unfit("must begin with / and have no ? or #: what is asked for goes into `query`")
    compiled(source, path=True)
    return source


class Compiled:
    """A template, ready. names: what it takes from outside, each with the attributes that it reads there."""

    def __init__(self, source: str, *, path: bool) -> None:
        self.source = source
        env = _PATH if path else _PLAIN
        tree = _parsed(env, source)
        self.names = frozenset(_names(tree))
        alone = None if path else _ALONE.fullmatch(source)
        self._whole = None if alone is None else env.compile_expression(alone[1], undefined_to_none=False)
        self._pieces = env.from_string(source) if self._whole is None else None

    def made(self, values: Mapping[str, Any]) -> Any:
        """What it becomes: the value itself of one expression, else a text. Raises Wanting.

        Where it cannot be filled in for want of an answer that is awaited, it stands for itself.
        """
        try:
            if self._whole is not None:
                found = self._whole(**values)
                if isinstance(found, StrictUndefined):
                    str(found)  # tells which one is not there
                return found
            return self._text(values)
        except (TemplateError, TypeError, ValueError, KeyError, ArithmeticError, RecursionError) as error:
            why = str(error) if isinstance(error, TemplateError) else type(error).__name__
        if any(_awaits(values.get(name)) for name, _ in self.names):
            return Awaited(self.source)
        raise Wanting(f"{self.source!r} cannot be filled in ({why})")

    def _text(self, values: Mapping[str, Any]) -> str:
        assert self._pieces is not None  # noqa: S101 - made above
        made, room = [], MOST_MADE
        for piece in self._pieces.generate(**values):
            room -= len(piece)
            if room < 0:
                raise Wanting(f"{self.source!r} would grow beyond {MOST_MADE:,} characters")
            made.append(piece)
        return "".join(made)


@functools.lru_cache(maxsize=2_048)
def compiled(source: str, *, path: bool = False) -> Compiled:
    """The template ready to be filled in; Unfit with its position where it cannot be used."""
    return Compiled(source, path=path)


def _parsed(env: ImmutableSandboxedEnvironment, source: str) -> nodes.Template:
    if len(source) > MOST_SOURCE:
        raise Unfit(f"has {len(source):,} characters, and a template may have {MOST_SOURCE:,}")
    try:
        tree = env.parse(source)
    except TemplateSyntaxError as error:
        said = error.message or "it cannot be read"
        raise Unfit(f"is no template at character {_place(env, source)}: {said}") from None
    for node in _inside(tree):
        if not isinstance(node, _TAKEN):
            kind = type(node).__name__.lower()
            raise Unfit(
                f"may not use {kind} (line {node.lineno} of the template): it takes values, if, ~ and +"
            )
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            at = source.find(node.name) + 1
            raise Unfit(
                f"has no filter {node.name} (character {at}): known are {', '.join(sorted(_FILTERS))}"
            )
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise Unfit(f"may not ask for {node.attr} (character {source.find(node.attr) + 1})")
    return tree


def _place(env: ImmutableSandboxedEnvironment, source: str) -> int:
    """The character, from 1, of the first piece that cannot be read by itself; the last one where all can."""
    last = 1
    for piece in _PIECE.finditer(source):
        if piece[0].startswith("{{"):
            last = piece.start() + 1
            try:
                env.parse(piece[0])
            except TemplateSyntaxError:
                return last
    rest = [found.start() + 1 for found in re.finditer(r"\{\{|\{%|\}\}", _PIECE.sub(_blank, source))]
    return rest[0] if rest else last


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _inside(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for one in node.iter_child_nodes():
        yield from _inside(one)


def _names(tree: nodes.Node) -> Iterator[tuple[str, str]]:
    """Each name that is taken from outside, with the attribute asked of it, or an empty one."""
    if isinstance(tree, nodes.Getattr) and isinstance(tree.node, nodes.Name):
        yield tree.node.name, tree.attr
        return
    if isinstance(tree, nodes.Name):
        yield tree.name, ""
    for one in tree.iter_child_nodes():
        yield from _names(one)


def filled(structure: Any, values: Mapping[str, Any]) -> Any:
    """A structure with every template in it filled in; what is `omit` is left out with its key."""
    if isinstance(structure, str):
        return compiled(structure).made(values)
    if isinstance(structure, Mapping):
        made = {key: filled(one, values) for key, one in structure.items()}
        return {key: one for key, one in made.items() if one is not OMIT}
    if isinstance(structure, list | tuple):
        return [one for one in (filled(each, values) for each in structure) if one is not OMIT]
    return structure
