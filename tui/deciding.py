"""The forms in which a person decides: about a card on an incident, or about one sending of the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from register.plain import one_line
from tui.detail import wrapped
from tui.outbox import Sent
from tui.screens.form import Form
from tui.signs import Signs, plain

if TYPE_CHECKING:
    from tui.cards import Card, Way
    from tui.verbs import Verb

_WIDE: Final = 78
"""Cells of a line within a form at 80 columns."""


def card_form(verb: Verb, number: str, card: Card, way: Way, asked: str, signs: Signs) -> Form:
    """Return the verb's own form, with what the card knows filled in."""
    given: dict[str, Any] = {name: card.facts[name] for name in way.given}
    return Form(
        asked=asked,
        title=plain(verb.title(number), signs),
        command=verb.command,
        given={"target": number, **given} if verb.needs_incident else given,
        save="Yes",
        above=(*wrapped(one_line(card.says), _WIDE, "", most=3), *wrapped(verb.help, _WIDE, "dim", most=2)),
        defaults={name: text.format_map(card.facts) for name, text in way.starts.items()},
    )


def sending_form(verb: Verb, row: Sent, given: Mapping[str, Any], asked: str) -> Form:
    """Return the form about one sending: adopting needs a number, the others ask for nothing more."""
    return Form(
        asked=asked,
        title=f"{verb.name.capitalize()}: {row.what} for {row.number} to {row.vendor}",
        command=verb.command,
        given={key: value for key, value in given.items() if key in verb.command.model_fields},
        save="Yes",
        ground=((f" {verb.help}", "dim"),),
    )
