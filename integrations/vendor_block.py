"""A new block for vendors.toml: commented, valid, and made of the models that read it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from integrations.oauth.config import OAuth2
from integrations.systems import SYSTEMS
from integrations.vendor import Block, ByHand, system
from register.adoption import BY_HAND
from register.plain import one_line

BY_DESCRIPTION: Final = "rest"
"""Such a block is made of requests that only who knows the system can write: docs/rest.md."""
KINDS: Final = (*(kind for kind in SYSTEMS if kind != BY_DESCRIPTION), BY_HAND)
"""Muster's own; `kinds()` are these and what others installed."""
_TOLD: Final = (
    "connector",
    "title",
    "url",
    "environment",
    "auth",
    "phone",
    "services",
    "p1",
    "poll_seconds",
    "on_resolved",
)
"""Keys that every new block shows, in this order; the others hold on by their defaults."""
_NOT_BY_HAND: Final = frozenset({"auth", "poll_seconds", "on_resolved"})


def kinds() -> tuple[str, ...]:
    """Every kind of system that a block may name."""
    from integrations.plugged import kinds as installed

    return (*KINDS, *installed())


def config_of(kind: str) -> type[BaseModel]:
    """The model of a connector's own keys; KeyError where there is none of that kind."""
    return ByHand if kind == BY_HAND else system(kind).info.config


def required_of(kind: str, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the connector's own keys that must be said, as others are given, each with what it means."""
    fields = config_of(kind).model_fields.items()
    return {name: field.description or "" for name, field in fields if _is_needed(field, given or {})}


def _is_needed(field: FieldInfo, given: Mapping[str, str]) -> bool:
    """Whether it has no default; or may be left out only where another key has a certain value."""
    more = field.json_schema_extra
    unless = more.get("unless") if isinstance(more, dict) else None
    if not isinstance(unless, dict):
        return field.is_required()
    return all(given.get(key) != value for key, value in unless.items())


def _is_unused(field: FieldInfo, own: Mapping[str, Any]) -> bool:
    """Whether it means nothing beside a value that another key has."""
    more = field.json_schema_extra
    beside = (more.get("unused") or more.get("unless")) if isinstance(more, dict) else None
    return isinstance(beside, dict) and all(own.get(key) == value for key, value in beside.items())


def value_of(kind: str, key: str, text: str) -> Any:
    """Return what somebody typed for a connector's own key; ValueError with a sentence where it cannot be."""
    model = config_of(kind)
    field = model.model_fields.get(key)
    if field is None:
        raise ValueError(f"{key} is no key of {kind}. Its own are: {', '.join(model.model_fields)}.")
    words = {"true": True, "false": False}
    tries: list[Any] = [text]
    if text.isascii() and text.isdigit():
        tries.append(int(text))
    if text in words:
        tries.insert(0, words[text])  # text is taken for a switch as well, and would be written as text
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    why = ""
    for one in tries:
        try:
            adapter.validate_python(one)
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
        else:
            return one
    raise ValueError(f"{key} cannot be {one_line(text)!r}: {why}.")


def block(name: str, common: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """Return `[vendor.NAME]` with a comment at each key. own: the connector's own keys."""
    kind = common["connector"]
    lines = [f"[vendor.{name}]"]
    tables: list[str] = []
    for key in _TOLD:
        if kind == BY_HAND and key in _NOT_BY_HAND:
            continue
        field = Block.model_fields[key]
        value = common.get(key, field.get_default(call_default_factory=True))
        if key == "url" and not value:
            continue
        lines.append(_line(key, value, _meaning(key, field)))
    for key, field in config_of(kind).model_fields.items():
        value = own.get(key, field.get_default(call_default_factory=True))
        if value is None or (field.is_required() and key not in own) or _is_unused(field, own):
            continue
        if isinstance(value, BaseModel) or (isinstance(value, Mapping) and not value):
            lines.append(f"# {key} = {{}}".ljust(44) + f" # {kind}: {field.description or ''}")
        elif isinstance(value, Mapping):
            if value:
                tables += ["", f"[vendor.{name}.{key}]  # {kind}: {field.description or ''}"]
                tables += [f"{_key(inner)} = {_value(one)}" for inner, one in value.items()]
        else:
            lines.append(_line(key, value, f"{kind}: {field.description or ''}"))
    tables += _oauth2(name, common.get("oauth2") or {})
    return "\n".join([*lines, *tables, ""])


def _oauth2(name: str, told: Mapping[str, str]) -> list[str]:
    """The table of how tokens are got, where they are."""
    if not told:
        return []
    fields = OAuth2.model_fields.items()
    lines = [_line(key, told.get(key, field.default), field.description or "") for key, field in fields]
    return ["", f"[vendor.{name}.oauth2]", *lines]


def _meaning(key: str, field: FieldInfo) -> str:
    if key == "connector":
        return f"the kind of its ticketing system: {', '.join(kinds())}"
    return field.description or ""


def _line(key: str, value: Any, means: str) -> str:
    return f"{f'{key} = {_value(value)}':<44} # {means}"


def _key(key: Any) -> str:
    return str(key.value) if isinstance(key, Enum) and isinstance(key.value, int) else _value(str(key))


def _value(value: Any) -> str:
    """A TOML value. JSON's strings are TOML's basic strings."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, ensure_ascii=False)
