"""For tests of paging: somebody to page, a supplier that stays silent, and a place where pages arrive."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.incident import Impact, Urgency
from register.topics.engagement import Engage
from register.topics.intake import Log

BEN = Principal("ben", Role.COORDINATOR, "test")
DESK = 'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n'
MATRIX = f"""{DESK}
[people.ben]
name = "Ben Sample"
login = "ben"
role = "coordinator"
zone = "Europe/Oslo"
reach = ["sms", "mail"]

[people.eva]
name = "Eva Sample"
login = "eva"
role = "coordinator"
reach = ["mail"]

[people.cat]
name = "Cat Sample"
login = "cat"
role = "coordinator"
"""


def engage_urgently(
    desk: ServiceDesk, who: Principal = BEN, vendor: str = "acme", **more: Any
) -> tuple[str, str]:
    """Log a P1 and engage a supplier: (number, row id)."""
    fields = {"title": "Checkout answers 500", "impact": Impact.HIGH, "urgency": Urgency.HIGH} | more
    number = desk.do(who, Log(**fields)).number or ""
    engage = Engage(target=number, vendor=vendor, message="please look")
    desk.do(who, engage)
    return number, engage.command_id


@dataclass
class Arrivals:
    """A receiver of apprise's json:// on loopback. code: what it answers."""

    url: str = ""
    code: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def arrivals() -> Iterator[Arrivals]:
    """A real HTTP server that pages arrive at."""
    made = Arrivals()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.code < 300:
                made.got.append(json.loads(body) | {"path": self.path})
            self.send_response(made.code)
            if made.code in (301, 302, 307, 308):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *about: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"json://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
