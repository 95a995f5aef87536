"""Whom to call, what to read aloud, and the call logged: on the incident, in the outbox, and in the form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from register.contact import Contact
from register.core import Role
from register.incident import Bond, BondState, Impact, Incident, Urgency
from register.topics.by_hand import HandOver
from register.topics.calls import LogCall
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tests.tui.test_doing import same
from tui.app import MusterApp
from tui.calling import promises
from tui.detail import Detail
from tui.messages import OutboxRead, SuppliersRead, VerbsLearned
from tui.model import Model
from tui.outbox import Sent
from tui.suppliers import Supplier, Suppliers
from tui.verbs import verbs_for

AT = datetime.fromtimestamp(NOW, UTC)
CONTACTS = (
    Contact(level=1, name="Fault desk", phone="+1 555 0199"),
    Contact(level=2, name="Shift lead", phone="+1 555 0198"),
)
CABLE = Supplier(
    "cable-co", "Cable Co", "by phone", production=True, contacts=tuple(map(str, CONTACTS)), by_hand=True
)
Board = tuple[MusterApp, Pilot[None], FakeDoor]


class Door(FakeDoor):
    def read_suppliers(self, asked: str, about: str = "") -> None:
        self.post(SuppliersRead(asked, Suppliers((CABLE,))))


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW))
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(params=[(80, 24), (120, 40)])
async def board(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """INC-1 has a supplier by phone that is to be called."""
    bond = ["cable-co", "engaging", "ours", NOW - 180, "", "call"]
    app = app_with(tmp_path / "live.json", [row(1, bonds=[bond]), row(2)])
    app.door = door = Door()
    app.doing._door = door
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.ADMIN)))
        await settled(pilot)
        yield app, pilot, door


async def test_the_board_says_that_somebody_is_to_call(board: Board) -> None:
    app, _, _ = board
    assert "CALL" in "\n".join(text_of(app)).upper()
    assert "1 needs you" in text_of(app)[1] or "‼1" in text_of(app)[1]


async def test_one_key_shows_whom_to_call_and_logs_the_call(board: Board) -> None:
    app, pilot, door = board
    await pilot.press("d")
    await settled(pilot)
    shown = "\n".join(text_of(app))
    assert "cable-co: 1 Fault desk +1 555 0199" in " ".join(shown.split())
    assert "2 Shift lead +1 555 0198" in " ".join(shown.split())
    await pilot.press(*"Lena", "f2")
    await settled(pilot)
    ((command, _),) = door.done
    assert same(command, LogCall(target="INC-1", whom="Lena", vendor="cable-co"))


async def test_without_a_supplier_there_is_nobody_to_call(board: Board) -> None:
    app, pilot, _ = board
    await pilot.press("j", "d")
    await settled(pilot)
    assert "No supplier works on INC-2 yet" in text_of(app)[-1]


async def test_the_engage_dialog_says_that_a_person_reads_it_to_them(board: Board) -> None:
    app, pilot, _ = board
    await pilot.press("v")
    await settled(pilot)
    assert "YOU READ IT TO CABLE CO (PRODUCTION)" in "\n".join(text_of(app))


async def test_the_outbox_shows_the_card_and_takes_the_number(board: Board) -> None:
    app, pilot, door = board
    await pilot.press("4")
    await settled(pilot)
    card = "Call 1  Fault desk  +1 555 0199\n\nFibre 7 is dark.\n\nAsk for their number"
    known = Sent(
        "01ARZ3NDEKTSV4RRFFQ69G5FAV", "cable-co", "INC-1", "create", "queued", 0, None, "read it", card
    )
    app.post_message(OutboxRead((replace(known, person=True, by_hand=True),)))
    await settled(pilot)
    shown = text_of(app)
    assert any(line.strip() == "Fibre 7 is dark." for line in shown)
    assert any("Ask for their number" in line for line in shown)
    await pilot.press("=")
    await settled(pilot)
    await pilot.press(*"CS-7", "f2")
    await settled(pilot)
    ((command, _),) = door.done
    assert same(command, HandOver(row_id=known.row_id, ticket="CS-7"))


# Promises under a conversation


def lines_of(model: Model, **bond: Any) -> list[str]:
    known = {"id": "b", "vendor": "cable-co", "production": True, "state": BondState.OPEN}
    known |= {"ball_since": AT, "engaged_at": AT, "engaged_by": "p1"}
    incident = Incident(
        number="INC-1",
        title="x",
        impact=Impact.LOW,
        urgency=Urgency.LOW,
        reporter="p1",
        opened_at=AT,
        updated_at=AT,
        bonds=(Bond.model_validate(known | bond),),
    )
    detail = Detail("INC-1", "p1", None, (), incident, (), {"cable-co": CONTACTS})
    return ["".join(text for text, _ in line) for line in promises(detail, model)]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return app_with(tmp_path / "live.json", [row(1)]).model


def test_a_promise_counts_down_and_is_told_when_it_has_passed(model: Model) -> None:
    assert lines_of(model, promised_until=AT + timedelta(minutes=40))[0].endswith("40m left")
    assert lines_of(model, promised_until=AT - timedelta(minutes=4))[0].endswith("4m over !")


def test_what_is_over_says_nothing(model: Model) -> None:
    assert lines_of(model, state=BondState.ENDED, promised_until=AT) == []
