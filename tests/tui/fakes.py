"""Sample rows, and a door with nothing behind it, for tests of the terminal alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from register.live import Live
from tui.app import MusterApp
from tui.door import Post
from tui.messages import SuppliersRead
from tui.outbox import Sent
from tui.session import Session
from tui.signs import UNICODE, Signs
from tui.suppliers import Supplier, Suppliers

NOW = 1_700_000_000 // 60 * 60
PEOPLE = {"p1": "Ana", "p2": "Ben", "p3": "Carl Long Name", "p4": "Dan"}
TITLES = (
    "Checkout answers 500",
    "Packet loss between the two sites",
    "Nightly reindex overran",
    "Password reset queue grows",
    "Mail is late",
)


def row(n: int, **changes: Any) -> dict[str, Any]:
    """One row; what is not said is dull: P3, nobody's turn, owned, due in two hours."""
    return {
        "number": f"INC-{n}",
        "n": n,
        "title": TITLES[n % 5],
        "p": 3,
        "state": "In Progress",
        "hold": None,
        "owner": "p2",
        "acked": True,
        "team": "app-ops",
        "service": "shop-web",
        "category": "application",
        "opened": NOW - 3600,
        "updated": NOW - 60,
        "due": NOW + 7200 + n,
        "restricted": False,
        "bonds": [],
    } | changes


def rows(count: int, now: float = NOW) -> list[dict[str, Any]]:
    """A mixed board."""
    bonds = (
        [],
        [["acme", "open", "theirs", now - 720, "ACM-88213", "ok"]],
        [["nordnet", "engaging", "ours", now - 180, "", "?"]],
        [["acme", "open", "ours", now - 300, "ACM-3", "ok"]],
        [],
        [["nordnet", "engaging", "ours", now - 4000, "", "dead"]],
    )
    return [
        row(
            n,
            p=n % 5 + 1,
            state=("New", "In Progress", "On Hold")[n % 3],
            hold="vendor" if n % 3 == 2 else None,
            owner=(None, "p1", "p2", "p3", "p4")[n % 5] if n % 7 else None,
            opened=now - n * 60,
            due=None if n % 11 == 0 else now + (n * 37 % 900 - 40) * 60,
            bonds=bonds[n % 6],
        )
        for n in range(1, count + 1)
    ]


SUPPLIERS = (
    Supplier("acme", "acme hosting", "Request Tracker", production=True, services=("db",)),
    Supplier("practice", "Practice supplier", "Practice", production=False, services=("shop-web",)),
)


class FakeDoor:
    """Remembers what was asked of it; the test posts what comes back."""

    def __init__(self) -> None:
        self.started: tuple[int, str] | None = None
        self.stopped = False
        self.details: list[str] = []
        self.outbox_reads = 0
        self.vendor_reads = 0
        self.matrix_reads = 0
        self.hands_reads = 0
        self.sheets: list[tuple[str, str]] = []
        self.exchanges: list[str] = []
        self.rehearsed: list[tuple[Any, str]] = []
        self.done: list[tuple[Any, str]] = []
        self.post: Post = lambda message: None

    def start(self, post: Post, after: int, register_id: str) -> None:
        self.started, self.post = (after, register_id), post

    def stop(self) -> None:
        self.stopped = True

    def read_detail(self, number: str) -> None:
        self.details.append(number)

    def read_outbox(self) -> None:
        self.outbox_reads += 1

    def read_exchange(self, row_id: str) -> None:
        self.exchanges.append(row_id)

    def read_vendors(self) -> None:
        self.vendor_reads += 1

    def read_matrix(self) -> None:
        self.matrix_reads += 1

    def read_hands(self) -> None:
        self.hands_reads += 1

    def read_sheet(self, sheet: str, number: str) -> None:
        self.sheets.append((sheet, number))

    def read_suppliers(self, asked: str, about: str = "") -> None:
        self.post(SuppliersRead(asked, Suppliers(SUPPLIERS)))

    def about_sending(self, row: Sent) -> Mapping[str, Any]:
        return {"row_id": row.row_id}

    def rehearse(self, command: Any, asked: str) -> None:
        self.rehearsed.append((command, asked))

    def do(self, command: Any, asked: str) -> None:
        self.done.append((command, asked))


def live_with(path: Path, some: list[dict[str, Any]]) -> Live:
    """A working set as an earlier board left it."""
    live = Live.open(path)
    live.belongs_to("REG")
    live.apply(some, [], PEOPLE, 5)
    live.me = "p1"
    return live


def app_with(path: Path, some: list[dict[str, Any]], signs: Signs = UNICODE) -> MusterApp:
    session = Session(register_url="sqlite:////nowhere/sample.db", home=path.parent, login="ana")
    return MusterApp(session, live_with(path, some), FakeDoor(), signs)
