"""What each key does here, made from the actions themselves."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen

from tui.actions import Action, key_name
from tui.detail import wrapped
from tui.requests import Opened
from tui.signs import Signs, plain
from tui.widgets.lines import Line, Lines


def help_lines(actions: Sequence[Action], signs: Signs, width: int) -> list[Line]:
    """Return what each action's keys are and what it does, in lines of so many columns."""
    lines: list[Line] = []
    for action in actions:
        keys = plain(" ".join(key_name(key) for key in (action.key, *action.also)), signs)
        for line in wrapped(action.help, width - 12, ""):
            lines.append(((f" {keys:<11}", "strong"), *line))
            keys = ""
    return lines


class HelpScreen(ModalScreen[None]):
    """The keys of the screen below; any other key leaves."""

    CSS_PATH = "../styles/form.tcss"

    def __init__(self, title: str, actions: Sequence[Action], signs: Signs) -> None:
        super().__init__()
        self._title = title
        self._actions, self._signs = actions, signs

    def compose(self) -> ComposeResult:
        lines = self.lines(min(self.app.size.width, 84) - 4)  # within its frame
        with Vertical(id="form"):
            yield Lines([((f" {self._title}", "strong"),)], classes="line")
            body = Lines(lines, id="help-body")
            body.styles.height = min(len(lines), max(1, self.app.size.height - 4))
            yield body
            yield Lines([((" j k scroll, any other key goes back", "dim"),)], classes="line")

    def lines(self, width: int) -> list[Line]:
        """What is shown."""
        return help_lines(self._actions, self._signs, width)

    def on_mount(self) -> None:
        self.call_after_refresh(self.post_message, Opened())

    def on_key(self, event: Key) -> None:
        event.stop()
        event.prevent_default()
        by = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10}.get(event.key)
        if by is None:
            self.dismiss()
        else:
            self.query_one("#help-body", Lines).scroll_lines(by)
