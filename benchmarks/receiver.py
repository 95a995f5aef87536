"""Where pages arrive: a json:// of apprise in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_RECEIVER: Final = """
import asyncio, json, re, sys, time
delay, got = float(sys.argv[1]), []

class Taking(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.read = transport, b""

    def data_received(self, data):
        self.read += data
        head, ends, body = self.read.partition(b"\\r\\n\\r\\n")
        length = int(re.search(rb"content-length: *(\\d+)", head.lower() + b"content-length: 0")[1])
        if ends and len(body) >= length:
            got.append([time.time(), json.loads(body)["title"]])
            asyncio.get_running_loop().call_later(delay, self.answer)

    def answer(self):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        self.transport.close()

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Taking, "127.0.0.1", 0, backlog=1000)
    print(json.dumps(server.sockets[0].getsockname()[1]), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(got), flush=True)
        got.clear()

asyncio.run(main())
"""


class Receiver:
    """Where pages arrive: `url`, and what came since it was asked last: seconds since 1970, the title."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"json://127.0.0.1:{self._read()}"

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def came(self) -> list[tuple[float, str]]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [(at, title) for at, title in json.loads(self._read())]


@contextmanager
def receiver(delay: float) -> Iterator[Receiver]:
    """A receiver in a process of its own, that answers after so many seconds."""
    command = [sys.executable, "-c", _RECEIVER, str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield Receiver(process)
        finally:
            process.terminate()
