"""The forms in which a person decides: about a card on an incident, or about one sending of the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from register.plain import one_line
from tui.detail import wrapped
from tui.forms import build
from tui.messages import Row
from tui.outbox import Sent
from tui.screens.engage import Engaging
from tui.screens.form import Form
from tui.signs import Signs, plain
from tui.suppliers import Suppliers, nearest_first, what_they_get

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


def engaging(
    verb: Verb, row: Row, suppliers: Suppliers, asked: str, send: Verb | None, ask: Callable[[str], str]
) -> Engaging:
    """Return what the dialog of engaging a supplier is about.

    send: the verb that sends a file, where whoever sits here may. ask: makes the word it is asked with.
    """
    number, along = row["number"], suppliers.along

    def make(vendor: str, message: str, again: bool, timeline: bool) -> Any:
        answers = {"vendor": vendor, "message": message, "again": again, "timeline": timeline}
        made = build(verb.command, {"target": number}, answers, datetime.now(UTC))
        return made[0].why if isinstance(made, tuple) else made

    def files(vendor: str) -> list[tuple[Any, str]]:
        given = ({"target": number, "file": file, "vendor": vendor} for file in along.files)
        return [] if send is None else [(send.command.model_validate(one), ask("send")) for one in given]

    return Engaging(
        asked=asked,
        number=number,
        suppliers=nearest_first(suppliers.known, row["service"]),
        make=make,
        preview=lambda one, said, notes: what_they_get(row, one, said, along.notes if notes else ()),
        files=files,
        along=along,
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
