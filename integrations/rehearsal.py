"""What a connector would ask a supplier: its own requests, written down by a line that leads nowhere.

Every connector speaks through `Http`, and `Http` through a transport: one that keeps what it is given and
takes no connection shows the request of any of them, and sends nothing. No credential is read for it.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx

from integrations.errors import Failure, Rejected
from integrations.exchange import DULL, MOST
from integrations.pins import names_in
from integrations.register_files import Fetched, RegisterFiles
from integrations.sending import Request
from integrations.vendor import Wired
from integrations.vendors import Vendor, connector_for
from register.effect import Enqueue
from register.store import Store, files
from register.store.outbox import Sending

if TYPE_CHECKING:
    from integrations.rest.rehearsing import Rehearsal

CREDENTIAL: Final = "CREDENTIAL"
"""Stands where the secret would."""
PIN: Final = "SECRET"
"""Stands where a secret part of an entitlement would."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. headers: those that say something; body: as text, cut where it is long.

    when: what must give something for it to be made, where an earlier answer decides it.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    when: str = ""

    def lines(self) -> list[str]:
        """The request, a line each."""
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        only = [f"(only where {self.when} gives something)"] if self.when else []
        return [*only, *head, *(["", *self.body.split("\n")] if self.body else [])]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would be asked. whole: it is every request, not only the first one.

    awaited: what stands in them for what only an answer tells, or a template that wants it.
    refused: why it would not go out at all.
    """

    asked: list[Asked]
    whole: bool = False
    awaited: tuple[str, ...] = ()
    refused: str = ""


class _Nowhere(httpx.AsyncBaseTransport):
    """Keeps what it is given, and takes no connection."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = (await request.aread()).decode("utf-8", "replace").replace("\r\n", "\n")
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
    """Return what the connector asks for this sending. remote_id: its ticket's, where it is known.

    It is the first request, or where a block describes them (`rest`) every one. One that must read before it
    writes asks that first, and gets no further.
    """
    asked = _sending(row, remote_id)
    pins = dict.fromkeys(names_in(row.payload), PIN)
    done = await rehearsed(
        vendor, lambda connector: Request(vendor, connector, asked, _Files(store), pins).make()
    )
    return done.asked


async def rehearsed(vendor: Vendor, made: Callable[[Wired], Awaitable[object]]) -> Rehearsed:
    """Return what a connector of this supplier asks when this is made with it. Nothing is sent."""
    line = _Nowhere()
    held = vendor.model_copy(update={"auth": "keyring"})  # no token is asked for either
    connector: Any = connector_for(held, lambda _: CREDENTIAL, line)
    goes_on = None
    if hasattr(connector, "runner"):  # it is described, and all is known that it asks
        from integrations.rest.rehearsing import Rehearsal

        connector.runner = goes_on = Rehearsal.of(connector.runner)
    refused = ""
    try:
        await made(connector)
    except Rejected as failure:
        refused = failure.why
    except Failure:
        pass  # nothing was sent: that is what it is for
    finally:
        await connector.http.aclose()
    if goes_on is None:
        return Rehearsed(line.asked, refused=refused)
    asked = [_named(one, goes_on, seen.when) for one, seen in zip(line.asked, goes_on.seen, strict=False)]
    text = "\n".join(map(_whole, asked))
    return Rehearsed(asked, True, tuple(one for one in goes_on.open if one in text), refused)


def _named(asked: Asked, known: Rehearsal, when: str) -> Asked:
    """A request as it is read: what stands for a value is not encoded as a value would be."""
    headers = {name: known.readable(value) for name, value in asked.headers.items()}
    url, body = known.readable(asked.url), known.readable(asked.body)
    return replace(asked, url=url, headers=headers, body=body, when=when)


def _whole(asked: Asked) -> str:
    return "\n".join([asked.url, *asked.headers.values(), asked.body])


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
