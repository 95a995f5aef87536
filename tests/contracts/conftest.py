"""The vendors' own API descriptions, served by Prism, which refuses what they do not allow.

`make test-contracts` gets Prism, named in PRISM, and takes the folder of descriptions from MUSTER_CONTRACTS.
Prism keeps nothing: a GET after a POST answers with the vendor's example. So what a connector asks is proved
here, and what it makes of the answers on played and real systems.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.http import Http, Limits
from integrations.vendor import signer_of

REPOSITORY = Path(__file__).parents[2]
CONTRACTS = Path(os.environ.get("MUSTER_CONTRACTS", REPOSITORY.parent / "shared" / "contracts"))
PRISM = os.environ.get("PRISM", str(REPOSITORY / ".cache/prism/node_modules/.bin/prism"))
PATIENCE = 60.0
"""Seconds that Prism may take to read a description."""


class Contract:
    """One description that is served. asked: whatever was sent; refused: why Prism refused some of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[httpx.Request] = []
        self.refused: list[str] = []

    def transport(self, change: Callable[[httpx.Request], None] | None = None) -> httpx.AsyncBaseTransport:
        """The way there. change: what of a request is spelt otherwise in the description than in life."""
        return _Noting(self, change)

    def check(self) -> None:
        assert self.refused == []


class _Noting(httpx.AsyncBaseTransport):
    def __init__(self, contract: Contract, change: Callable[[httpx.Request], None] | None) -> None:
        self._contract = contract
        self._change = change
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._change is not None:
            self._change(request)
        self._contract.asked.append(request)
        response = await self._network.handle_async_request(request)
        if violations := response.headers.get("sl-violations"):
            self._contract.refused.append(f"{request.method} {request.url.path}: {violations}")
        elif response.status_code == 404 and "problem+json" in response.headers.get("content-type", ""):
            self._contract.refused.append(f"{request.method} {request.url.path}: not in the description")
        elif "problem+json" in response.headers.get("content-type", ""):  # where none is declared for it
            body = await response.aread()
            self._contract.refused.append(f"{request.method} {request.url.path}: {body.decode()}")
            return httpx.Response(
                response.status_code, headers=response.headers, stream=httpx.ByteStream(body)
            )
        return response

    async def aclose(self) -> None:
        await self._network.aclose()


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[[str], str]]:
    """Serve a description by its name; the address. Each is started once, and ended with the session."""
    if not (CONTRACTS / "serve.sh").is_file():
        pytest.skip(f"no descriptions of vendors' APIs in {CONTRACTS}: name their folder in MUSTER_CONTRACTS")
    if shutil.which(PRISM) is None:
        pytest.skip("no Prism: `make test-contracts` gets it, or name it in PRISM")
    running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def serve(name: str) -> str:
        if name not in running:
            running[name] = _start(name)
        return running[name][1]

    yield serve
    for process, _ in running.values():
        process.kill()
        process.wait()


def _start(name: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PRISM": PRISM}
    process = subprocess.Popen(
        [str(CONTRACTS / "serve.sh"), name, str(port)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/is-it-there", timeout=2)
        except httpx.HTTPError:
            time.sleep(0.1)  # between two looks
        else:
            return process, url
    process.kill()
    said = process.communicate()[0].decode("utf-8", "replace")
    raise AssertionError(f"Prism does not serve {name}:\n{said[-2000:]}")


@pytest.fixture
def prism(served: Callable[[str], str]) -> Iterator[Callable[[str], Contract]]:
    """`prism("jira")` serves that description. Whatever Prism refused fails the test."""
    contracts: list[Contract] = []

    def contract(name: str) -> Contract:
        contracts.append(Contract(served(name)))
        return contracts[-1]

    yield contract
    for one in contracts:
        one.check()


@pytest.fixture
async def desk_at() -> AsyncIterator[Callable[..., Any]]:
    """`desk_at(contract, System, config, secret, root="")`: a connector that speaks to what is served."""
    opened: list[Http] = []

    def made(
        contract: Contract,
        system: Any,
        config: Any,
        secret: str = "sample-secret",
        *,
        root: str | None = None,
        change: Callable[[httpx.Request], None] | None = None,
    ) -> Any:
        base = contract.url + (getattr(system, "root", "") if root is None else root)
        seconds = Limits(connect=PATIENCE, read=PATIENCE, total=PATIENCE)
        headers, signer = system.headers(config, secret), signer_of(system, config, secret)
        transport = contract.transport(change)
        http = Http(base, headers, signer=signer, name="acme", limits=seconds, transport=transport)
        opened.append(http)
        return system(http, config)

    yield made
    for http in opened:
        await http.aclose()
