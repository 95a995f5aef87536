"""How times, bonds and widths read, and in which order incidents stand."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from rich.cells import cell_len

from register.live import Live
from register.merging import Shared
from register.pressing import rank
from register.row import mask
from register.topics.news import SupplierUpdated
from tests.tui.fakes import NOW, row, rows
from tui import actions, story
from tui.columns import Eyes, cells_of, columns_for
from tui.detail import PERSON
from tui.format import bond_text, due_text, duration, fit, state_and_alert, wall
from tui.model import Model
from tui.order import COUNTED, Counts, tally
from tui.session import session_from
from tui.signs import ASCII, UNICODE, plain, signs_for
from tui.telling import WORDS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0m"),
        (59, "0m"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (4320, "1h12"),
        (6 * 3600 + 1200, "6h20"),
        (86399, "23h59"),
        (86400, "1d"),
        (2 * 86400 + 4 * 3600, "2d4h"),
        (400 * 86400, "400d"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_due_says_what_is_left_or_how_late_it_is() -> None:
    assert due_text(NOW + 4320, NOW, UNICODE) == "1h12"
    assert due_text(NOW - 240, NOW, UNICODE) == "4m over !"
    assert due_text(NOW, NOW, UNICODE) == "0m"
    assert due_text(None, NOW, UNICODE) == "–"
    assert due_text(None, NOW, ASCII) == "-"


def test_wall_times_carry_their_zone() -> None:
    from datetime import UTC

    assert wall(NOW, UTC) == "22:13 UTC"


@pytest.mark.parametrize(
    ("bond", "wide", "narrow"),
    [
        (["acme", "open", "theirs", NOW - 720, "A-1", "ok"], "acme ✓ theirs 12m", "acme ✓ 12m"),
        (["acme", "open", "ours", NOW - 180, "A-1", "ok"], "acme ✓ ours 3m", "acme ✓ OURS"),
        (["nordnet", "engaging", "ours", NOW - 180, "", "?"], "nordnet ? ours 3m", "nordnet ? OURS"),
        (["nordnet", "engaging", "ours", NOW, "", "ok"], "nordnet · sending 0m", "nordnet · 0m"),
        (["nordnet", "open", "ours", NOW, "", "dead"], "nordnet ‼ ours 0m", "nordnet ‼ OURS"),
        (["acme", "fixed", "ours", NOW - 60, "A-1", "ok"], "acme ✓ fixed? 1m", "acme ✓ FIXED?"),
    ],
)
def test_a_bond_says_whose_turn_it_is(bond: list[object], wide: str, narrow: str) -> None:
    assert bond_text([bond], NOW, UNICODE, wide=True) == wide
    assert bond_text([bond], NOW, UNICODE, wide=False) == narrow


@pytest.mark.parametrize("width", [80, 100, 118])
@pytest.mark.parametrize("vendor", ["practice", "nordnet-hosting-and-peering", "日本電信電話会社です"])
def test_whose_turn_it_is_is_never_cut(vendor: str, width: int) -> None:
    bonds = [[vendor, "fixed", "ours", NOW - 60, "PRA-1234567", "ok"], ["x", "open", "theirs", NOW, "", "ok"]]
    columns = columns_for(width, 9)
    at = next(at for at, column in enumerate(columns) if column.title == "Supplier")
    for shown, ending in ((bonds[:1], "✓ FIXED?"), (bonds, " +1")):
        text, _ = cells_of(row(1, bonds=shown), Eyes(now=NOW), columns)[at]
        assert cell_len(text) < columns[at].width
        assert text.startswith(vendor[:1])
        assert text.casefold().split(" 1m")[0].endswith(ending.casefold()) or text.endswith(ending)


def test_the_practice_supplier_is_named_whole_at_80_columns() -> None:
    bond = ["practice", "fixed", "ours", NOW - 60, "PRA-1", "ok"]
    assert "practice ✓ FIXED?" in [
        text for text, _ in cells_of(row(1, bonds=[bond]), Eyes(NOW), columns_for(80, 9))
    ]


def test_of_two_bonds_the_one_that_needs_a_hand_is_shown() -> None:
    fine = ["acme", "open", "theirs", NOW - 720, "A-1", "ok"]
    dead = ["nordnet", "open", "theirs", NOW, "N-1", "dead"]
    assert bond_text([fine, dead], NOW, UNICODE, wide=True) == "nordnet ‼ theirs 0m +1"


def test_what_needs_a_hand_stands_first() -> None:
    overdue = row(1, due=NOW - 60, p=5)
    ours = row(2, bonds=[["acme", "open", "ours", NOW, "A", "ok"]])
    nobodys = row(3, owner=None, due=NOW + 1)
    soon, later, never = row(4, due=NOW + 60), row(5, due=NOW + 600, p=1), row(6, due=None, p=1)
    some = [never, later, soon, nobodys, ours, overdue]
    assert sorted(some, key=lambda r: rank(r, NOW)) == [overdue, ours, nobodys, soon, later, never]


def test_counts_kept_up_row_by_row_are_those_counted_anew() -> None:
    dice, counts = random.Random(7), Counts()
    board = {r["number"]: r for r in rows(40)}
    counts.recount(board.values(), "p1", NOW)
    for fresh in dice.sample(rows(80), 60):
        gone = dice.random() < 0.3
        board.pop(fresh["number"], None)
        if not gone:
            board[fresh["number"]] = fresh | {"p": dice.randint(1, 5), "owner": dice.choice([None, "p1"])}
        counts.put(fresh["number"], board.get(fresh["number"]), "p1", NOW)
    anew = Counts()
    anew.recount(board.values(), "p1", NOW)
    assert [counts[name] for name in COUNTED] == [anew[name] for name in COUNTED]
    assert len(counts) == len(board)


def test_an_empty_board_counts_nothing() -> None:
    counts = Counts()
    counts.recount([], None, NOW)
    assert [counts[name] for name in COUNTED] == [0] * len(COUNTED)


@pytest.mark.parametrize(
    "text", ["plain", "日本語のタイトルです", "a" * 99, "x日", "", "e\u0301" * 9, "👩‍👩‍👧 family"]
)
@pytest.mark.parametrize("width", [1, 2, 7, 12])
def test_every_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(fit(text, width, UNICODE)) == width


@pytest.mark.parametrize("width", [60, 80, 81, 100, 119, 200])
def test_the_columns_fill_the_board(width: int) -> None:
    columns = columns_for(width, 9)
    assert 2 + sum(c.width for c in columns) >= width
    assert ("State" in [c.title for c in columns]) == (width > 80)


def test_hostile_text_is_harmless_on_the_board() -> None:
    bad = row(
        1, title="\x1b[2J[bold]\u202etxt\n", bonds=[["a\x1b]0;x\x07", "open", "ours", NOW, "K\n", "ok"]]
    )
    eyes = Eyes(now=NOW, people={"p2": "Eve\x1b[31m"})
    text = "".join(cell[0] for cell in cells_of(bad, eyes, columns_for(120, 9)))
    assert not any(ord(c) < 32 or c == "\u202e" for c in text)
    assert "[bold]" in text


def test_a_restricted_incident_shows_no_more_than_its_number() -> None:
    seen = row(
        1, restricted=True, title="salary list leaked", bonds=[["acme", "open", "ours", NOW, "", "ok"]]
    )
    eyes = Eyes(now=NOW, me="p2", people={"p2": "ben"})
    for width in (80, 100, 200):
        columns = columns_for(width, 9)
        assert "salary" in repr(cells_of(seen, eyes, columns))
        told = [text for text, _ in cells_of(mask(seen), eyes, columns)]
        assert "".join(told) == "INC-1restricted"
        assert len(told) == len(columns)


def test_an_alert_that_fires_is_marked_and_told_in_words() -> None:
    quiet, loud = row(1), row(1, firing=True)
    for width in (80, 120):
        columns = columns_for(width, 9)
        title = cells_of(loud, Eyes(now=NOW), columns)[-1][0]
        assert title == f"● {cells_of(quiet, Eyes(now=NOW), columns)[-1][0]}"
        assert cells_of(loud, Eyes(now=NOW, signs=ASCII), columns)[-1][0].startswith("* ")
    assert state_and_alert(loud) == f"{state_and_alert(quiet)}, alert fires"
    assert "firing" not in mask(loud)


def test_a_restricted_incident_counts_for_nobody_and_stands_last() -> None:
    seen = row(1, restricted=True, p=1, owner=None, due=NOW - 60)
    assert sum(tally(seen, "p1", NOW)) == 3
    assert sum(tally(mask(seen), "p1", NOW)) == 0
    assert rank(seen, NOW) < rank(row(2), NOW) < rank(mask(seen), NOW)


def test_poor_locales_get_ascii_twins() -> None:
    assert signs_for("utf-8", {}) is UNICODE
    assert signs_for("iso-8859-1", {}) is ASCII
    assert signs_for("utf-8", {"MUSTER_ASCII": "1"}) is ASCII
    assert plain("‼ ▲ ✓ – …", ASCII).isascii()


def test_no_key_does_two_things() -> None:
    for table in (actions.BOARD, actions.INCIDENT):
        actions.by_key(table)
    with pytest.raises(ValueError, match="j is both"):
        actions.by_key((*actions.BOARD, actions.Action("other", "j", "x", "x")))


def test_the_footer_keeps_help_whatever_the_width() -> None:
    many = tuple(actions.Action(f"v{n}", chr(97 + n), f"verb{n}", "", shown=True) for n in range(9))
    for width in (20, 40, 80, 120):
        line = actions.footer((*many, *actions.BOARD), width)
        assert len(line) <= width
        assert line.endswith("? help")


def test_every_kind_of_event_has_words() -> None:
    import register.topics  # noqa: F401 - fills the table of kinds
    from register.core import EVENTS
    from tui.telling import WORDS

    assert {kind for kind, _ in EVENTS if not kind.startswith("_")} <= set(WORDS)


def test_a_promise_of_another_day_says_which(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    model = Model(session_from({"MUSTER_REGISTER": str(tmp_path / "r.db")}), Live.nowhere())
    model.utc = True
    model.eyes.now = datetime(2026, 11, 27, 16, 26, tzinfo=UTC).timestamp()
    for hours, by in ((1, "resolve by 17:26 UTC: "), (96, "resolve by 12-01 16:26 UTC: ")):
        due = model.eyes.now + hours * 3600
        told = "".join(
            text for line in story.heading("INC-1", row(1, due=due), None, model, 80) for text, _ in line
        )
        assert by in told


@pytest.mark.parametrize("row_id", ["", "a sending"])
def test_a_priority_that_they_alone_changed_is_not_told_as_changed_by_both(row_id: str) -> None:
    from register.incident import Priority
    from register.topics.differences import DifferenceFound
    from register.topics.news import SupplierReprioritised
    from tui.telling import WORDS

    about = {"bond": "b", "vendor": "acme"}
    found = DifferenceFound(
        **about, row_id=row_id, what="priority", field=Shared.PRIORITY, ours="P1", theirs="Low"
    )
    told = WORDS["difference_found"](found)
    who = "both changed the priority at acme" if row_id else "acme changed the priority"
    assert told["what"] == f"{who}: P1 is ours, Low is theirs"
    assert "muster settle" in told["body"]
    changed = SupplierReprioritised(
        **about, change_id="1", author="Lena", before="P1", raw_priority="Low", priorities=(Priority.LOW,)
    )
    words = WORDS["supplier_reprioritised"]
    assert "muster reprioritise" in words(changed)["body"]
    assert words(changed.model_copy(update={"asked": True}))["body"] == ""


@pytest.mark.parametrize(("author", "told"), [("Alva Agent", " (PERSON)"), ("unknown", "")])
def test_a_state_whose_author_is_not_told_does_not_read_as_an_unknown_one(author: str, told: str) -> None:
    about = {"bond": "b", "vendor": "acme", "change_id": "1", "before": "New", "raw_state": "In Progress"}
    event = SupplierUpdated(author=author, ball=None, fixed=None, **about)
    words = WORDS["supplier_updated"](event)
    assert words["what"] == f"New → In Progress{told.replace('PERSON', PERSON)}"
    assert len(words["people"]) == bool(told)


def test_every_pen_that_is_named_is_there() -> None:
    """A board that meets another one in a timeline ends."""
    import ast

    from tui.widgets.lines import PENS

    def texts(node: ast.AST) -> set[str]:
        if isinstance(node, ast.IfExp):
            return texts(node.body) | texts(node.orelse)
        return {str(node.value)} if isinstance(node, ast.Constant) else set()

    named: set[str] = set()
    for path in (Path(__file__).parents[2] / "tui").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                for key, value in pairs:
                    named |= texts(value) if isinstance(key, ast.Constant) and key.value == "pen" else set()
            elif isinstance(node, ast.keyword) and node.arg == "pen":
                named |= texts(node.value)
    assert named - {""} <= set(PENS)
    assert "warn" in named
