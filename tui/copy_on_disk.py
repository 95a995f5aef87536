"""The board's copy on disk, live.json: written now and then, and at the end."""

from __future__ import annotations

from collections.abc import Callable

from tui.model import Model


class Copy:
    """Writes the live set; that it could not be is told, and stops nothing. Of the past none is written."""

    def __init__(self, model: Model, say: Callable[[str], object]) -> None:
        self._model = model
        self._say = say

    def save_if_due(self) -> None:
        self._saved(self._model.live.save_if_due)

    def save(self) -> None:
        self._saved(self._model.live.save)

    def _saved(self, save: Callable[[], object]) -> None:
        if self._model.as_of is not None:
            return  # the copy on disk is of the present
        try:
            save()
        except OSError as error:
            self._say(f"The copy for the next start could not be written: {error.strerror}.")

    def at_the_end(self) -> str | None:
        """Write it a last time; return what is to be told when the screen is gone."""
        if not self._model.live.register_id or self._model.as_of is not None:
            return None
        try:
            self._model.live.save()
        except OSError as error:
            return f"The copy for the next start was not written: {error.strerror}."
        return None
