"""What of an event is text, and what stays of it when its texts go: states, codes, times and ids.

Folds need facts, people wrote texts. A redaction wipes an event's data and keeps the facts in the `redacted`
event, so the incident still folds. Pure.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, get_origin

from pydantic import BaseModel, ValidationError

from register.core import EVENTS, Event
from register.words import SPOKEN, UNSPACED

GONE: Final = "(redacted)"
"""What stands where a title was: an incident has one."""
ERASED: Final = "(erased)"
"""What stands where somebody's name was, in what is still needed."""
_NAMES: Final = frozenset(
    {
        "service",
        "services",
        "rota",
        "rotas",
        "category",
        "team",
        "team_before",
        "source",
        "key",
        "on",
        "raw_state",
        "raw_priority",
        "their_priority",
        "ours",
        "theirs",
        "before",
        "url",
        "record",
    }
)
STRUCTURE: Final = frozenset(
    {"number", "bond", "vendor", "row_id", "op_id", "what", "how", "to", "by", "owner", "caller", "reporter"}
) | frozenset(
    {"allowed", "author", "person", "change_id", "change_ids", "alert", "leader", "recurrence_of", "digest"}
    | {"id", "media_type", "sha256", "label", "incident", "lane", "kind", "sent"}
    | {"clock", "mark", "done", "nudged", "version", "channel"}
    | {"policy", "targets", "suppliers", "run"}
)
"""Fields of plain text by which events and rows point to each other: they stay whatever they say."""
FACTS: Final = STRUCTURE | _NAMES
"""Fields of plain text that are no free text: these, and what owns, counts or relates by its name."""
_FREE: Final = frozenset((*SPOKEN, "why", "because", "filter", "name"))
"""What people or suppliers wrote as they liked: it goes even where it looks like an id, as a key can."""
_TYPED: Final = frozenset({"to", "number"})
"""Structure that a person types where it is of another system: only an id of ours is no text in it."""
_UNBOUNDED: Final = re.compile(rf"[{UNSPACED}\uac00-\ud7a3]")
"""Signs beside which a word need not end: scripts without spaces, and one that puts endings behind names."""
_UNSEEN: Final = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u2060-\u206f\ufeff]")
"""Signs that nobody sees, as a hyphen for where a line may end: a name with one in it is that name still."""
_ID: Final = re.compile(r"(?:INC-|p)[1-9][0-9]{0,8}|[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{64}")
_RECORD: Final = re.compile(r"[a-z0-9_-]+|\S*[0-9]\S*")
"""What somebody waits on that is a record, acme or CHG-7: anything else may be a person's name."""
_INSTEAD: Final = {"payload": "{}", "title": GONE, "to": GONE, "url": ""}

Change = Callable[[str, str], str | None]
"""From a field's name and its text to the text that takes its place. None: nobody; of several, one less."""


def event_of(kind: str, v: int, data: str) -> Event | None:
    """Return an event as it can be read here, or None."""
    known = EVENTS.get((kind, v))
    if known is None:
        return None
    try:
        return known.model_validate_json(data)
    except ValidationError:
        return None


def changed(event: Event, change: Change) -> Event:
    """Return the event with its texts changed; the same one where nothing changes."""
    updates = _updates(event, change)
    if not updates:
        return event
    other = event.model_copy(update=updates)
    return type(event).model_validate_json(other.model_dump_json())


def without_texts(name: str, text: str) -> str:
    """A change: every free text goes; facts and ids stay."""
    if not text or (name not in _FREE and _ID.fullmatch(text)):
        return text
    if name in FACTS and (name not in ("on", "to") or _RECORD.fullmatch(text)):
        return text
    return _INSTEAD.get(name, "")


def without_people(name: str, text: str) -> str | None:
    """A change: free texts go, and with them who called, who may see it, and on whom it waits."""
    if name in ("caller", "allowed"):
        return None
    return "" if name == "on" else without_texts(name, text)


