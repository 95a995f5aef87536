"""What is in force is seen: maintenance and silences on the board, and a policy file that cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.incident import Silence as Kept
from register.live import Live
from register.row import MAX_BYTES, board_row, mask
from register.store import Store, open_store
from register.store.adopted import adopted
from register.topics.intake import Log
from register.topics.maintenance import EndMaintenance, StartMaintenance
from register.topics.silence import Silence
from tests.register.test_run_row import AT, incident, run
from tests.tui.fakes import NOW, row
from tests.tui.test_ticking import model, text
from tui.columns import Eyes, cells_of, columns_for, quiet_until
from tui.context import counts
from tui.detail import Detail, pane
from tui.in_force import InForce
from tui.messages import InForceRead
from tui.model import Model
from tui.quiet import Window, notices, why_quiet
from tui.run_words import chip
from tui.session import Session
from tui.signs import ASCII, Signs
from tui.story import heading

ME = Principal("ana", Role.ADMIN, "board")
IN_1_H = NOW + 3600
MATRIX = 'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n'


def shown(windows: tuple[Window, ...] = (), signs: Signs | None = None, **more: Any) -> Model:
    found = model() if signs is None else model(signs)
    found.tick(NOW)
    found.in_force = InForceRead(windows, **more)
    return found


def window(*services: str, end: float = IN_1_H, id_: str = "M-1") -> Window:
    return Window(id_, services, NOW - 60, end, "deploying 4.2")


# Pure


def test_a_maintenance_stands_above_the_board_until_it_is_over() -> None:
    told = shown((window("Payments"),))
    assert text(notices(told, 80)) == [" ⊘ maintenance: Payments until 23:13 UTC"]
    two = shown((window(end=IN_1_H + 60, id_="M-2"), window("Payments", "Mail")), ASCII)
    assert text(notices(two, 80)) == [
        " x maintenance: Payments, Mail until 23:13 UTC . everything until 23:14 UTC"
    ]
    two.tick(IN_1_H)
    assert text(notices(two, 80)) == [" x maintenance: everything until 23:14 UTC"]
    two.tick(IN_1_H + 60)
    assert notices(two, 80) == []


def test_many_maintenances_are_told_in_one_line_however_narrow() -> None:
    many = tuple(window(f"Service number {n}", id_=f"M-{n}", end=IN_1_H + n) for n in range(1, 9))
    (line,) = text(notices(shown(many), 80))
    assert line == " ⊘ maintenance: 8 services, the first until 23:13 UTC (muster maintenance list)"
    (line,) = text(notices(shown((*many, window())), 80))
    assert "everything, the first until" in line


def test_a_faulty_file_is_told_with_its_line_and_since_when_what_holds_was_adopted() -> None:
    faults = ("matrix.toml line 12, policies.app.steps: is missing: add it.", "vendors.toml line 3: no.")
    lines = text(notices(shown(faults=faults, since=NOW - 3600), 80))
    told = " ".join(line.strip() for line in lines)
    assert told.startswith(
        "‼ The policy adopted 21:13 UTC holds on. matrix.toml line 12, policies.app.steps:"
    )
    assert told.endswith("add it. (and 1 more)")
    assert all(len(line) <= 80 for line in lines)
    long = shown(faults=("matrix.toml line 1: " + "very " * 200,), since=NOW)
    assert len(notices(long, 80)) == 3


def test_a_row_that_is_quiet_says_so_and_until_when() -> None:
    eyes = Eyes(now=NOW, zone=model().zone)
    columns = columns_for(80, 9)
    said = cells_of(row(1, mute=IN_1_H), eyes, columns)[-1][0]
    assert said.startswith("⊘ 23:13 ")
    held = row(1, run=["suppressed", 1, 2, 3, IN_1_H + 60], mute=IN_1_H, firing=True)
    assert cells_of(held, eyes, columns)[-1][0].startswith("● ⊘ 23:14 ")
    assert cells_of(row(1), eyes, columns)[-1][0] == row(1)["title"]
    assert quiet_until(row(1, run=["triggered", 1, 2, 3, IN_1_H])) is None


def test_a_chip_of_the_matrix_has_the_sign_too() -> None:
    silenced = row(1, mute=IN_1_H, run=["triggered", 1, 2, 3, IN_1_H])
    assert chip(silenced, Eyes(now=NOW), None) == "INC-1 ⊘ 1/3 ▸ 2/3 in 1h"


def test_how_many_are_quiet_stands_among_the_figures() -> None:
    told = shown()
    told.live = Live.nowhere()
    told.take([row(1, mute=IN_1_H), row(2), row(3, run=["suppressed", 0, 1, 2, IN_1_H])], (), {}, 1)
    assert "⊘ 2" in "".join(piece for piece, _ in counts(told, 80, 0, 3))
    assert "⊘ silenced 2" in "".join(piece for piece, _ in counts(told, 140, 0, 3))


def test_the_pane_and_the_heading_say_why() -> None:
    told = shown((window("shop-web"), window("Mail")))
    one = incident(silence=Kept(until=AT + timedelta(hours=1), why="known", by="p1"))
    read = Detail("INC-1", "p1", None, (), one)
    lines = " ".join(line.strip() for line in text(pane(row(1, mute=IN_1_H), read, told, 38, 20)))
    assert "⊘ silenced until 23:13 UTC: known" in lines
    assert "⊘ shop-web in maintenance until 23:13 UTC: deploying 4.2" in lines
    assert "Mail" not in "".join(text(heading("INC-1", row(1, title="x"), None, told, 80)))
    assert "shop-web in maintenance until 23:13 UTC" in text(heading("INC-1", row(1), None, told, 80))[1]
    assert why_quiet(row(1, service="Mailer"), told) == []
    cut = shown((window("a service with a very long name"),))
    assert why_quiet(row(1, service="a service with a very l…"), cut)


def test_the_live_row_has_it_within_its_bounds_and_others_do_not_learn_it() -> None:
    kept = Kept(until=AT, why="known", by="p1")
    full = incident(title="Ø" * 200, service="s" * 100, run=run(), silence=kept)
    made = board_row(full)
    import orjson

    assert made["mute"] == int(AT.timestamp())
    assert len(orjson.dumps(made)) <= MAX_BYTES
    assert "mute" not in mask(made)
    assert "mute" not in board_row(incident())


# With a register


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "home").mkdir()
    return Session(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "home", "ana", os.getuid())


@pytest.fixture
def own(session: Session) -> Iterator[Store]:
    store = open_store(session.register_url)
    yield store
    store.close()


def test_a_file_that_is_edited_badly_changes_nothing_and_one_that_is_mended_is_taken_over(
    session: Session, own: Store
) -> None:
    told: list[InForceRead] = []
    watch, file = InForce(session), session.home / "matrix.toml"
    (session.home / "vendors.toml").write_text("")
    file.write_text(MATRIX)
    watch.look(own, told.append)
    watch.look(own, told.append)
    assert [(one.faults, one.said) for one in told] == [((), "")]
    assert adopted(own).policy.version == 1

    file.write_text(MATRIX + "[services]\nMail = 7\n")
    watch.look(own, told.append)
    assert told[-1].faults[0].startswith("matrix.toml line 5, services.Mail")
    assert told[-1].since == told[0].since > 0
    assert adopted(own).policy.version == 1

    file.write_text(MATRIX + '[services]\nMail = "post"\n')
    watch.look(own, told.append)
    assert (told[-1].faults, told[-1].said[:23]) == ((), "Policy version 2 holds ")
    assert list(adopted(own).policy.matrix.services) == ["Mail"]

    file.unlink()  # an editor that writes another one and gives it the name
    watch.look(own, told.append)
    assert "There is no" in told[-1].faults[0]
    assert list(adopted(own).policy.matrix.services) == ["Mail"]
    file.write_text(MATRIX + '[services]\nMail = "post"\n')
    watch.look(own, told.append)
    assert (told[-1].faults, told[-1].said) == ((), "")
    assert len(told) == 5


def test_a_maintenance_is_told_when_it_begins_and_when_it_ends(session: Session, own: Store) -> None:
    told: list[InForceRead] = []
    watch, desk = InForce(session), ServiceDesk(own)
    watch.look(own, told.append)
    desk.do(ME, StartMaintenance(services=("Mail",), for_=timedelta(hours=1), why="moved"))
    watch.look(own, told.append)
    ((one,),) = [news.windows for news in told if news.windows]
    assert (one.id, one.services, one.why, one.end - one.begin) == ("M-1", ("Mail",), "moved", 3600)
    desk.do(ME, Log(title="x"))
    watch.look(own, told.append)
    assert len([news for news in told if news.windows]) == 1
    desk.do(ME, EndMaintenance(id="M-1"))
    watch.look(own, told.append)
    assert told[-1].windows == ()


def test_the_board_as_text_tells_both(
    session: Session, own: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from tui.text_board import print_board

    desk = ServiceDesk(own)
    desk.do(ME, StartMaintenance(for_=timedelta(hours=1), why="moved", all=True))
    number = desk.do(ME, Log(title="Mail is late")).number or ""
    desk.do(ME, Silence(target=number, for_=timedelta(hours=1), why="known"))
    assert print_board(session) == 0
    out = capsys.readouterr().out
    assert out.startswith("maintenance: every service until ")
    assert " Mail is late" in out
    assert "⊘ " in out or "x " in out
