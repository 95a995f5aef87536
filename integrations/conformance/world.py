"""A supplier to test a connector against: how it is reached, looked into, and worked in by its people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx

from integrations.conformance.line import Line
from integrations.connector import Ref, Theirs
from integrations.vendor import System
from register.incident import Priority


class NotShown(Exception):
    """This world cannot play that: the rule is not passed, unless the suite says why it need not be."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text on a ticket, as its people read it there: with whatever footer it came."""

    body: str
    public: bool = True


class World(ABC):
    """One supplier. The first methods are needed; those that raise `NotShown` add what they can play.

    system: the connector's class. config: its own model, filled in. secret: the credential, or empty.
    """

    system: ClassVar[System]
    url: str
    config: Any
    secret: str = ""
    zone: str = ""
    """Of its times, where they name none."""
    patience: float = 4.0
    """Seconds that an honest answer may take; a tenth of them is what a connector in haste waits."""

    def transport(self) -> httpx.AsyncBaseTransport:
        """The way to the supplier: the network, or a supplier that is played in this process."""
        return httpx.AsyncHTTPTransport()

    def line(self) -> Line:
        """What stands between, on which things go wrong; another one where it is not HTTP that is spoken."""
        return Line(self.transport())

    def decides(self, request: httpx.Request) -> bool:
        """Whether this write is the one that puts it there. Some take the words first, and then link them."""
        return True

    @abstractmethod
    async def tickets(self, op_id: str) -> int:
        """How many tickets carry this operation id."""

    @abstractmethod
    async def said(self, ref: Ref) -> list[Said]:
        """All texts on a ticket in their order, the one that it was made with first."""

    @abstractmethod
    async def says(self, ref: Ref, text: str) -> None:
        """One of their people writes to us."""

    @abstractmethod
    async def sets(self, ref: Ref, to: Theirs) -> None:
        """One of their people gives the ticket a state that means this."""

    async def files(self, ref: Ref) -> list[bytes]:
        """The files on a ticket, in their order."""
        raise NotShown

    async def types_as_us(self, ref: Ref, text: str) -> None:
        """A person who is signed in with our account writes on the ticket."""
        raise NotShown

    async def crowds(self, ref: Ref, count: int) -> None:
        """`count` texts appear at one instant: their bodies are 0, 1, 2 and so on."""
        raise NotShown

    async def merges(self, ref: Ref) -> Ref:
        """The ticket is merged into another one, which is returned."""
        raise NotShown

    async def urges(self, ref: Ref, to: Priority) -> None:
        """One of their people gives the ticket a priority that stands for this one of ours."""
        raise NotShown

    async def expires(self) -> None:
        """Our credential runs out, and the system takes that in its own way."""
        raise NotShown
