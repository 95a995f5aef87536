"""What several ask at the same time is asked once: one look at the register does for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class AtOnce(Generic[Q, A]):
    """Each who asks gets the answer to their own question, or what was wrong with that one.

    answer: to several questions, in their order; what it raises is for all of them.
    """

    def __init__(self, answer: Callable[[list[Q]], Awaitable[Sequence[A | Exception]]]) -> None:
        self._answer = answer
        self._asked: list[tuple[Q, asyncio.Future[A]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Ask; what others ask while an earlier answer is awaited goes along with it."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="at once")
        return await answer

    async def _ask(self) -> None:
        try:
            while self._asked:
                some, self._asked = self._asked, []
                told = await self._told([question for question, _ in some])
                for (_, answer), found in zip(some, told, strict=True):
                    if answer.done():  # whoever asked waits no more
                        continue
                    if isinstance(found, Exception):
                        answer.set_exception(found)
                    else:
                        answer.set_result(found)
        finally:
            self._asking = None

    async def _told(self, questions: list[Q]) -> Sequence[A | Exception]:
        try:
            return await self._answer(questions)
        except Exception as error:  # whoever asked is told
            return [error] * len(questions)
