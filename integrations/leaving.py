"""The courier's own look at what it is about to send: what may not leave any more does not.

The register lets out what may leave when it is asked for. Until it is sent, an incident may be restricted,
a quoted note redacted, a file taken away, and vendors.toml may let less out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from integrations.vendor import Vendor
from register.core import Command
from register.incident import Label
from register.leaving import May, Receives, cleared
from register.store.leaving import Stands
from register.store.outbox import Sending
from register.topics.delivery import FailSending
from register.topics.letting_out import title_as
from register.topics.nudging import LetGo

_TEXTS: Final = ("title", "body", "note", "name")
_SAYS_NOTHING: Final = frozenset({"transition", "priority"})
"""Kinds that tell of no more than their ticket when their note is left out."""


def as_it_may_leave(row: Sending, vendor: Vendor, stands: Stands) -> tuple[Sending, Command | None]:
    """Return a row as it may leave, and what is to be said where it may not."""
    if stands.over:
        return row, LetGo(row_id=row.row_id, why="what it was to remind of is over")
    row = _without_words(row, vendor, stands)
    why = stopped(row, vendor, stands)
    return row, None if why is None else FailSending(row_id=row.row_id, tries=row.tries, why=why)


def _without_words(row: Sending, vendor: Vendor, stands: Stands) -> Sending:
    """Of a restricted incident, a change of state goes without its note."""
    if not _is_hidden(vendor.receives, stands) or row.kind != "transition":
        return row
    return replace(row, payload=orjson.dumps(orjson.loads(row.payload) | {"note": ""}).decode())


def stopped(row: Sending, vendor: Vendor, stands: Stands) -> str | None:
    """Return why this may not leave any more, as a sentence, or None."""
    receives, told = vendor.receives, orjson.loads(row.payload)
    if _is_hidden(receives, stands) and row.kind not in _SAYS_NOTHING:
        why = f"{row.incident} was restricted, and {vendor.name} may receive nothing of such."
    elif stands.wiped:
        why = "What it quotes was redacted since."
    else:
        found = _BY_KIND.get(row.kind, _text)(told, receives, stands) or _lets_less(row, told, receives)
        if found is None:
            return None
        why = found
    return f"Not sent: {why} Drop it, or mend that and try again."


def _is_hidden(receives: Receives, stands: Stands) -> bool:
    return stands.restricted and not receives.lets(May.RESTRICTED)


def _text(told: Mapping[str, Any], receives: Receives, stands: Stands) -> str | None:
    return None


def _create(told: Mapping[str, Any], receives: Receives, stands: Stands) -> str | None:
    return _quoting(told, receives, May.TIMELINE, "notes")


def _comment(told: Mapping[str, Any], receives: Receives, stands: Stands) -> str | None:
    return _quoting(told, receives, May.FORWARDS, "other suppliers' words")


def _quoting(told: Mapping[str, Any], receives: Receives, kind: May, what: str) -> str | None:
    if "quotes" in told and not receives.lets(kind):
        return f"It quotes {what}, which they may not receive any more (vendors.toml)."
    return None


def _attach(told: Mapping[str, Any], receives: Receives, stands: Stands) -> str | None:
    if stands.label == "":
        return f"{told['name']} was taken away from the incident since."
    if stands.label not in (None, Label.SHAREABLE):
        return f"{told['name']} is {stands.label} by now."
    if not receives.lets(May.FILES):
        return "They may receive no files any more (vendors.toml)."
    if told["size"] > receives.most_bytes:
        return f"It has {told['size']:,} bytes, and they take {receives.most_bytes:,} by now (vendors.toml)."
    return None


_BY_KIND: Final[Mapping[str, Callable[[Mapping[str, Any], Receives, Stands], str | None]]] = MappingProxyType(
    {"create": _create, "comment": _comment, "attach": _attach}
)


def _lets_less(row: Sending, told: Mapping[str, Any], receives: Receives) -> str | None:
    """Whether a text would lose something today that it still has."""
    if "title" in told and title_as(row.incident, told["title"], receives) != told["title"]:
        return "They may not receive the incident's title as it is any more (vendors.toml)."
    for name in _TEXTS:
        removed = cleared(str(told.get(name, "")), receives).removed
        if removed:
            return f"They may not receive all of it any more: {'; '.join(map(str, removed))}."
    return None
