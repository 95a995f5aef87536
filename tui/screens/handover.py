"""What whoever sits here hands over: a line for each incident, with a field for their words on it."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Key, Resize
from textual.screen import ModalScreen
from textual.widgets import Input

from register.plain import one_line
from tui.focus import TABS
from tui.forms import Mistake, build
from tui.handing_words import Eye, counted, head_of, under
from tui.messages import Done, Refused
from tui.model import Model
from tui.requests import CommandGiven, Opened
from tui.signs import plain
from tui.widgets.choice import Flag, Press, Submitted
from tui.widgets.lines import Line, Lines
from tui.widgets.why import Why

FIELDS: Final = 60
"""So many incidents have a field; those that are left go along without words."""
AROUND: Final = 9
"""Lines of the form beside its fields: frame, titles, what is wrong, button."""
WORDS: Final = "what you suspect, what to look at next"


class HandoverScreen(ModalScreen[None]):
    """A form whose rows are incidents. What is not ticked stays out of it."""

    CSS_PATH = "../styles/handover.tcss"
    BINDINGS: ClassVar = TABS
    AUTO_FOCUS: ClassVar[str] = "#field-to"

    def __init__(
        self,
        hands: Any,
        logins: tuple[str, ...],
        asked: str,
        draft: MutableMapping[str, Any],
        model: Model,
    ) -> None:
        """hands: a register.store.handing.Hands. logins: of who may be named. asked: as what it is given."""
        super().__init__()
        self._hands, self._logins, self._asked, self._draft = hands, logins, asked, draft
        self._model, self._signs = model, model.signs
        self._shown = hands.draft.lines[:FIELDS]
        self._saving = False
        self._given: tuple[dict[str, Any], Any] | None = None

    def compose(self) -> ComposeResult:
        eye = Eye.of(self._model)
        with Vertical(id="form"):
            yield Lines([((f" {self._title()}", "strong"),)], classes="line title")
            yield Lines([((" Until they accept it, pages go where they went.", "dim"),)], classes="line")
            with VerticalScroll(id="fields", can_focus=False):
                yield from self._row("to", "*To", f"a login: {', '.join(self._logins) or 'who takes over'}")
                yield Why(self._signs, id="why-to", classes="why")
                for rota, until in self._hands.shifts:
                    text = f"my shift by {one_line(rota)} until {eye.when(until)}: pages go to them"
                    yield self._flag(f"shift-{rota}", text, ticked=False)
                yield Why(self._signs, id="why-shift", classes="why")
                yield from self._row("note", " Note", "what they should know beside the incidents")
                yield Why(self._signs, id="why-note", classes="why")
                for one in self._shown:
                    yield from self._incident(one, eye)
                if len(self._hands.draft.lines) > FIELDS:
                    rest = len(self._hands.draft.lines) - FIELDS
                    yield Lines([((f" {rest} more go along, without words.", "dim"),)], classes="line")
            yield Why(self._signs, id="why-", classes="why")
            with Horizontal(classes="buttons"):
                yield Press("Offer", id="save")
                yield Lines(
                    [(("F2 or Enter in a line offers, Space ticks, Esc keeps", "dim"),)], classes="line keys"
                )

    def _title(self) -> str:
        lines = self._hands.draft.lines
        mine = sum(one.given for one in lines)
        rest = len(lines) - mine
        more = f"; {rest} more of the team are told of" if rest else ""
        return f"Hand over {counted(mine)}{more}"

    def _row(self, name: str, label: str, told: str) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Lines([((label, ""),)], classes="label")
            yield self._input(name, told)

    def _input(self, name: str, told: str) -> Input:
        value = str(self._draft.get(name, ""))
        return Input(value, placeholder=told, id=f"field-{name}", classes="field", compact=True)

    def _flag(self, name: str, text: str, *, ticked: bool) -> Flag:
        value = bool(self._draft.get(name, ticked))
        return Flag(plain(text, self._signs), value, id=f"field-{name}", classes="field")

    def _incident(self, one: Any, eye: Eye) -> ComposeResult:
        yield self._flag(f"with-{one.number}", head_of(one, eye), ticked=True)
        told: list[Line] = [((f"    {plain(text, self._signs)}", "dim"),) for text in under(one, eye)]
        if told:
            yield Lines(told, classes="known")
        with Horizontal(classes="row"):
            yield Lines([(("    >", "dim"),)], classes="mark")
            yield self._input(f"words-{one.number}", WORDS)

    def on_resize(self, event: Resize) -> None:
        """However many they are, the button stays in sight."""
        self.query_one("#fields").styles.max_height = max(3, event.size.height - AROUND)

    def on_mount(self) -> None:
        self.call_after_refresh(self.post_message, Opened())

    # What has been filled in

    def _values(self) -> dict[str, Any]:
        fields = (*self.query(Input), *self.query(Flag))
        return {(field.id or "").removeprefix("field-"): field.value for field in fields}

    def _answers(self) -> dict[str, Any]:
        values = self._values()
        numbers = [one.number for one in self._shown]
        within = [number for number in numbers if values[f"with-{number}"]]
        words = ((number, values[f"words-{number}"].strip()) for number in within)
        return {
            "to": values["to"].strip(),
            "note": values["note"],
            "edit": tuple({"number": number, "text": text} for number, text in words if text),
            "without": tuple(number for number in numbers if number not in within),
            "shift": tuple(rota for rota, _ in self._hands.shifts if values[f"shift-{rota}"]),
        }

    def save(self) -> None:
        """Give the offer to the app, or show what is wrong with it."""
        if self._saving:
            return
        answers = self._answers()
        if self._given is None or self._given[0] != answers:
            from register.topics.shift_offer import OfferHandover

            made = build(OfferHandover, {}, answers, datetime.now(UTC))
            if isinstance(made, tuple):
                self._show(made)
                return
            self._given = answers, made
        self._saving = True
        self._show(())
        self.post_message(CommandGiven(self._given[1], self._asked))

    def _show(self, mistakes: tuple[Mistake, ...]) -> None:
        told: dict[str, str] = {}
        for mistake in mistakes:
            known = mistake.field if mistake.field in ("to", "shift", "note") else ""
            told.setdefault(known, mistake.why)
        for name in ("", "to", "shift", "note"):
            self.query_one(f"#why-{name}", Why).tell(told.get(name, ""))
        if "to" in told:
            self.query_one("#field-to").focus()

    def keep(self) -> None:
        """Leave, and find it all again next time."""
        self._draft.update(self._values())
        self.dismiss()

    # What is told

    def on_done(self, event: Done) -> None:
        if event.asked == self._asked:
            self._draft.clear()
            self.dismiss()

    def on_refused(self, event: Refused) -> None:
        if event.asked == self._asked:
            self._saving = False
            self._show((Mistake(event.ask, event.why),))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.save()

    def on_submitted(self, event: Submitted) -> None:
        self.save()

    def on_press_pressed(self, event: Press.Pressed) -> None:
        self.save()

    def on_input_changed(self, event: Input.Changed) -> None:
        for why in self.query(Why):
            if why.why:
                why.tell("")

    def on_key(self, event: Key) -> None:
        handlers: dict[str, Callable[[], object]] = {
            "escape": self.keep,
            "f2": self.save,
            "ctrl+enter": self.save,
            "down": self.focus_next,
            "up": self.focus_previous,
        }
        if event.key in handlers:
            event.stop()
            event.prevent_default()
            handlers[event.key]()
