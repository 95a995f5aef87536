"""Choosing one of a few words, and yes or no: by ← →, Space and letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from textual.events import Key
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.detail import wrapped
from tui.signs import Signs, plain
from tui.widgets.lines import Line, Names, Painted


@dataclass
class Chosen(Message):
    """Another word was chosen."""

    value: str | None


@dataclass
class Submitted(Message):
    """Enter was pressed in a field of one line."""


class Choice(Painted, can_focus=True):
    """Radio buttons in as many lines as they need: `( ) low (•) medium ( ) high`."""

    def __init__(
        self,
        options: tuple[str, ...],
        value: str | None,
        signs: Signs,
        *,
        optional: bool,
        **names: Unpack[Names],
    ) -> None:
        super().__init__(**names)
        self.options = options
        self.value = value if value in options else None
        self.optional = optional
        self._signs = signs

    def _shown(self) -> list[str]:
        return [option.replace("_", " ") for option in self.options]

    def _laid_out(self, width: int) -> list[Line]:
        lines: list[list[tuple[str, str]]] = [[]]
        used = 0
        for option, text in zip(self.options, self._shown(), strict=True):
            here = option == self.value
            piece = f"({self._signs.on if here else ' '}) {text}"
            if used and used + len(piece) > width:
                lines.append([])
                used = 0
            lines[-1] += [(piece, ("cursor" if self.has_focus else "strong") if here else ""), ("  ", "")]
            used += len(piece) + 2
        if self.has_focus and self.value is None:
            lines[0].append((plain(" ← → choose", self._signs), "dim"))
        return [tuple(line) for line in lines]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._laid_out(width))

    def render_line(self, y: int) -> Strip:
        lines = self._laid_out(self.size.width)
        return self.strip_of(lines[y] if y < len(lines) else (), self.size.width)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_key(self, event: Key) -> None:
        at = self.options.index(self.value) if self.value is not None else -1
        if event.key in ("right", "space"):
            self._choose(self.options[(at + 1) % len(self.options)])
        elif event.key == "left":
            self._choose(self.options[(at - 1) % len(self.options)])
        elif event.key in ("backspace", "delete") and self.optional:
            self._choose(None)
        elif event.key == "enter":
            self.post_message(Submitted())
        elif event.character and event.character.isalnum():
            self._by_letter(event.character.lower(), at)
        else:
            return
        event.stop()
        event.prevent_default()

    def _by_letter(self, letter: str, at: int) -> None:
        """Choose the next option that begins with the letter."""
        order = [*self.options[at + 1 :], *self.options[: at + 1]]
        self._choose(next((option for option in order if option.startswith(letter)), self.value))

    def _choose(self, value: str | None) -> None:
        if value != self.value:
            self.value = value
            self.refresh()
            self.post_message(Chosen(value))


class Flag(Painted, can_focus=True):
    """Yes or no: `[x] restricted`, by Space."""

    def __init__(self, text: str, value: bool, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self.text = text
        self.value = value

    def _laid_out(self, width: int) -> list[Line]:
        mark = f"[{'x' if self.value else ' '}]"
        first, *rest = wrapped(self.text, width - 2, "") or [()]
        return [
            ((mark, "cursor" if self.has_focus else ""), *first),
            *((("   ", ""), *line) for line in rest),
        ]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._laid_out(width))

    def render_line(self, y: int) -> Strip:
        lines = self._laid_out(self.size.width)
        return self.strip_of(lines[y] if y < len(lines) else (), self.size.width)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_key(self, event: Key) -> None:
        if event.key == "space" or event.character in ("x", "y", "n"):
            flips = event.key == "space" or event.character == "x"
            self.value = not self.value if flips else event.character == "y"
            self.refresh()
            self.post_message(Chosen(str(self.value)))
        elif event.key == "enter":
            self.post_message(Submitted())
        else:
            return
        event.stop()
        event.prevent_default()


class Press(Painted, can_focus=True):
    """A button: Enter or Space presses it, and nothing else does."""

    @dataclass
    class Pressed(Message):
        """The button was pressed."""

        button: str

    def __init__(self, text: str, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self.text = text

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return len(self.text) + 4

    def render_line(self, y: int) -> Strip:
        return self.strip_of(
            ((f"[ {self.text} ]", "cursor" if self.has_focus else "strong"),), self.size.width
        )

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self) -> None:
        self.post_message(self.Pressed(self.id or ""))

    def on_key(self, event: Key) -> None:
        if event.key in ("enter", "space"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Pressed(self.id or ""))
