"""Create, read, look up and resolve on moto's AWS Support, a server that nobody here wrote.

Moto writes no words on a case, tells its times without a zone, calls its JSON a web page, moves a case one
state on whenever it is looked at, and believes any signature. It shows that our requests are read
as those of AWS's own clients are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from integrations.aws_support.config import AwsSupportConfig
from integrations.connector import Absent, Draft, Found, Ref, Theirs, Transition
from integrations.errors import Failure
from integrations.http import Http
from integrations.systems.aws_support import AwsSupport
from register.core import new_id
from register.incident import Priority
from tests.played.aws_support import KEY, SECRET

pytestmark = pytest.mark.contracts

CONFIG = AwsSupportConfig(service="amazon-s3", category="other")


class _AsJson(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        answer.headers["content-type"] = "application/x-amz-json-1.1"
        return answer


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Its address: in process, on a free port of loopback."""
    made = pytest.importorskip("moto.server").ThreadedMotoServer
    server = made(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def desk(moto: str) -> AsyncIterator[AwsSupport]:
    signer = AwsSupport.signer(CONFIG, f"{KEY}:{SECRET}")
    async with Http(moto, signer=signer, name="aws", transport=_AsJson()) as http:
        http.zone = "UTC"
        yield AwsSupport(http, CONFIG)


def draft(op_id: str) -> Draft:
    return Draft(op_id, "Pump leaks", "Line one\nLine two: äöü €", Priority.HIGH)


async def test_a_case_is_made_read_and_found_by_our_operation_id(desk: AwsSupport) -> None:
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    assert ref.id.startswith("case-12345678910-")
    ticket = await desk.get(ref)
    assert ticket.title == "Pump leaks"
    assert ticket.state is not Theirs.UNMAPPED
    since = datetime.now(UTC) - timedelta(days=2)
    found = await desk.find(op_id, since)
    assert isinstance(found, Found)
    assert [one.id for one in found.refs] == [ref.id]
    assert await desk.find(new_id(), since) == Absent()


async def test_a_case_is_resolved(desk: AwsSupport) -> None:
    ref = await desk.create(draft(new_id()))
    applied = await desk.apply(ref, Transition(new_id(), Theirs.CLOSED))
    assert applied.ticket is not None
    assert applied.ticket.raw_state == "resolved"


async def test_what_it_cannot_do_is_told_and_is_no_success(desk: AwsSupport) -> None:
    with pytest.raises(Failure):
        await desk.get(Ref(id="case-12345678910-2020-nowhere", key="nowhere"))
    assert not (await desk.check()).ok  # moto knows no severities
