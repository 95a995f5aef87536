"""A Redmine that answers at once: 5,000 issues as the real one (5.0.4) writes them, out of memory.

    python -m benchmarks.replaying ISSUES     serves until its standard input ends; each line asked there is
                                              answered by the requests and connections since the last one

Nothing is worked out while it serves: what a client takes beside it is the client's own.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

PAGE: Final = 100
AT: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
_FROM: Final = re.compile(rb"[?&](issue_id=%3E%3D|offset=)(\d+)")
_TEXT: Final = "The pump in the cellar drips since the morning, and the alarm stays on. Sample data.\r\n" * 5


def issue(number: int) -> dict[str, Any]:
    """One issue of the list, with the fields and in the order of Redmine 5.0.4."""
    at = f"{AT + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": number,
        "project": {"id": 1, "name": "Supplier desk"},
        "tracker": {"id": 1, "name": "Bug"},
        "status": {"id": 1 + number % 3, "name": ("New", "In Progress", "Resolved")[number % 3]},
        "priority": {"id": 3, "name": "High"},
        "author": {"id": 5, "name": "Bridge Connector"},
        "subject": f"Sample outage {number}",
        "description": f"{_TEXT}\r\n[muster:01ARZ3NDEKTSV4RRFFQ69G5FAV]",
        "start_date": "2026-01-05",
        "due_date": None,
        "done_ratio": 0,
        "is_private": False,
        "estimated_hours": None,
        "total_estimated_hours": None,
        "custom_fields": [
            {"id": 1, "name": "External ref", "value": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            {"id": 2, "name": "Site code", "value": None},
        ],
        "created_on": at,
        "updated_on": at,
        "closed_on": None,
    }


def _answer(numbers: range, total: int, offset: int) -> bytes:
    told = {
        "issues": [issue(number) for number in numbers],
        "total_count": total,
        "offset": offset,
        "limit": PAGE,
    }
    body = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    kind = "Content-Type: application/json; charset=utf-8"
    return f"HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _answers(issues: int) -> dict[tuple[bytes, int], bytes]:
    """Every page, by how it is asked for: by offset, from a number on, or from the last one on once more."""
    ready: dict[tuple[bytes, int], bytes] = {}
    for start in range(0, issues + 1, PAGE):
        ready[b"offset=", start] = _answer(_numbers(start, issues), issues, start)
    for start in {*range(0, issues + 1, PAGE), *range(0, issues + 1, PAGE - 1)}:
        ready[b"issue_id=%3E%3D", start + 1] = _answer(_numbers(start, issues), issues - start, 0)
    return ready


def _numbers(start: int, issues: int) -> range:
    return range(start + 1, min(start + PAGE, issues) + 1)


async def _serve(issues: int) -> None:
    ready = _answers(issues)
    said = {"requests": 0, "connections": 0}

    async def takes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said["connections"] += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            said["requests"] += 1
            found = _FROM.search(head.split(b"\r\n", 1)[0])
            writer.write(ready[(found[1], int(found[2])) if found else (b"offset=", 0)])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(takes, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(said), flush=True)
        said.update(requests=0, connections=0)


class Counted(NamedTuple):
    requests: int
    connections: int


class Replayed:
    """The server in its own process. url: where it is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{int(self._read())}"

    def counted(self) -> Counted:
        """What it got since it was asked last."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        return Counted(**json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def replayed(issues: int) -> Iterator[Replayed]:
    command = [sys.executable, "-m", "benchmarks.replaying", str(issues)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield Replayed(process)
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
