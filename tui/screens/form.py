"""A form over the board, made from a Command: filled in, mended at the field, saved or kept as a draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus, Key
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui.focus import TABS
from tui.forms import AS_TIMES, Asked, Kind, Mistake, asked_of, build
from tui.messages import Done, Refused
from tui.requests import CommandGiven, Opened
from tui.signs import Signs
from tui.widgets.choice import Choice, Chosen, Flag, Press, Submitted
from tui.widgets.lines import Line, Lines
from tui.widgets.why import Why

Draft = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What a form is for. `given` answers fields that are not asked; `hint` reads the answers as they are."""

    asked: str
    title: str
    command: type[BaseModel]
    given: Mapping[str, Any]
    save: str = "Save"
    ground: Line = ()  # whom it is about, or where it goes: shown under the title
    above: tuple[Line, ...] = ()  # what helps to fill it in
    hint: Callable[[Mapping[str, Any], datetime], Line] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


class FormScreen(ModalScreen[None]):
    """One command, asked for field by field."""

    CSS_PATH = "../styles/form.tcss"
    BINDINGS: ClassVar = TABS
    AUTO_FOCUS: ClassVar[str] = ".field, Press"  # where nothing is asked, Enter is the button

    def __init__(self, form: Form, draft: Draft, signs: Signs) -> None:
        super().__init__()
        self.form = form
        self.fields = asked_of(form.command, form.given)
        self._draft = draft
        self._signs = signs
        self._saving = False
        self._given: tuple[dict[str, Any], BaseModel] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="form"):
            yield Lines([((f" {self.form.title}", "strong"),)], classes="line title")
            if self.form.ground:
                yield Lines([self.form.ground], classes="line")
            if self.form.above:
                yield Lines(list(self.form.above), id="above")
            with VerticalScroll(id="fields", can_focus=False):
                for asked in self.fields:
                    with Horizontal(classes="row"):
                        mark = "*" if asked.required else " "
                        yield Lines(
                            [((f"{mark}{asked.label}", ""),)], id=f"label-{asked.name}", classes="label"
                        )
                        yield self._widget(asked)
                    yield Why(self._signs, id=f"why-{asked.name}", classes="why")
            yield Lines(id="hint", classes="line")
            yield Why(self._signs, id="why-", classes="why")
            with Horizontal(classes="buttons"):
                yield Press(self.form.save, id="save")
                yield Lines(
                    [(("F2 or Enter in a line saves, Esc keeps the draft", "dim"),)], classes="line keys"
                )

    def _widget(self, asked: Asked) -> Widget:
        default = self.form.defaults.get(asked.name, asked.default)
        value = self._draft.get(asked.name, default)
        name, classes = f"field-{asked.name}", "field"
        if asked.kind is Kind.CHOICE:
            return Choice(
                asked.options, value, self._signs, optional=not asked.required, id=name, classes=classes
            )
        if asked.kind is Kind.FLAG:
            return Flag(asked.help, bool(value), id=name, classes=classes)
        if asked.kind is Kind.TEXT:
            area = TextArea(str(value or ""), id=name, classes=classes, compact=True, tab_behavior="focus")
            area.placeholder = asked.help
            return area
        told = f"{asked.help}: {AS_TIMES[asked.kind]}" if asked.kind in AS_TIMES else asked.help
        return Input(str(value or ""), placeholder=told, id=name, classes=classes, compact=True)

    def on_mount(self) -> None:
        self._draw_hint()
        self.call_after_refresh(self.post_message, Opened())

    # What has been filled in

    def answers(self) -> dict[str, Any]:
        """Return what stands in the fields now."""
        return {asked.name: self._answer(asked) for asked in self.fields}

    def _answer(self, asked: Asked) -> Any:
        widget = self.query_one(f"#field-{asked.name}")
        if isinstance(widget, TextArea):
            return widget.text
        if isinstance(widget, (Choice, Flag, Input)):
            return widget.value
        raise TypeError(asked.name)

    def _draw_hint(self) -> None:
        if self.form.hint is not None:
            line = self.form.hint(self.answers(), datetime.now(UTC))
            self.query_one("#hint", Lines).put([line])

    def show_mistakes(self, mistakes: tuple[Mistake, ...]) -> None:
        """Put each sentence under its field and the cursor into the first one."""
        told: dict[str, str] = {}
        for mistake in mistakes:
            told.setdefault(mistake.field, mistake.why)
        for name in ("", *(asked.name for asked in self.fields)):
            self.query_one(f"#why-{name}", Why).tell(told.get(name, ""))
        first = next((asked for asked in self.fields if asked.name in told), None)
        if first is not None:
            self.query_one(f"#field-{first.name}").focus()

    def save(self) -> None:
        """Give the command to the app, or show what is wrong with it."""
        if self._saving:
            return
        answers = self.answers()
        if self._given is None or self._given[0] != answers:
            made = build(self.form.command, self.form.given, answers, datetime.now(UTC))
            if isinstance(made, tuple):
                self.show_mistakes(made)
                return
            self._given = answers, made
        made = self._given[1]  # the same answers once more are the same command: it is never done twice
        self._saving = True
        self.show_mistakes(())
        self.post_message(CommandGiven(made, self.form.asked))

    def keep(self) -> None:
        """Leave, and find it all again next time."""
        self._draft.update(self.answers())
        self.dismiss()

    # What is told

    def on_done(self, event: Done) -> None:
        if event.asked == self.form.asked:
            self._draft.clear()
            self.dismiss()

    def on_refused(self, event: Refused) -> None:
        if event.asked == self.form.asked:
            self._saving = False
            known = any(asked.name == event.ask for asked in self.fields)
            self.show_mistakes((Mistake(event.ask if known else "", event.why),))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.save()

    def on_submitted(self, event: Submitted) -> None:
        self.save()

    def on_press_pressed(self, event: Press.Pressed) -> None:
        self.save()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._mended(event.input)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._mended(event.text_area)

    def on_chosen(self, event: Chosen) -> None:
        self._mended(self.focused)

    def _mended(self, field: Widget | None) -> None:
        """What was wrong is not said any longer of what has been changed since."""
        name = "" if field is None or field.id is None else field.id.removeprefix("field-")
        for told in ("", *(asked.name for asked in self.fields if asked.name == name)):
            why = self.query_one(f"#why-{told}", Why)
            if why.why:
                why.tell("")
        self._draw_hint()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        for asked in self.fields:
            here = event.widget.id == f"field-{asked.name}"
            mark = "*" if asked.required else " "
            self.query_one(f"#label-{asked.name}", Lines).put(
                [((f"{mark}{asked.label}", "strong" if here else ""),)]
            )

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
