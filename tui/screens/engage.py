"""Engaging a supplier: whom, in which environment, with what words, and exactly what they get."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import TextArea

from register.plain import clip, one_line
from tui.detail import wrapped
from tui.focus import TABS
from tui.messages import Done, Refused
from tui.requests import CommandGiven, Opened
from tui.signs import Signs
from tui.suppliers import REMOVED, Supplier
from tui.widgets.choice import Flag, Press
from tui.widgets.lines import Line, Lines
from tui.widgets.picker import Picker
from tui.widgets.why import Why

PREVIEW_LINES = 8


@dataclass(frozen=True, slots=True)
class Engaging:
    """What the dialog is about. `make` returns a command or a sentence, `preview` what the supplier gets."""

    asked: str
    number: str
    suppliers: Sequence[Supplier]
    make: Callable[[str, str, bool], Any]
    preview: Callable[[Supplier, str], Sequence[tuple[str, str]]]


class EngageScreen(ModalScreen[None]):
    """Nothing is sent until the button is pressed: Enter in the message is a new line."""

    CSS_PATH: ClassVar = ["../styles/form.tcss", "../styles/engage.tcss"]
    BINDINGS: ClassVar = TABS
    AUTO_FOCUS: ClassVar[str] = "#suppliers"

    def __init__(self, engaging: Engaging, draft: MutableMapping[str, Any], signs: Signs) -> None:
        super().__init__()
        self.engaging = engaging
        self._draft = draft
        self._signs = signs
        self._sending = False
        self._given: tuple[tuple[str, str, bool], Any] | None = None

    def compose(self) -> ComposeResult:
        suppliers = self.engaging.suppliers
        with Vertical(id="form"):
            yield Lines([((f" Engage a supplier for {self.engaging.number}", "strong"),)], id="engage-title")
            yield Picker([_choice(one) for one in suppliers], self._signs, id="suppliers")
            yield Lines([(("Message", ""),)], id="message-label", classes="line")
            yield TextArea(
                str(self._draft.get("message", "")), id="message", compact=True, tab_behavior="focus"
            )
            yield Lines(id="goes-to", classes="line")
            yield Lines(id="preview")
            yield Why(self._signs, id="why-", classes="why")
            again = Flag("make a second ticket though one is open with them", False, id="again")
            again.display = False
            yield again
            with Horizontal(classes="buttons"):
                yield Press("Send", id="send")
                yield Press("Keep draft", id="keep")
                yield Lines([(("Tab moves on, Esc keeps the draft", "dim"),)], classes="line keys")

    def on_mount(self) -> None:
        picker = self.query_one(Picker)
        kept = self._draft.get("vendor")
        names = [one.name for one in self.engaging.suppliers]
        if kept in names:
            picker.pick(names.index(kept))
        self.call_after_refresh(self._stands)

    def _stands(self) -> None:
        self._draw_preview()
        self.post_message(Opened())

    @property
    def supplier(self) -> Supplier:
        """The one that is picked."""
        return self.engaging.suppliers[self.query_one(Picker).at]

    @property
    def message(self) -> str:
        return self.query_one("#message", TextArea).text

    def _draw_preview(self) -> None:
        one = self.supplier
        goes = f"{one.goes} {one_line(one.title).upper()} ({one.environment})"
        pen = "bad" if one.production else "warn"
        self.query_one("#goes-to", Lines).put([((goes, pen), (", exactly this:", ""))])
        preview = self.query_one("#preview", Lines)
        width = preview.size.width or 76
        lines: list[Line] = []
        for label, text in self.engaging.preview(one, self.message):
            parts = [part for line in text.split("\n") for part in wrapped(line, width - 10, "") or [()]]
            for at, part in enumerate(parts):
                pens = ((said, "warn" if label == REMOVED else style) for said, style in part)
                lines.append(((f"{label if at == 0 else '':<9}", "dim"), *pens))
        preview.put(lines)

    def send(self) -> None:
        """Give the command to the app; the dialog stays until it is on record."""
        if self._sending:
            return
        chosen = (self.supplier.name, self.message, self.query_one("#again", Flag).value)
        if self._given is None or self._given[0] != chosen:
            made = self.engaging.make(*chosen)
            if isinstance(made, str):
                self._say(made)
                self.query_one("#message").focus()
                return
            self._given = chosen, made
        made = self._given[1]  # the same words once more are the same command: one ticket
        self._sending = True
        self._say("")
        self.post_message(CommandGiven(made, self.engaging.asked))

    def keep(self) -> None:
        """Leave, and find it all again next time."""
        self._draft.update(vendor=self.supplier.name, message=self.message)
        self.dismiss()

    def _say(self, why: str) -> None:
        self.query_one(Why).tell(why)

    # What is told

    def on_done(self, event: Done) -> None:
        if event.asked == self.engaging.asked:
            self._draft.clear()
            self.dismiss()

    def on_refused(self, event: Refused) -> None:
        if event.asked == self.engaging.asked:
            self._sending = False
            self._say(event.why)
            if event.ask == "again":
                self.query_one("#again").display = True

    def on_picker_picked(self, event: Picker.Picked) -> None:
        self._draw_preview()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._say("")
        self._draw_preview()

    def on_press_pressed(self, event: Press.Pressed) -> None:
        if event.button == "send":
            self.send()
        else:
            self.keep()

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.keep()
        elif event.key == "enter" and self.focused is self.query_one(Picker):
            event.stop()
            self.query_one("#message").focus()


def _choice(one: Supplier) -> Line:
    serves = ", ".join(one_line(service) for service in one.services)
    text = f"{clip(one_line(one.title), 24):<25}{clip(one_line(one.system), 18):<19}"
    return (
        (text, ""),
        (f"{one.environment:<11}", "bad" if one.production else "warn"),
        (clip(serves, 20), ""),
    )
