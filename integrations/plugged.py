"""Connectors of others: what installed distributions offer by the entry-point group `muster.connectors`.

Each is loaded when a vendor of its kind is read, or all of them are listed, and no sooner. One that does not
load is told by its distribution and hurts nothing but the suppliers that need it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from integrations.connector import Cap, Info
from integrations.systems import SYSTEMS
from register.adoption import BY_HAND
from register.text import Slug, clip, one_line

if TYPE_CHECKING:
    from integrations.vendor import System

GROUP: Final = "muster.connectors"
_SLUG: Final = TypeAdapter[str](Slug)
_METHODS: Final = ("check", "create", "get", "headers")


class PluginBroken(Exception):
    """An installed connector that cannot be used; its words name the distribution, and what to do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one entry point offers. fault: why it cannot be used, and what to do; else empty."""

    kind: str
    by: str
    system: System | None
    fault: str = ""


def kinds() -> tuple[str, ...]:
    """The kinds of system that are offered under a name that may be had. Loads none of them."""
    return tuple(sorted(kind for kind in _by_kind() if not _name_fault(kind)))


def plugged(kind: str) -> System:
    """The class of an installed connector; KeyError where none is called so, PluginBroken where it fails."""
    if kind not in kinds():
        raise KeyError(kind)
    fault, found = _loaded(kind)
    if found is None:
        raise PluginBroken(fault)
    return found


def offers() -> tuple[Offer, ...]:
    """All that is offered, each loaded, the broken ones too."""
    found = []
    for kind, points in sorted(_by_kind().items()):
        by = ", ".join(map(_by, points))
        if taken := _name_fault(kind):
            found.append(Offer(clip(one_line(kind), 40), by, None, f"{by} {taken}"))
        else:
            fault, system = _loaded(kind)
            found.append(Offer(kind, by, system, fault))
    return tuple(found)


def forget() -> None:
    """Look anew: for tests, which install something."""
    _by_kind.cache_clear()
    _loaded.cache_clear()


@functools.cache
def _by_kind() -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _by(point: EntryPoint) -> str:
    """The distribution that it came with, and its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "a package without a name"


def _name_fault(kind: str) -> str:
    if kind in SYSTEMS or kind == BY_HAND:
        return (
            f"offers a connector {kind}, which is Muster's own name: Muster's is used. Theirs needs another"
        )
    try:
        _SLUG.validate_python(kind)
    except ValidationError:
        return "offers a connector whose name is none: lower-case letters, digits, - and _, at most 40"
    return ""


@functools.cache
def _loaded(kind: str) -> tuple[str, System | None]:
    """Why it cannot be used, or its class."""
    points = _by_kind()[kind]
    if len(points) > 1:
        return f"{' and '.join(map(_by, points))} both offer it: uninstall all but one", None
    try:
        system = points[0].load()
    except Exception as error:  # whatever a stranger's module does when it is imported
        why = f"does not load ({type(error).__name__}: {clip(one_line(str(error)), 200)})"
    else:
        lacks = ", ".join(_lacks(kind, system))
        if not lacks:
            return "", system
        why = f"is no connector: it lacks {lacks}"
    return f"{_by(points[0])}, which offers it, {why}. Install another version of it, or uninstall it", None


def _lacks(kind: str, system: Any) -> Iterable[str]:
    """What of the contract a class has not; the conformance suite measures whether it keeps it."""
    info = getattr(system, "info", None)
    if not isinstance(info, Info):
        yield "`info`"
        return
    if info.kind != kind:
        yield f'the kind "{kind}" in its `info`'
    if not (isinstance(info.config, type) and issubclass(info.config, BaseModel)):
        yield "a model of its configuration"
    needed = (*_METHODS, *(("hooks",) if Cap.WEBHOOK in info.caps else ()))
    yield from (f"`{name}`" for name in needed if not callable(getattr(system, name, None)))
