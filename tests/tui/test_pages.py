"""Pages on the screens: rows of the Outbox, words of the timeline, how far one has come on a card."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from register.core import Policy
from register.desk import ServiceDesk
from register.matrix_toml import read_matrix
from register.store import pages
from register.topics.paging import CancelPage, ConfirmPage, MissPage, Tried
from register.topics.sight import Restrict
from tests.register.saying import BEN, ENGINE, VIC, look
from tests.register.test_paging import MATRIX, take, unconfirmed
from tests.tui.fakes import app_with, row
from tui.cards import cards_of
from tui.detail import Detail
from tui.model import Model
from tui.reading import detail_of, sent

TRIED = (Tried(channel="sms", ok=False, why="the service answered 401"), Tried(channel="mail", ok=True))


@pytest.fixture
def policy(policy: Policy) -> Policy:
    return replace(policy, matrix=read_matrix(MATRIX))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return app_with(tmp_path / "live.json", [row(1)]).model


def card(desk: ServiceDesk, number: str, model: Model) -> str:
    detail = detail_of(desk.store, number, BEN)
    assert detail is not None
    return next(one.says for one in cards_of(detail, model) if one.kind == "call")


def timeline(desk: ServiceDesk, number: str) -> Detail:
    detail = detail_of(desk.store, number, BEN)
    assert detail is not None
    return detail


def test_a_page_is_told_from_asked_to_delivered(desk: ServiceDesk, clock: Any, model: Model) -> None:
    number, _ = unconfirmed(desk, clock)
    assert card(desk, number, model).endswith("; who is asked to is being paged.")
    (page,) = take(desk.store, clock.now)
    again = clock.now + timedelta(seconds=10)
    desk.do(ENGINE, MissPage(row_id=page.row_id, tries=1, tried=TRIED[:1], next_at=again))
    assert card(desk, number, model).endswith("; WHO IS ASKED TO COULD NOT BE PAGED (Timeline).")
    (page,) = take(desk.store, again)
    desk.do(ENGINE, ConfirmPage(row_id=page.row_id, tries=2, tried=TRIED))
    assert card(desk, number, model).endswith("; who is asked to was paged.")
    *_, failed, paged = timeline(desk, number).told
    assert failed.what.startswith("COULD NOT PAGE ")
    assert failed.what.endswith(f" by sms (failed): tried again {again:%H:%M:%S} UTC")
    assert (failed.body, failed.pen) == ("sms: the service answered 401", "bad")
    assert paged.what.endswith(" by sms (failed), mail (delivered)")
    assert paged.people == (look(desk, number).bonds[0].engaged_by,)


def test_one_that_is_not_sent_says_why(desk: ServiceDesk, clock: Any) -> None:
    number, _ = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    desk.do(ENGINE, CancelPage(row_id=page.row_id, tries=1, why="acme has answered"))
    assert timeline(desk, number).told[-1].what.endswith(": acme has answered")


def test_a_page_is_a_row_of_the_outbox_whose_supplier_is_a_person(desk: ServiceDesk, clock: Any) -> None:
    number, _ = unconfirmed(desk, clock)
    create, page = sent(desk.store, BEN)
    assert (create.what, page.what, page.vendor, page.number) == ("create", "page", "ben", number)
    assert (page.state, page.person, page.by_hand) == ("queued", False, False)
    (row,) = take(desk.store, clock.now)
    desk.do(ENGINE, MissPage(row_id=row.row_id, tries=1, tried=TRIED[:1], why="nobody was reached"))
    _, page = sent(desk.store, BEN)
    assert (page.state, page.person) == ("dead", True)
    assert page.why == "nobody was reached; sms: the service answered 401"
    desk.do(BEN, Restrict(target=number))
    _, page = sent(desk.store, VIC)
    assert (page.vendor, page.what, page.why, page.person) == ("", "", "restricted", False)
    assert pages.unfinished(desk.store)[0].row_id == page.row_id
