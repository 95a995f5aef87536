"""The board's door to the register: what the app asks for, told as a protocol so that tests have their own.

Everything here returns at once. What was asked is done on the door's own threads, and what comes of it
arrives as a message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from textual.message import Message

Post = Callable[[Message], object]


class Door(Protocol):
    """A way to one register."""

    def start(self, post: Post, after: int, register_id: str) -> None:
        """Connect and follow the feed from `after`, if the register is the one of that id."""

    def stop(self) -> None:
        """Let go; at most a second is waited for what is under way."""

    def read_detail(self, number: str) -> None:
        """Read one incident and its timeline; DetailRead arrives."""

    def read_outbox(self) -> None:
        """Read what is on its way to suppliers; OutboxRead arrives."""

    def do(self, command: Any, asked: str) -> None:
        """Carry out a register.core.Command; Done or Refused arrives, with the same `asked`."""
