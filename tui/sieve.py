"""The board's filter: what was typed, what is wrong with it, and which rows pass the last good one.

What reads filters is imported when one is typed: a first paint does not wait for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.messages import Row

if TYPE_CHECKING:
    from register.filter import FilterError, Predicate, Reader


class Sieve:
    """One filter. A mistake in what is typed leaves the rows as the last good filter has them."""

    def __init__(self, around: Callable[[Row], str]) -> None:
        """around: all that the board shows of a row, casefolded; bare words are looked for there."""
        self.typed = ""
        self.good = ""
        self.wrong: FilterError | None = None
        self._around = around
        self._passes: Predicate | None = None

    def __bool__(self) -> bool:
        return self._passes is not None

    def put(self, typed: str, reader: Reader) -> None:
        """Take over what stands in the filter line now."""
        from register.filter import Everything, FilterError, meant, parse, predicate

        self.typed = typed
        try:
            node = parse(typed)
            passes = None if node == Everything() else predicate(meant(node, reader), self._around)
        except FilterError as error:
            self.wrong = error
            return
        self.wrong, self.good, self._passes = None, typed if passes else "", passes

    def anew(self, reader: Reader) -> None:
        """Read the last good filter at another time, or with other people; what is typed stays."""
        from register.filter import FilterError, meant, parse, predicate

        with contextlib.suppress(FilterError):  # somebody it names is gone: it goes on as it was
            self._passes = predicate(meant(parse(self.good), reader), self._around)

    def passes(self, row: Row) -> bool:
        return self._passes is None or self._passes(row)
