"""A `rest` block, and its connector whose requests are answered by a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from ulid import ULID

from integrations.connector import Draft
from integrations.vendor import Vendor
from integrations.vendors import connector_for, read_vendors
from register.incident import Priority

SINCE = datetime(2026, 11, 28, tzinfo=UTC)
BLOCK = """
[vendor.acme]
connector = "rest"
title = "ACME"
url = "https://acme.example/api"
environment = "test"
sign_in = { kind = "header", name = "X-Key", prefix = "Key " }
lookup = { kind = "strong", settle_seconds = 30 }
link = "{{ site }}/t/{{ key }}"

[vendor.acme.states]
"Open" = "new"
"Busy" = "working"
"Done" = "closed"

[vendor.acme.state_codes]
"Open" = 1
"Busy" = 2
"Done" = 5

[vendor.acme.priorities]
1 = "Top"
2 = "High"
3 = "Mid"
4 = "Low"
5 = "Low"

[[vendor.acme.me]]
path = "/me"
gives = { account = "login" }

[[vendor.acme.create]]
name = "note"
method = "POST"
path = "/notes"
body = { text = "{{ text }}" }
gives = { id = "id" }
repeatable = true

[[vendor.acme.create]]
method = "POST"
path = "/tickets"
body = { title = "{{ title }}", ref = "{{ op_id }}", notes = ["{{ note.id }}"], priority = "{{ priority }}" }
gives = { id = "id", key = "number" }
statuses = { 409 = "rejected" }
ok = "ok"
says = "why"

[[vendor.acme.find]]
path = "/tickets"
query = { ref = "{{ op_id }}" }
rows = "items"
gives = { id = "id", reference = "ref" }
paging = { kind = "link" }

[[vendor.acme.get]]
path = "/tickets/{{ ticket.id }}"
gives = { title = "title", state = "state", updated = "updated", version = { header = "ETag" } }

[[vendor.acme.comment]]
name = "now"
path = "/tickets/{{ ticket.id }}"
gives = { version = { header = "ETag" } }

[[vendor.acme.comment]]
method = "PATCH"
path = "/tickets/{{ ticket.id }}"
headers = { If-Match = "{{ now.version }}" }
body = { add = "{{ text }}", public = "{{ public }}" }
gives = { id = "note" }

[[vendor.acme.transition]]
method = "PATCH"
path = "/tickets/{{ ticket.id }}"
headers = { If-Match = "{{ version or omit }}" }
body = { state = "{{ state_code }}" }

[[vendor.acme.history]]
path = "/tickets/{{ ticket.id }}/notes"

[[vendor.acme.history.tells]]
kind = "comment"
rows = "notes"
id = "id"
at = "at"
author = "by"
text = "text"
public = "public"

[[vendor.acme.changes]]
path = "/tickets"
query = { since = "{{ since }}" }
rows = "items"
gives = { id = "id", key = "number", updated = "updated" }
paging = { kind = "offset", param = "from", size_param = "count", size = 2 }
"""
Answers = Callable[[httpx.Request], httpx.Response]


def page_block() -> str:
    """The block with which docs/rest.md begins."""
    page = (Path(__file__).parents[2] / "docs/rest.md").read_text()
    return page.split("```toml\n", 1)[1].split("```", 1)[0]


def read(text: str = BLOCK) -> Vendor:
    return read_vendors(text)["acme"]


class Desk:
    """A connector whose requests are answered by a table of `METHOD path` → answers, in their order."""

    def __init__(self, block: str = BLOCK) -> None:
        self.asked: list[httpx.Request] = []
        self.answers: dict[str, list[httpx.Response | Exception]] = {}
        self.rest: Any = connector_for(
            read(block), lambda _: "geheim-1234", httpx.MockTransport(self._answer)
        )

    def says(self, what: str, *answers: Any, status: int = 200, **headers: str) -> None:
        made = [
            one
            if isinstance(one, Exception | httpx.Response)
            else httpx.Response(status, json=one, headers=headers)
            for one in answers
        ]
        self.answers.setdefault(what, []).extend(made)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        waiting = self.answers[f"{request.method} {request.url.path.removeprefix('/api')}"]
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(found, Exception):
            raise found
        told = {name: found.headers[name] for name in found.headers if name != "content-length"}
        return httpx.Response(found.status_code, headers=told, stream=httpx.ByteStream(found.content))

    def lines(self) -> list[str]:
        return [f"{one.method} {one.url.path.removeprefix('/api')}" for one in self.asked]


def draft(op_id: str, title: str = "Pump leaks", body: str = "It drips.") -> Draft:
    return Draft(op_id, title, body, Priority.HIGH)


def op() -> str:
    return str(ULID())
