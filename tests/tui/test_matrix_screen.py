"""The Matrix screen as a person uses it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from register.core import Role
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.matrix_sample import AT, HOUR, MATRIX, sample
from tests.tui.test_board import settled, text_of
from tui.app import MusterApp
from tui.doing import OVERRIDE
from tui.messages import Done, FeedMoved, MatrixRead, SheetRead, VerbsLearned
from tui.screens.form import FormScreen
from tui.screens.incident import IncidentScreen
from tui.screens.matrix import MatrixScreen
from tui.screens.outbox import OutboxScreen
from tui.screens.sheet import SheetScreen
from tui.signs import ASCII
from tui.verbs import verbs_for

Matrix = tuple[MusterApp, Pilot[None], FakeDoor]
ROWS = [
    row(1042, run=["triggered", 2, 3, 3, NOW + 420]),
    row(1039, category="network", run=["acknowledged", 1, 2, 3, None]),
    row(7, category="network", service="vpn", run=["exhausted", 3, 0, 3, None]),
    row(8, run=["suppressed", 1, 2, 3, NOW + 2 * 3600]),
    *[row(n) for n in range(20, 57)],
]
SIZES = [(80, 24), (120, 30)]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for where in ("tui.model", "tui.screens.table", "tui.screens.sheet"):
        monkeypatch.setattr(f"{where}.time.time", lambda: float(NOW))
    monkeypatch.setattr("tui.screens.matrix.AT_MOST_EACH", 0.0)
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(params=SIZES)
async def matrix(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    app = app_with(tmp_path / "live.json", ROWS)
    async with app.run_test(size=request.param) as pilot:
        await opened(app, pilot)
        yield app, pilot, app.door


async def opened(app: MusterApp, pilot: Pilot[None], grid: Any = None) -> None:
    await settled(pilot)
    app.post_message(VerbsLearned(verbs_for(Role.ADMIN)))
    await settled(pilot)
    await pilot.press("2")
    await settled(pilot)
    app.post_message(MatrixRead(grid or sample()))
    await settled(pilot)


def line_of(app: MusterApp, word: str) -> str:
    return next(line for line in text_of(app)[2:] if word in line)


def shown(app: MusterApp) -> MatrixScreen:
    assert isinstance(app.screen, MatrixScreen)
    return app.screen


PICTURES = Path(__file__).parent / "pictures"


async def test_the_whole_matrix_is_seen_at_a_glance(matrix: Matrix) -> None:
    app, _, _ = matrix
    told = [line for line in text_of(app)[1:-1] if line.strip("─")]
    picture = PICTURES / f"matrix-{app.size.width}x{app.size.height}.txt"
    assert told == picture.read_text().splitlines()
    assert text_of(app)[0].startswith(" MUSTER")
    assert "Matrix" in text_of(app)[0]


async def test_in_a_poor_locale_it_says_the_same_in_ascii(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", ROWS, ASCII)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        told = "\n".join(line for line in text_of(app) if line.strip("─"))
        assert told.isascii(), [letter for letter in told if not letter.isascii()]
        assert "! nobody > step 2" in told
        assert "INC-1042 2/3 > 3/3 in 7m" in told
        assert "now |----Ana-----|08:13|" in told


async def test_right_shows_later_steps_and_authority_then_the_next_incident(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    if app.size.width == 80:
        await pilot.press("right")
        await settled(pilot)
        assert text_of(app)[1].startswith("< Category    Team    +5m")
        await pilot.press("right")
        await settled(pilot)
        assert "Ben, Eva" in line_of(app, "application app-ops")
    screen = shown(app)
    assert screen.incident
    assert screen.incident["number"] == "INC-1042"
    await pilot.press("right")
    await settled(pilot)
    assert screen.incident["number"] == "INC-8"
    assert re.search("INC-8 held (until )?00:13", line_of(app, "application app-ops"))
    await pilot.press("left", "left", "left", "left", "left")
    await settled(pilot)
    assert screen.incident["number"] == "INC-1042"
    assert "step 1 now" in text_of(app)[1]


async def test_tab_walks_through_the_incidents_of_a_line_and_no_further(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    screen = shown(app)
    await pilot.press("tab", "tab")
    await settled(pilot)
    assert screen.incident
    assert screen.incident["number"] == "INC-20"
    assert "INC-20" in line_of(app, "application app-ops")
    await pilot.press(*["tab"] * 40)
    await settled(pilot)
    assert screen.incident["number"] == "INC-37"  # the twentieth
    await pilot.press("shift+tab", "j")
    await settled(pilot)
    assert screen.incident["number"] == "INC-1039"
    await pilot.press("tab")
    await settled(pilot)
    assert screen.incident["number"] == "INC-1039"
    await pilot.press("k")
    await settled(pilot)
    assert screen.incident["number"] == "INC-36"  # each line keeps its own


async def test_the_line_under_the_cursor_is_told_below(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    await pilot.press("j", "j")
    await settled(pilot)
    told = " ".join(" ".join(text_of(app)[-11:]).split())
    assert "‼ nobody" in line_of(app, "(next 24h, infra, UTC)")
    assert "INC-7 P3 owned by app-ops ‼ every step taken, nobody answered" in told
    assert "network of edge, vpn: Infrastructure, policy app" in told
    assert "2 +5m ‼ nobody (infra lead): skipped at once to step 3" in told
    assert "give the team a lead" in told


async def test_enter_opens_the_incident_and_e_and_p_ask_about_it(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    await pilot.press("j", "p")
    await settled(pilot)
    assert isinstance(app.screen, FormScreen)
    assert "Pass INC-1039 on" in "\n".join(text_of(app))
    await pilot.press("escape")
    await settled(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(app.screen, IncidentScreen)
    assert app.screen.number == "INC-1039"
    await pilot.press("2")
    await settled(pilot)
    assert isinstance(app.screen, MatrixScreen)
    assert len(app.screen_stack) == 2


async def test_where_no_incident_is_open_a_key_says_so(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    for key in ("p", "enter"):
        await pilot.press("G", key)
        await settled(pilot)
        assert isinstance(app.screen, MatrixScreen)
        assert "No incident is open in this line" in " ".join(text_of(app)[-2:])


async def test_the_cursor_stays_with_its_incident_and_line_whatever_comes(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    screen = shown(app)
    await pilot.press("tab")
    await settled(pilot)
    assert screen.incident
    assert screen.incident["number"] == "INC-8"
    app.post_message(FeedMoved((row(2000, run=["exhausted", 3, 0, 3, None]),), frozenset(), {}, 9))
    await settled(pilot)
    assert screen.incident["number"] == "INC-8"
    assert "+39" in line_of(app, "application app-ops") or "+38" in line_of(app, "application app-ops")
    app.post_message(FeedMoved((), frozenset({"INC-8"}), {}, 10))
    await settled(pilot)
    assert screen.incident["number"] == "INC-2000"
    more = MATRIX.model_copy(
        update={"categories": {"archive": MATRIX.categories["network"], **MATRIX.categories}}
    )
    app.post_message(MatrixRead(sample(matrix=more)))
    await settled(pilot)
    assert screen.at == 1
    assert screen.here
    assert screen.here.category == "application"


async def test_a_step_that_was_taken_is_seen_from_the_feed(matrix: Matrix) -> None:
    app, pilot, door = matrix
    app.post_message(FeedMoved((row(1042, run=["triggered", 3, 1, 3, NOW + 900]),), frozenset(), {}, 9))
    await settled(pilot)
    assert "INC-1042 3/3 ▸ 1/3 in 15m" in line_of(app, "application app-ops")
    assert door.matrix_reads == 2  # who is told is read anew, whatever it was


async def test_who_is_told_is_read_when_something_was_written_and_each_minute(matrix: Matrix) -> None:
    app, pilot, door = matrix
    assert door.matrix_reads == 1
    app.post_message(FeedMoved((), frozenset(), {}, 9))  # an override: no incident changed
    await settled(pilot)
    assert door.matrix_reads == 2
    app._minute_on_screens()
    await settled(pilot)
    assert door.matrix_reads == 3
    app.post_message(Done("x:1", "override", None))
    await settled(pilot)
    assert door.matrix_reads == 4
    app.post_message(MatrixRead(sample(now=AT + 19 * HOUR)))
    await settled(pilot)
    assert "‼ nobody → step 2" in line_of(app, "application app-ops")


async def test_nothing_is_painted_while_nothing_changes(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    before = text_of(app)
    painted: list[object] = []
    screen: Any = app.screen
    for widget in screen.query("Picker, Lines"):
        widget.refresh = lambda *some, **named: painted.append(some)
    app.post_message(MatrixRead(sample()))
    app.post_message(FeedMoved((row(1042, run=["triggered", 2, 3, 3, NOW + 420]),), frozenset(), {}, 9))
    await settled(pilot)
    assert painted == []
    assert text_of(app) == before


async def test_z_shows_the_strip_in_the_viewers_zone_or_utc(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    app, pilot, _ = matrix
    monkeypatch.setitem(os.environ, "TZ", "Europe/Oslo")
    time.tzset()
    try:
        app._minute_on_screens()
        await settled(pilot)
        assert "┤09:13├" in line_of(app, "CET)")
        assert "Ana until 09:13" in line_of(app, "application app-ops")
        await pilot.press("z")
        await settled(pilot)
        assert "┤08:13├" in line_of(app, "UTC)")
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_register_without_policies_says_what_to_do(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", ROWS)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, sample(matrix=MATRIX.model_copy(update={"policies": {}})))
        told = " ".join(" ".join(text_of(app)).split())
        assert "No policy says who is told" in told
        assert "[policies.NAME]" in told
        assert "muster apply" in told
        assert "docs/escalation.md" in told
        await pilot.press("enter", "tab", "right", "left", "p", "j")
        await settled(pilot)
        assert isinstance(app.screen, MatrixScreen)


async def test_a_category_without_a_policy_stands_out(tmp_path: Path) -> None:
    net = MATRIX.teams["net-ops"].model_copy(update={"policy": None})
    app = app_with(tmp_path / "live.json", ROWS)
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(
            app, pilot, sample(matrix=MATRIX.model_copy(update={"teams": {**MATRIX.teams, "net-ops": net}}))
        )
        assert "‼ no policy" in line_of(app, "network     net-ops")
        await pilot.press("j")
        await settled(pilot)
        assert "No policy is for it: give teams.net-ops one" in " ".join(text_of(app)[-11:])


async def test_what_is_restricted_shows_its_number_alone(tmp_path: Path) -> None:
    secret = {"masked": True, "restricted": True, "category": "", "service": "", "team": "", "title": ""}
    app = app_with(tmp_path / "live.json", [row(9, **secret)])
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        assert "INC-9 restricted" in line_of(app, "any other")


async def test_a_viewer_has_the_keys_that_only_look(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", ROWS)
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(()))
        await pilot.press("2")
        await settled(pilot)
        app.post_message(MatrixRead(sample()))
        await settled(pilot)
        assert "pass" not in text_of(app)[-1]
        await pilot.press("p", "e", "O")
        await settled(pilot)
        assert isinstance(app.screen, MatrixScreen)


async def test_lint_is_read_on_a_sheet_that_scrolls(matrix: Matrix) -> None:
    app, pilot, door = matrix
    await pilot.press("L")
    await settled(pilot)
    assert isinstance(app.screen, SheetScreen)
    assert door.sheets == [("lint", "")]
    assert "What `muster matrix lint` says" in text_of(app)[1]
    app.post_message(SheetRead("lint", "", tuple(f"• note {n}\x1b[31m" for n in range(60))))
    await settled(pilot)
    assert "• note 0" in "\n".join(text_of(app))
    assert "\x1b" not in "\n".join(text_of(app))
    await pilot.press("G")
    await settled(pilot)
    assert "• note 59" in "\n".join(text_of(app))
    await pilot.press("g", "j", "pagedown", "r")
    await settled(pilot)
    assert door.sheets == [("lint", ""), ("lint", "")]
    await pilot.press("escape")
    await settled(pilot)
    assert isinstance(app.screen, MatrixScreen)


async def test_the_modes_lead_here_and_back_and_do_not_pile_up(matrix: Matrix) -> None:
    app, pilot, _ = matrix
    for _ in range(2):
        await pilot.press("4")
        await settled(pilot)
        assert isinstance(app.screen, OutboxScreen)
        await pilot.press("2")
        await settled(pilot)
        assert isinstance(app.screen, MatrixScreen)
        assert len(app.screen_stack) == 2
    await pilot.press("2", "1")
    await settled(pilot)
    assert app.screen is app.board


async def test_f_foresees_the_incident_under_the_cursor(matrix: Matrix) -> None:
    app, pilot, door = matrix
    await pilot.press("j", "f")
    await settled(pilot)
    assert isinstance(app.screen, SheetScreen)
    assert door.sheets == [("forecast", "INC-1039")]
    assert "INC-1039: who would be told" in text_of(app)[1]
    long = f"Wed 15 Nov 08:00 UTC  Ana, Ben  policies.usual, step 2 of 3{', rota:noc' * 20}"
    app.post_message(SheetRead("forecast", "INC-1", ("of another one",)))
    app.post_message(SheetRead("forecast", "INC-1039", ("It is ours.", "", long)))
    await settled(pilot)
    shown = text_of(app)
    assert "of another one" not in "\n".join(shown)
    first = next(at for at, line in enumerate(shown) if "Wed 15 Nov" in line)
    assert shown[first + 1].startswith("     ")
    assert sum(line.count("rota:noc") for line in shown) == 20
    await pilot.press("escape", "G", "f")
    await settled(pilot)
    assert isinstance(app.screen, MatrixScreen)


async def test_o_asks_who_stands_in_on_the_rota_of_the_line(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot, _ = matrix
    if OVERRIDE not in app.model.may:
        pytest.skip("nobody can be put on call yet")
    await pilot.press("O")
    await settled(pilot)
    assert isinstance(app.screen, FormScreen)
    assert dict(app.screen.form.given) == {"rota": "app"}
    await pilot.press("escape")
    await settled(pilot)


async def test_without_a_rota_nobody_can_be_put_on_it(tmp_path: Path) -> None:
    teams = {
        **MATRIX.teams,
        "app-ops": MATRIX.teams["app-ops"].model_copy(update={"rota": None}),
    }
    app = app_with(tmp_path / "live.json", ROWS)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, sample(matrix=MATRIX.model_copy(update={"teams": teams})))
        assert "app-ops has no rota" in " ".join(text_of(app)[-11:])
        shown(app).do_override()
        await settled(pilot)
        assert "app-ops has no rota" in text_of(app)[-1] + text_of(app)[-2]
