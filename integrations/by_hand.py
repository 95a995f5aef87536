"""What a person is to say or paste where no system of a supplier's is spoken to: a card for each sending.

The engine never sends these: they wait in the outbox until somebody says that they were handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from integrations.connector import Theirs
from integrations.leaving import as_it_may_leave
from integrations.sending import in_words
from integrations.vendor import ByHand, Vendor
from register.incident import Priority
from register.store import Store
from register.store.leaving import PLAIN, stand
from register.store.outbox import Sending
from register.text import one_line


@dataclass(frozen=True, slots=True)
class Card:
    """reach: how they are reached. facts: what they ask for. say: the words. then: what to do next."""

    reach: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    say: str
    then: str

    def lines(self) -> list[str]:
        """The whole card, a line each."""
        told = [f"{name}: {value}" for name, value in self.facts]
        return [*self.reach, *told, "", *self.say.splitlines(), "", self.then]


def card_of(vendor: Vendor, row_id: str, number: str, kind: str, payload: str, key: str | None) -> Card:
    """The card for one sending. number: the incident's. key: their ticket's number, where it is known."""
    told: Mapping[str, Any] = orjson.loads(payload)
    facts: tuple[tuple[str, str], ...]
    if kind == "create":
        facts = (("Title", one_line(told["title"])), ("Priority", str(Priority(told["priority"]))))
        facts += tuple((one_line(name), one_line(value)) for name, value in told.get("fields", {}).items())
        then = (
            f"Ask for their number, then: muster outbox handed {row_id} --ticket NUMBER"
            " (--no-number where they give none)"
        )
    else:
        facts = (("Their ticket", key or "not known"),)
        then = f"When they have it: muster outbox handed {row_id}"
    return Card(_reach(vendor), (*facts, ("Our number", number)), _SAY[kind](told), then)


def card_now(store: Store, vendor: Vendor, row: Sending, key: str | None) -> Card:
    """The card as things stand now: what may not leave any more is not shown, and nobody is to say it."""
    row, stopped = as_it_may_leave(row, vendor, stand(store, [row]).get(row.row_id, PLAIN))
    card = card_of(vendor, row.row_id, row.incident, row.kind, row.payload, key)
    if stopped is None:
        return card
    why = str(stopped.given("why"))
    return Card(("NOT TO BE SAID",), (), why, f"Give it up: muster outbox drop {row.row_id}")


def _reach(vendor: Vendor) -> tuple[str, ...]:
    found = [f"Call {contact}" for contact in vendor.to_call]
    if vendor.url:
        found.append(f"Portal {vendor.url}")
    if isinstance(vendor.config, ByHand) and vendor.config.how:
        found += vendor.config.how.splitlines()
    return tuple(found)


def _transition(told: Mapping[str, Any]) -> str:
    return "\n".join(part for part in (told["note"], in_words(Theirs(told["to"]))) if part)


_SAY: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = MappingProxyType(
    {
        "create": lambda told: str(told["body"]),
        "comment": lambda told: str(told["body"]),
        "transition": _transition,
        "priority": lambda told: f"For us this is {Priority(told['priority'])} from now on.",
        "attach": lambda told: f"We have a file for them, {one_line(told['name'])}: agree on a way.",
    }
)
