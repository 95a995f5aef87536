"""A thread that does what it is given, one after another, and holds up nobody who leaves."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Work = Callable[[], object]


class Hands:
    """`give` returns at once. A thread that hangs in a database's call does not keep the program alive."""

    def __init__(self, name: str, failed: Callable[[Exception], object]) -> None:
        """failed: gets what any work raises; the next is done all the same."""
        self._failed = failed
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._do, name=name, daemon=True)
        self._thread.start()

    def give(self, work: Work) -> None:
        self._work.put(work)

    def stop(self, seconds: float, *, all_of_it: bool = False) -> bool:
        """End after what is under way (or after all that was given); whether it did within these seconds."""
        if not all_of_it:
            self._stopped.set()
        self._work.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _do(self) -> None:
        while (work := self._work.get()) is not None and not self._stopped.is_set():
            try:
                work()
            except Exception as error:
                self._failed(error)
