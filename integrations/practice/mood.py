"""What a mood of the practice supplier is: which requests it strikes, how often, and what comes of one."""

from __future__ import annotations

import re
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from integrations.practice.call import Call

On = Literal[
    "all",
    "writes",
    "reads",
    "create",
    "comment",
    "state",
    "priority",
    "attach",
    "find",
    "get",
    "changes",
    "history",
    "token",
]
CONFIG: Final = ConfigDict(extra="forbid")
_OPERATIONS: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = (
    ("POST", re.compile(r"/tickets"), "create"),
    ("GET", re.compile(r"/tickets"), "find"),
    ("GET", re.compile(r"/tickets/[^/]+"), "get"),
    ("POST", re.compile(r"/tickets/[^/]+/comments"), "comment"),
    ("PUT", re.compile(r"/tickets/[^/]+/state"), "state"),
    ("PUT", re.compile(r"/tickets/[^/]+/priority"), "priority"),
    ("POST", re.compile(r"/tickets/[^/]+/files"), "attach"),
    ("GET", re.compile(r"/tickets/[^/]+/changes"), "history"),
    ("GET", re.compile(r"/changes"), "changes"),
    ("GET", re.compile(r"/whoami|/about"), "about"),
    ("POST", re.compile(r"/oauth/token"), "token"),
)
_WRITES: Final = frozenset({"create", "comment", "state", "priority", "attach"})


def operation_of(method: str, path: str) -> str:
    """What a request asks for, in the words of `On`; empty when no mood may strike it."""
    return next((op for verb, shape, op in _OPERATIONS if verb == method and shape.fullmatch(path)), "")


@dataclass(frozen=True, kw_only=True)
class Mood:
    """The ground of all moods. `do` answers one request in the supplier's place."""

    name: ClassVar[str] = ""
    times: int | None = None
    on: On = "all"

    def fits(self, operation: str) -> bool:
        group = "writes" if operation in _WRITES else "token" if operation == "token" else "reads"
        return self.on in ("all", operation, group)

    async def do(self, call: Call) -> None:
        await call.answer()
