"""An app that sends only what differs, and drops frames while the line is stalled: queued, they are stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App
from textual.events import Resize

from tui.paint import Shadow

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

from textual._compositor import ChopsUpdate, LayoutUpdate

QUEUED: Final = 1
"""So many frames may wait for the terminal; with more, new ones are dropped: they would be stale."""
LOOK_AGAIN: Final = 0.05


class FrugalApp(App[None]):
    """Draws through a `Shadow`; what is not a frame of the full screen goes Textual's own way."""

    BINDINGS: ClassVar = []

    def __init__(self) -> None:
        super().__init__()
        self._shadow = Shadow()
        self._owed = False

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        driver = self._driver
        if (
            not isinstance(renderable, (ChopsUpdate, LayoutUpdate))
            or driver is None
            or driver.is_inline
            or self.is_headless
        ):
            super()._display(screen, renderable)
            return
        try:
            if not self._batch_count and self._running and not self._closed:
                if self._stalled():
                    self._owe()
                else:
                    self._send(renderable)
        finally:
            self.post_display_hook()

    def _send(self, frame: ChopsUpdate | LayoutUpdate) -> None:
        assert self._driver is not None  # noqa: S101 - _display has looked
        width, height = self.size
        system = self.console._color_system
        if system is None:  # no colour at all: Textual's own way knows how
            super()._display(self.screen, frame)
            return
        text = self._shadow.encode(frame, system, width, height)
        if not text:
            return
        cursor = self.cursor_position
        if cursor:  # a field is being typed in: the terminal's cursor belongs there
            text += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
        if self._sync_available:
            text = f"\x1b[?2026h{text}\x1b[?2026l"
        self._driver.write(text)
        self._driver.flush()

    def _stalled(self) -> bool:
        writer = getattr(self._driver, "_writer_thread", None)
        return writer is not None and writer._queue.qsize() > QUEUED

    def _owe(self) -> None:
        """Paint what was dropped as soon as the line takes it."""
        if not self._owed:
            self._owed = True
            self.set_timer(LOOK_AGAIN, self._pay)

    def _pay(self) -> None:
        self._owed = False
        if self._stalled():
            self._owe()
        else:
            self.screen.refresh()

    def redraw_all(self) -> None:
        """Draw everything anew: somebody else has written on the terminal."""
        self._shadow.forget()
        self.screen.refresh()

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.redraw_all())

    def on_resize(self, event: Resize) -> None:
        self._shadow.forget()
