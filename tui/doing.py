"""From a key to a command: what is done at once, what opens a form, and what is said when it is over."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from register.plain import one_line
from register.pressing import hidden
from register.provisional import is_provisional
from tui.door import Door
from tui.messages import Done, Refused, Row, SuppliersRead
from tui.model import Model
from tui.outbox import Sent
from tui.signs import plain
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.cards import Card, Way
    from tui.suppliers import Suppliers
    from tui.verbs import Verb

Push = Callable[["Screen[None]"], object]
Say = Callable[[str, str], object]

OVERRIDE: Final = "oncall-override"
HANDS_OFF: Final = 1.0
"""Seconds after the incident under the cursor left by itself in which a key does nothing at once."""


class Doing:
    """Turns keys into commands. Forms and their drafts live here; the app shows the screens."""

    def __init__(self, model: Model, door: Door, push: Push, say: Say) -> None:
        self._model = model
        self._door = door
        self._push = push
        self._say = say
        self._verbs: dict[str, Verb] = {}
        self._drafts: dict[tuple[str, str], dict[str, Any]] = {}
        self._count = itertools.count(1)
        self._waiting: dict[str, tuple[str, Callable[[Suppliers], None]]] = {}
        self.under_way: dict[str, str] = {}  # asked → the verb, until the register has answered

    def offer(self, verbs: Sequence[Verb]) -> None:
        """These verbs work from now on."""
        self._verbs = {verb.name: verb for verb in verbs}

    def has(self, name: str) -> bool:
        return name in self._verbs

    def ask(self, name: str, number: str | None, moved_at: float = 0.0) -> None:
        """A key for this verb was pressed with the cursor on `number`.

        moved_at: monotonic time at which the incident that was there before left by itself.
        """
        from tui.verbs import Way

        verb = self._verbs.get(name)
        if verb is None:
            self._say("The register is not open yet: a moment.", "warn")
            return
        if verb.needs_incident and number is None:
            self._say("There is no incident under the cursor.", "warn")
            return
        target = number if verb.needs_incident else None
        if is_provisional(target) and not verb.command.keeps:
            self._say(f"{target} is not in the register yet: until then it can only be noted on.", "warn")
            return
        if verb.way is Way.AT_ONCE:
            if time.monotonic() - moved_at < HANDS_OFF:
                self._say(
                    "The incident under the cursor has just left the board: look, then press again.", "warn"
                )
                return
            self.give(verb.command.model_validate({"target": target}), self._asked(name))
        elif verb.way is Way.ENGAGE:
            self._with_suppliers(lambda some: self._engage(verb, target or "", some), target or "")
        elif verb.way is Way.REPLY:
            self._with_suppliers(lambda some: self._reply(verb, target or "", some))
        elif verb.way is Way.CALL:
            self._with_suppliers(lambda some: self._call(verb, target or "", some))
        else:
            self._form(verb, target)

    def give(self, command: Any, asked: str) -> None:
        """Hand a command to the register."""
        self.under_way[asked] = asked.split(":")[0]
        self._door.do(command, asked)

    def _asked(self, name: str) -> str:
        return f"{name}:{next(self._count)}"

    def _draft(self, name: str, target: str | None) -> dict[str, Any]:
        return self._drafts.setdefault((name, target or ""), {})

    # Forms

    def _form(self, verb: Verb, target: str | None) -> None:
        from tui.screens.form import Form, FormScreen
        from tui.verbs import log_hint

        signs, zone = self._model.signs, self._model.zone
        row = self._model.live.row(target) if target else None
        form = Form(
            asked=self._asked(verb.name),
            title=plain(verb.title(target), signs),
            command=verb.command,
            given=_given(verb, target, row),
            ground=_ground(row),
            hint=log_hint(zone, signs.to, self._model.timeline)
            if {"impact", "urgency"} <= set(verb.command.model_fields)
            else None,
        )
        self._push(FormScreen(form, self._draft(verb.name, target), signs))

    # Suppliers

    def _with_suppliers(self, then: Callable[[Suppliers], None], about: str = "") -> None:
        asked = self._asked("suppliers")
        self._waiting[asked] = ("", then)
        self._door.read_suppliers(asked, about)

    def suppliers_read(self, event: SuppliersRead) -> None:
        """vendors.toml was read: go on with what waited for it."""
        _, then = self._waiting.pop(event.asked, ("", None))
        if then is None:
            return
        if event.suppliers.faults:
            self._say(one_line(event.suppliers.faults[0]), "bad")
        else:
            then(event.suppliers)

    def _engage(self, verb: Verb, number: str, suppliers: Suppliers) -> None:
        from tui.deciding import engaging
        from tui.screens.engage import EngageScreen

        row = self._model.live.row(number)
        if not suppliers.known:
            self._say("No supplier is adopted: write vendors.toml, then `muster apply`.", "warn")
            return
        if row is None:
            self._say(f"{number} is not open any more.", "warn")
            return
        send = self._verbs.get("send")
        form = engaging(verb, row, suppliers, self._asked(verb.name), send, self._asked)
        self._push(EngageScreen(form, self._draft(verb.name, number), self._model.signs))

    def _reply(self, verb: Verb, number: str, suppliers: Suppliers) -> None:
        from tui.screens.form import Form, FormScreen

        row = self._model.live.row(number)
        vendors = [bond[0] for bond in row["bonds"]] if row else []
        if not vendors:
            self._say(f"No supplier works on {number} yet: v engages one.", "warn")
            return
        vendor = vendors[0]
        known = suppliers.named(vendor)
        where = "PRODUCTION" if known is None or known.production else "test"
        goes = one_line(known.title if known else vendor).upper()
        how = known.goes if known is not None else "GOES TO"
        form = Form(
            asked=self._asked(verb.name),
            title=f"Reply about {number}   {how} {goes} ({where})",
            command=verb.command,
            given={"target": number, "vendor": vendor} if len(vendors) == 1 else {"target": number},
            save="Send",
            ground=_ground(row),
            defaults={"vendor": vendor},
        )
        self._push(FormScreen(form, self._draft(verb.name, number), self._model.signs))

    def _call(self, verb: Verb, number: str, suppliers: Suppliers, vendor: str = "") -> None:
        """Whom to call, by supplier and level, above the form in which the call is logged."""
        from tui.screens.form import Form, FormScreen

        row = self._model.live.row(number)
        engaged = [bond[0] for bond in row["bonds"]] if row else []
        vendors = [vendor] if vendor else list(dict.fromkeys(engaged))
        if not vendors:
            self._say(f"No supplier works on {number} yet: v engages one.", "warn")
            return
        form = Form(
            asked=self._asked(verb.name),
            title=verb.title(number),
            command=verb.command,
            given={"target": number} | ({"vendor": vendors[0]} if len(vendors) == 1 else {}),
            ground=_ground(row),
            above=tuple(line for vendor in vendors for line in _to_call(vendor, suppliers)),
            defaults={"vendor": vendors[0]},
        )
        self._push(FormScreen(form, self._draft(verb.name, number), self._model.signs))

    # The outbox

    def about_sending(self, name: str, row: Sent) -> None:
        """A key was pressed about one sending."""
        name = "handed" if row.by_hand and name == "adopt" else name
        verb = self._offered(name)
        if verb is not None:
            from tui.deciding import sending_form
            from tui.screens.form import FormScreen

            form = sending_form(verb, row, self._door.about_sending(row), self._asked(name))
            self._push(FormScreen(form, self._draft(name, row.row_id), self._model.signs))

    def pause(self, vendor: str, *, paused: bool) -> None:
        """Hold a supplier back, or let it go on; the reason is asked for."""
        self._about("unpause" if paused else "pause", "vendor", vendor, save="Yes")

    def override(self, rota: str) -> None:
        """Put somebody on call by a rota, or take somebody off."""
        self._about(OVERRIDE, "rota", rota)

    def _about(self, name: str, field: str, value: str, save: str = "Save") -> None:
        """The form of a verb that is about no incident, but about this."""
        verb = self._offered(name)
        if verb is not None:
            from tui.screens.form import Form, FormScreen

            title, ground = f"{verb.title(None)}: {value}", ((f" {verb.help}", "dim"),)
            form = Form(self._asked(verb.name), title, verb.command, {field: value}, save, ground)
            self._push(FormScreen(form, self._draft(verb.name, value), self._model.signs))

    # Cards

    def about_card(self, number: str, card: Card, way: Way) -> None:
        """A key of a card was pressed: the verb's form opens, with what the card knows filled in."""
        verb = self._offered(way.verb)
        if verb is None:
            return
        from tui.deciding import card_form
        from tui.screens.form import FormScreen
        from tui.verbs import Way as How

        if verb.way is How.CALL:
            self._with_suppliers(lambda some: self._call(verb, number, some, card.facts["vendor"]))
            return
        form = card_form(verb, number, card, way, self._asked(verb.name), self._model.signs)
        self._push(FormScreen(form, self._draft(verb.name, f"{number} {card.mark}"), self._model.signs))

    def _offered(self, name: str) -> Verb | None:
        """A verb, where whoever sits here may use it; else it is said why not."""
        verb = self._verbs.get(name)
        if verb is None:
            self._say(why_not(name, self._model), "warn")
        return verb

    # What came of it

    def done(self, event: Done) -> None:
        name = self.under_way.pop(event.asked, event.verb)
        verb = self._verbs.get(name)
        if event.said:
            self._say(event.said, "warn")
        elif verb is not None:
            self._say(verb.said(event.number), "good")

    def refused(self, event: Refused) -> None:
        self.under_way.pop(event.asked, None)
        self._say(one_line(event.why), "bad")


