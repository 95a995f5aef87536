"""Practice Desk's JSON as its connector reads it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from integrations.zones import TheirTime


class TheirTicket(BaseModel):
    id: str
    key: str
    url: str
    reference: str
    title: str
    priority: str
    state: str
    assignee: str
    updated_at: TheirTime
    version: int


class TheirChange(BaseModel):
    seq: int
    ticket: str
    key: str
    kind: str
    author: str
    at: TheirTime
    body: str
    public: bool
    state: str
    size: int | None = None


class Account(BaseModel):
    account: str
    may: frozenset[str]


class About(BaseModel):
    states: tuple[str, ...]
    priorities: tuple[str, ...]
    queues: tuple[str, ...]


class Changes(BaseModel):
    changes: tuple[dict[str, Any], ...]
    last: int = 0
    desk: str = ""


class Tickets(BaseModel):
    tickets: tuple[TheirTicket, ...]


class Set(BaseModel):
    ticket: TheirTicket
    change: TheirChange | None
