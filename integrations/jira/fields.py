"""What a field of Jira's is given: each kind takes its value in a shape of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from integrations.errors import Rejected
from integrations.fitting import fitting
from integrations.jira.wire import Screen
from integrations.markup.formats import TextFormat, signed
from register.text import one_line

MOST: Final = 32_767
"""Characters of a text; what is longer Jira refuses."""
_NAMED: Final = frozenset({"resolution", "priority", "issuetype", "version", "component", "securitylevel"})


def told(fields: Mapping[str, str]) -> dict[str, Any]:
    """Our words in the fields that vendors.toml names, as `customfield_10050:option`."""
    return dict(_told(name, word) for name, word in fields.items())


def _told(name: str, word: str) -> tuple[str, Any]:
    key, _, kind = name.partition(":")
    if key == "issuetype":
        return key, {"name": word}
    if key == "components":
        return key, [{"name": word}]
    if kind == "option":
        return key, {"value": word}
    if kind == "options":
        return key, [{"value": word}]
    return key, _number(key, word) if kind == "number" else word


def _number(key: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        pass
    raise Rejected(f"{key} takes a number there, and {one_line(word)} is none: nothing was sent.")


def _named(allowed: Any) -> str:
    """A value that a field takes, by its name: most are objects, some plain words."""
    if isinstance(allowed, Mapping):
        return str(allowed.get("name") or allowed.get("value") or "")
    return str(allowed)


def on_screen(field: str, screen: Screen, word: str) -> Any:
    """A word as a transition's screen takes it; Rejected with what it takes, where it is none of these."""
    kind, items = screen.field_schema.get("type"), screen.field_schema.get("items")
    known = [_named(one) for one in screen.allowedValues or ()]
    if screen.allowedValues is not None and word not in known:
        words = ", ".join(map(one_line, known))
        raise Rejected(
            f"{one_line(screen.name) or field} does not take {one_line(word)} there, but {words}:"
            " nothing was sent. Mend `close` in vendors.toml."
        )
    if kind in _NAMED:
        return {"name": word}
    if kind == "option":
        return {"value": word}
    if kind == "array":
        return [{"name": word} if items in _NAMED else {"value": word} if items == "option" else word]
    return _number(field, word) if kind == "number" else word


def words_of(vendor: str, body: str, op_id: str, how: TextFormat) -> Any:
    """Our text under our operation id; Rejected where it is longer than Jira takes."""
    wiki = (
        signed(body, op_id, TextFormat.JIRA)
        if how is TextFormat.JIRA
        else signed(body, op_id, TextFormat.TEXT)
    )
    fitting(vendor, wiki, MOST, " with its footer")
    return signed(body, op_id, how)
