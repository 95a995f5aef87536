"""What a connector would ask a supplier: its own requests, written down by a line that leads nowhere.

Every connector speaks through `Http`, and `Http` through a transport: one that keeps what it is given and
takes no connection shows the request of any of them, and sends nothing. No credential is read for it.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx

from integrations.errors import Failure
from integrations.exchange import DULL, MOST
from integrations.pins import names_in
from integrations.register_files import Fetched, RegisterFiles
from integrations.sending import Request
from integrations.vendor import Wired
from integrations.vendors import Vendor, connector_for
from register.effect import Enqueue
from register.store import Store, files
from register.store.outbox import Sending

CREDENTIAL: Final = "CREDENTIAL"
"""Stands where the secret would."""
PIN: Final = "SECRET"
"""Stands where a secret part of an entitlement would."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. headers: those that say something; body: as text, cut where it is long."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str

    def lines(self) -> list[str]:
        """The request, a line each."""
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return [*head, *(["", *self.body.split("\n")] if self.body else [])]


class _Nowhere(httpx.AsyncBaseTransport):
    """Keeps what it is given, and takes no connection."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = (await request.aread()).decode("utf-8", "replace")
        told = body if len(body) <= MOST else f"{body[:MOST]}… ({len(body):,} characters)"
        headers = {name: _readable(value) for name, value in request.headers.items() if name not in DULL}
        self.asked.append(Asked(request.method, str(request.url), headers, told))
        raise httpx.ConnectError("a rehearsal")


def _readable(value: str) -> str:
    """A header as a person reads it: Basic spells the account, and what stands for the secret, in base64."""
    kind, _, told = value.partition(" ")
    if kind != "Basic":
        return value
    return f"Basic base64 of {base64.b64decode(told).decode('utf-8', 'replace')}"


class _Files(RegisterFiles):
    """The register's, read only: nothing comes in while nobody is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def bytes_of(self, digest: str) -> bytes | None:
        return files.bytes_of(self._store, digest)

    async def keep(self, said: str, content: bytes) -> Fetched:
        raise NotImplementedError("a rehearsal fetches nothing")


async def rehearse(vendor: Vendor, row: Enqueue, remote_id: str | None, store: Store) -> list[Asked]:
    """Return what the connector asks first for this sending. remote_id: its ticket's, where it is known.

    One that must read before it writes asks that first, and gets no further.
    """
    asked = _sending(row, remote_id)
    pins = dict.fromkeys(names_in(row.payload), PIN)
    return await rehearsed(
        vendor, lambda connector: Request(vendor, connector, asked, _Files(store), pins).make()
    )


async def rehearsed(vendor: Vendor, made: Callable[[Wired], Awaitable[object]]) -> list[Asked]:
    """Return what a connector of this supplier asks first when this is made with it. Nothing is sent."""
    line = _Nowhere()
    held = vendor.model_copy(update={"auth": "keyring"})  # no token is asked for either
    connector = connector_for(held, lambda _: CREDENTIAL, line)
    try:
        await made(connector)
    except Failure:
        pass  # nothing was sent: that is what it is for
    finally:
        await connector.http.aclose()
    return line.asked


def _sending(row: Enqueue, remote_id: str | None) -> Sending:
    return Sending(
        row_id=row.row_id,
        op_id=row.op_id,
        incident=row.incident,
        bond=row.bond,
        vendor=row.vendor,
        kind=row.kind,
        payload=row.payload,
        position=0,
        state="sending",
        on_ambiguous="",
        tries=1,
        lookups=0,
        next_at=None,
        lease_until=None,
        first_tried_at=None,
        deadline_at=None,
        why="",
        created_at=datetime.now(UTC),
        remote_id=remote_id,
    )