def why_not(name: str, model: Model) -> str:
    """Why a verb is not offered to whoever sits here."""
    from tui.verbs import role_for

    if model.as_of is not None:
        return "This board shows the past: nothing can be decided on it. Leave --as-of away to work."
    if not model.role:
        return "The register is not open yet: a moment."
    return f"That takes the role {role_for(name)}; you are {model.role}. Nothing was done."


def _given(verb: Verb, target: str | None, row: Row | None) -> dict[str, Any]:
    """What need not be asked: the incident, and what becomes of suppliers where none is engaged."""
    given: dict[str, Any] = {"target": target} if target else {}
    if "theirs" in verb.command.model_fields and row is not None and not row.get("bonds"):
        given["theirs"] = None
    return given


def _to_call(vendor: str, suppliers: Suppliers) -> list[Line]:
    known = suppliers.named(vendor)
    contacts = known.contacts if known is not None else ()
    if not contacts:
        told = "no contact of theirs is in vendors.toml (phone, or contacts)"
        return [((f" {vendor}: ", "strong"), (told, "dim"))]
    first, *others = (one_line(contact) for contact in contacts)
    indent = " " * (len(vendor) + 3)
    return [((f" {vendor}: ", "strong"), (first, "")), *(((f"{indent}{one}", ""),) for one in others)]


def _ground(row: Row | None) -> tuple[tuple[str, str], ...]:
    """Return the line under a form's title: which incident it is about."""
    if row is None:
        return ()
    if hidden(row):
        return ((f" {row['number']}  restricted", "dim"),)
    return ((f" {row['number']}  P{row['p']}  {one_line(row['title'])}", "dim"),)