def without(quoted: Quoted, stream: str) -> Change:
    """Return a change: each text that quotes somebody goes whole; ids by which things are found stay.

    An alert's key stays one that no other incident of its service has.
    """

    def change(name: str, text: str) -> str | None:
        stays = name in STRUCTURE and (name not in _TYPED or _ID.fullmatch(text))
        if not text or stays or not quoted.in_text(text):
            return text
        if name == "key":
            return f"(redacted {stream})"
        return _INSTEAD.get(name, GONE if name in FACTS else "")

    return change


def has_text(event: Event) -> bool:
    """Whether there is any free text in it."""
    return changed(event, without_texts) is not event


def _updates(model: BaseModel, change: Change) -> dict[str, Any]:
    found = {}
    for name in type(model).model_fields:
        before = getattr(model, name)
        if name in _coded(type(model)):
            continue
        after = _changed_value(name, before, change)
        if after is not before:
            found[name] = after
    return found


def _changed_value(name: str, value: Any, change: Change) -> Any:
    """Return what takes a value's place; the very same one where nothing changes."""
    if isinstance(value, str) and not isinstance(value, Enum):
        text = change(name, value)
        return value if text == value else text
    if isinstance(value, BaseModel):
        updates = _updates(value, change)
        return value.model_copy(update=updates) if updates else value
    if is_dataclass(value) and not isinstance(value, type):
        told = {one.name: getattr(value, one.name) for one in fields(value)}
        after = {key: _changed_value(key, was, change) for key, was in told.items()}
        moved = {key: now for key, now in after.items() if now is not told[key]}
        return replace(value, **moved) if moved else value
    if isinstance(value, (tuple, list)):
        each = [_changed_value(name, one, change) for one in value]
        same = all(after is before for after, before in zip(each, value, strict=True))
        return value if same else type(value)(one for one in each if one is not None)
    if isinstance(value, Mapping):
        mapped = {key: _changed_value(str(key), one, change) for key, one in value.items()}
        return value if all(mapped[key] is value[key] for key in value) else mapped
    return value


@cache
def _coded(model: type[BaseModel]) -> frozenset[str]:
    """Return the fields that can only be one of a few words."""
    return frozenset(
        name for name, one in model.model_fields.items() if get_origin(one.annotation) is Literal
    )


class Quoted:
    """Somebody's names, as they are found in texts: as words of their own, whatever the capitals."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(name for name in map(_folded, names) if name.strip()))
        self._pattern = re.compile("|".join(map(_as_words, self.names))) if self.names else None
        self._hints = tuple(max(name.split(), key=len) for name in self.names)

    def in_text(self, text: str) -> bool:
        """Whether the text quotes them."""
        folded = _folded(text)
        if self._pattern is None or not any(hint in folded for hint in self._hints):
            return False
        return self._pattern.search(folded) is not None

    def taken_out(self, text: str) -> str:
        """Return the text with something else in their place; nothing of it where that cannot be done."""
        if not self.in_text(text) or self._pattern is None:
            return text
        plain = unicodedata.normalize("NFKC", text)
        rest = re.sub(self._pattern.pattern, ERASED, plain, flags=re.IGNORECASE)
        return ERASED if self.in_text(rest) else rest

    def in_json(self, data: str) -> bool:
        """Whether any text in this JSON quotes them, keys among them. Quick where none does."""
        folded = _folded(data)
        if not any(hint in folded or not hint.isalnum() for hint in self._hints):
            return False  # a sign may be written in another way in JSON; letters and digits are not
        try:
            return any(self.in_text(text) for text in _texts(json.loads(data)))
        except ValueError:
            return self.in_text(data)


def _as_words(name: str) -> str:
    """Return the pattern of a name that stands as words of its own, where its script has such."""
    first, last = ("" if _UNBOUNDED.match(sign) else edge for sign, edge in _edges(name))
    return first + r"\s+".join(re.escape(word) for word in name.split()) + last


def _edges(name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (name.strip()[0], r"(?<!\w)"), (name.strip()[-1], r"(?!\w)")


def is_short(name: str) -> bool:
    """Whether it has too few signs to be looked for: it stands in half of all words."""
    signs = name.strip()
    return len(signs) < (2 if all(map(_UNBOUNDED.match, signs)) else 3)


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
        if value[:1] in "{[":  # JSON kept as a text
            try:
                inner = json.loads(value)
            except ValueError:
                return
            yield from _texts(inner)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
