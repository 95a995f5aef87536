"""One operation of AWS Support: JSON 1.1, all by POST to one address, named in a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from pydantic import BaseModel

from integrations.aws_support.faults import TOLD, failure_of
from integrations.reading import read
from integrations.wish import Wish

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.errors import OpId
    from integrations.http import Http

_SERVICE: Final = "AWSSupport_20130415"
_TYPE: Final = "application/x-amz-json-1.1"
M = TypeVar("M", bound=BaseModel)


class Api:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http) -> None:
        self.http = http

    async def ask(self, operation: str, told: Mapping[str, Any], model: type[M], most: int = 0) -> M:
        """Read, or do what may be done twice. most: bytes of the answer, where it may be large."""
        return read(model, await self.answer(operation, told, most=most))

    async def answer(
        self, operation: str, told: Mapping[str, Any], *, safe: bool = True, op_id: OpId = "", most: int = 0
    ) -> Answer:
        """The same as it came. safe: whether doing it twice is doing it once."""
        headers = {"Content-Type": _TYPE, "X-Amz-Target": f"{_SERVICE}.{operation}"}
        body = orjson.dumps(told)
        wish = Wish(
            "POST", "/", safe, content=body, headers=headers, op_id=op_id, most=most or None, told=TOLD
        )
        answer = await self.http.ask(wish)
        if answer.status in TOLD:
            raise failure_of(answer, self.http)
        return answer
