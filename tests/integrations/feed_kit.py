"""For tests of calendar feeds: a server of calendars on loopback, whose answers change meanwhile."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.played.calendars import PAGERDUTY

SECRET = "t0ken-of-a-sample-feed"


@dataclass
class Host:
    """A server of calendars on loopback. What it answers may be changed meanwhile."""

    url: str = ""  # one that is a secret
    open: str = ""
    status: int = 200
    body: bytes = PAGERDUTY.encode()
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/calendar", "ETag": '"1"'})
    seconds: float = 0.0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def hosting() -> Iterator[Host]:
    made = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, {name.lower(): said for name, said in self.headers.items()}))
            time.sleep(made.seconds)
            known = self.headers.get("If-None-Match") == made.headers.get("ETag")
            known = known and made.status == 200 and "ETag" in made.headers
            self.send_response(304 if known else made.status)
            for name, said in made.headers.items():
                self.send_header(name, said)
            body = b"" if known else made.body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked had enough
                self.wfile.write(body)

        def log_message(self, *about: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    made.open = f"{origin}/oncall.ics"
    made.url = f"{origin}/private/{SECRET}/feed?token={SECRET}&a=1&a=2"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
