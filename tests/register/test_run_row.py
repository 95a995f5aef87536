"""What the live row says of an incident's escalation, within its 400 bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from register.incident import Impact, Incident, State, Urgency, Visibility
from register.live import Live
from register.row import MAX_BYTES, board_row, mask
from register.run import Paging, Place, Plan, PlanStep, Run

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = AT + timedelta(minutes=7)
PLAN = Plan(
    policy="app",
    version=1,
    team="app-ops",
    repeat=1,
    steps=tuple(PlanStep(targets=(f"rota:{name}",), wait=300) for name in ("one", "two", "three", "four")),
)


def run(**changes: Any) -> Run:
    given: dict[str, Any] = {"id": "r1", "plan": PLAN, "began": AT, "why": "opened", "next_at": SOON}
    return Run(**(given | changes))


def incident(**changes: Any) -> Incident:
    given: dict[str, Any] = {
        "number": "INC-7",
        "title": "Checkout answers 500",
        "impact": Impact.HIGH,
        "urgency": Urgency.HIGH,
        "reporter": "p1",
        "opened_at": AT,
        "updated_at": AT,
    }
    return Incident(**(given | changes))


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (run(), ["triggered", 0, 1, 4, int(SOON.timestamp())]),
        (run(fired=Place(0, 1), place=Place(0, 2)), ["triggered", 2, 3, 4, int(SOON.timestamp())]),
        (run(fired=Place(0, 3), place=Place(1, 0)), ["triggered", 4, 1, 4, int(SOON.timestamp())]),
        (
            run(state=Paging.ACKNOWLEDGED, fired=Place(0, 1), next_at=None, ack_until=SOON),
            ["acknowledged", 2, 1, 4, int(SOON.timestamp())],
        ),
        (
            run(state=Paging.EXHAUSTED, fired=Place(1, 3), place=None, next_at=None),
            ["exhausted", 4, 0, 4, None],
        ),
        (run(state=Paging.SUPPRESSED), ["suppressed", 0, 1, 4, int(SOON.timestamp())]),
    ],
)
def test_the_row_says_how_far_an_escalation_has_come(one: Run, told: list[Any]) -> None:
    assert board_row(incident(run=one))["run"] == told


def test_where_none_runs_or_it_is_over_the_row_says_nothing() -> None:
    assert "run" not in board_row(incident())
    over = {"state": State.RESOLVED, "resolved_at": AT}
    assert "run" not in board_row(incident(run=run(), **over))


def test_others_do_not_learn_how_far_a_restricted_one_has_come() -> None:
    row = mask(board_row(incident(run=run(), visibility=Visibility.RESTRICTED)))
    assert "run" not in row
    assert row["masked"] is True


def test_it_has_its_place_within_400_bytes() -> None:
    full = incident(
        number="INC-1000000",
        title="Ø" * 200,
        team="t" * 40,
        service="s" * 100,
        category="c" * 100,
        run=run(fired=Place(0, 1), place=Place(0, 2)),
    )
    row = board_row(full)
    assert len(orjson.dumps(row)) <= MAX_BYTES
    assert row["run"][:4] == ["triggered", 2, 3, 4]


def test_a_copy_on_disk_whose_escalation_cannot_be_read_is_foreign(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    live = Live.open(path)
    live.belongs_to("REG")
    live.apply([board_row(incident(run=run()))], [], None, 1)
    live.save(now=1.0)
    assert len(Live.open(path).rows) == 1
    data = json.loads(path.read_text())
    data["incidents"]["7"]["run"][4] = "soon"
    path.write_text(json.dumps(data))
    assert Live.open(path).rows == []
