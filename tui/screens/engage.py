"""Engaging a supplier: whom, in which environment, with what words, and exactly what they get."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import TextArea

from register.plain import clip, one_line
from tui.detail import wrapped
from tui.focus import TABS
from tui.messages import Done, Refused, RequestShown
from tui.requests import CommandGiven, Opened, RequestWanted
from tui.signs import Signs
from tui.suppliers import REMOVED, Along, Supplier
from tui.widgets.choice import Chosen, Flag, Press
from tui.widgets.lines import Line, Lines
from tui.widgets.picker import Picker
from tui.widgets.why import Why

_AROUND: Final = 13
"""Lines of frame, title, labels, message and buttons."""
_MOST_SUPPLIERS: Final = 6
_MOST_PREVIEW: Final = 6


@dataclass(frozen=True, slots=True)
class Engaging:
    """What the dialog is about. `make` returns a command or a sentence, `preview` what the supplier gets.

    files: the commands that send the files afterwards, each with the word it is asked with.
    """

    asked: str
    number: str
    suppliers: Sequence[Supplier]
    make: Callable[[str, str, bool, bool], Any]
    preview: Callable[[Supplier, str, bool], Sequence[tuple[str, str]]]
    files: Callable[[str], Sequence[tuple[Any, str]]]
    along: Along = field(default_factory=Along)


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
        self._given: tuple[tuple[str, str, bool, bool], Any] | None = None
        self._also: Sequence[tuple[Any, str]] = ()  # what is to be sent once the ticket is on its way

    def compose(self) -> ComposeResult:
        suppliers = self.engaging.suppliers
        with Vertical(id="form"):
            yield Lines([((f" Engage a supplier for {self.engaging.number}", "strong"),)], id="engage-title")
            yield Picker([_choice(one) for one in suppliers], self._signs, id="suppliers")
            yield Lines([(("Message", ""),)], id="message-label", classes="line")
            yield TextArea(
                str(self._draft.get("message", "")), id="message", compact=True, tab_behavior="focus"
            )
            with Horizontal(id="also"):
                yield Lines([(("Send also", ""),)], classes="line also-label")
                yield Flag("", bool(self._draft.get("timeline")), id="timeline")
                yield Flag("", bool(self._draft.get("files")), id="files")
            yield Lines(id="goes-to", classes="line")
            yield Lines(id="preview")
            yield Why(self._signs, id="why-", classes="why")
            again = Flag("make a second ticket though one is open with them", False, id="again")
            again.display = False
            yield again
            with Horizontal(classes="buttons"):
                yield Press("Send", id="send")
                yield Press("Keep draft", id="keep")
                yield Press("Show request", id="show")
                yield Lines([(("Tab moves on, Esc keeps it", "dim"),)], classes="line keys")

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

    def _goes_along(self, what: str) -> bool:
        """Whether notes (`timeline`) or files are asked for, and may go to this supplier."""
        return self.query_one(f"#{what}", Flag).value and self.supplier.may_have(what)

    def _draw_along(self) -> None:
        along = self.engaging.along
        for what, name, go, left in (
            ("timeline", "notes", len(along.notes), along.notes_left),
            ("files", "files", len(along.files), along.files_left),
        ):
            flag = self.query_one(f"#{what}", Flag)
            told = f"{name} {go}" + (f", {left} internal left out" if left else "")
            may = self.supplier.may_have(what)
            flag.text = told if may else f"{name}: they may have none"
            flag.can_focus = may and go > 0
            flag.display = go + left > 0
            flag.refresh()
        self.query_one("#also").display = along != Along()

    def _room(self) -> int:
        """Lines for what they get: the buttons must be seen whatever else is told."""
        why, again, also = (self.query_one(f"#{name}") for name in ("why-", "again", "also"))
        told = len(why.lines) if isinstance(why, Why) and why.why else 0
        used = (
            _AROUND + min(_MOST_SUPPLIERS, len(self.engaging.suppliers)) + told + again.display + also.display
        )
        return max(1, min(_MOST_PREVIEW, self.app.size.height - used))

    def _draw_preview(self) -> None:
        one = self.supplier
        self._draw_along()
        self.query_one("#preview").styles.height = self._room()
        goes = f"{one.goes} {one_line(one.title).upper()} ({one.environment})"
        pen = "bad" if one.production else "warn"
        self.query_one("#goes-to", Lines).put([((goes, pen), (", exactly this:", ""))])
        preview = self.query_one("#preview", Lines)
        width = preview.size.width or 76
        lines: list[Line] = []
        for label, text in self.engaging.preview(one, self.message, self._goes_along("timeline")):
            parts = [part for line in text.split("\n") for part in wrapped(line, width - 10, "") or [()]]
            for at, part in enumerate(parts):
                pens = ((said, "warn" if label == REMOVED else style) for said, style in part)
                lines.append(((f"{label if at == 0 else '':<9}", "dim"), *pens))
        preview.put(lines)

    def send(self) -> None:
        """Give the command to the app; the dialog stays until it is on record."""
        made = None if self._sending else self._made()
        if made is not None:
            self._sending = True
            self._also = self.engaging.files(self.supplier.name) if self._goes_along("files") else ()
            self._say("")
            self.post_message(CommandGiven(made, self.engaging.asked))

    def show(self) -> None:
        """Show the request that would be made; nothing is sent."""
        made = None if self._sending else self._made()
        if made is not None:
            self._say("")
            self.post_message(RequestWanted(made, self.engaging.asked))

    def _made(self) -> Any:
        """The command; None, and said why, where something is missing."""
        again, along = self.query_one("#again", Flag).value, self._goes_along("timeline")
        chosen = (self.supplier.name, self.message, again, along)
        if self._given is None or self._given[0] != chosen:
            made = self.engaging.make(*chosen)
            if isinstance(made, str):
                self._say(made)
                self.query_one("#message").focus()
                return None
            self._given = chosen, made
        return self._given[1]  # the same words once more are the same command: one ticket

    def keep(self) -> None:
        """Leave, and find it all again next time."""
        along = {what: self.query_one(f"#{what}", Flag).value for what in ("timeline", "files")}
        self._draft.update(vendor=self.supplier.name, message=self.message, **along)
        self.dismiss()

    def _say(self, why: str) -> None:
        self.query_one(Why).tell(why)
        self.query_one("#preview").styles.height = self._room()

    # What is told

    def on_done(self, event: Done) -> None:
        if event.asked == self.engaging.asked:
            self._draft.clear()
            for command, asked in self._also:
                self.app.post_message(CommandGiven(command, asked))
            self.dismiss()

    def on_request_shown(self, event: RequestShown) -> None:
        if event.asked == self.engaging.asked:
            from tui.screens.request import RequestScreen

            self.app.push_screen(RequestScreen(event.lines, self._signs))

    def on_chosen(self, event: Chosen) -> None:
        self._draw_preview()

    def on_refused(self, event: Refused) -> None:
        if event.asked == self.engaging.asked:
            self._sending = False
            self._say(event.why)
            if event.ask == "again":
                self.query_one("#again").display = True
                self._draw_preview()

    def on_picker_picked(self, event: Picker.Picked) -> None:
        self._draw_preview()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._say("")
        self._draw_preview()

    def on_press_pressed(self, event: Press.Pressed) -> None:
        {"send": self.send, "show": self.show}.get(event.button, self.keep)()

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
