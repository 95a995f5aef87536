"""Gaps and conflicts of being on call: found for the days ahead, and told so that somebody can mend them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from register.cover import Kind, both, findings, sentence, without
from register.duty import Duty, Override, Shift, Temporary
from register.policy import DEFAULT_MATRIX, Matrix
from register.roster import Roster
from register.rota import Rota
from register.steps import EscalationPolicy

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
END = BEGIN + timedelta(days=14)
IDS = {"ana": "p1", "ben": "p2"}
ALWAYS = {"shifts": [{"people": ["ana"]}]}


def hours(count: float) -> datetime:
    return BEGIN + timedelta(hours=count)


def matrix(steps: tuple[str, ...] = (), **rotas: object) -> Matrix:
    team = DEFAULT_MATRIX.teams["service-desk"].model_copy(update={"rota": "ops"})
    policies = (
        {"all": EscalationPolicy.model_validate({"steps": [{"to": one} for one in steps]})} if steps else {}
    )
    return DEFAULT_MATRIX.model_copy(
        update={
            "rotas": {key: Rota.model_validate(rules) for key, rules in rotas.items()},
            "teams": {"service-desk": team},
            "policies": policies,
            "default_policy": "all" if steps else None,
        }
    )


def override(id_: str, begin: float, end: float, add: str | None, remove: str | None) -> Override:
    return Override(id_, "ops", hours(begin), hours(end), add, remove, "p1", "")


def told(found: Roster, only: str | None = None) -> list[str]:
    names = {one: key for key, one in IDS.items()}
    return [
        sentence(one, lambda who: names.get(who, who), lambda at, rota: f"{at:%d. %H:%M}")
        for one in findings(found, BEGIN, END, only)
    ]


def test_nobody_on_call_is_told_once_a_rota_with_how_often_and_how_long() -> None:
    office = {"shifts": [{"people": ["ana"], "hours": "Mon-Fri 08:00-17:00"}]}
    assert told(Roster(matrix(ops=office, net=ALWAYS), ids=IDS)) == [
        "ops: nobody is on call from 02. 00:00 until 02. 08:00, and 10 more times, 246h in all."
    ]
    assert told(Roster(matrix(ops=ALWAYS), ids={})) == [
        "ops: nobody is on call from 02. 00:00 until 16. 00:00."
    ]
    assert told(Roster(matrix(ops=ALWAYS), ids=IDS)) == []


def test_leave_without_cover_is_told_where_nobody_else_is_put_in_the_place() -> None:
    pair = {"shifts": [{"people": ["ana", "ben"]}]}
    off = override("O-1", 10, 20, None, "p1")
    assert told(Roster(matrix(ops=pair), Duty(overrides=(off,)), IDS)) == [
        "ops: ana is off call from 02. 10:00 until 02. 20:00 (O-1), and nobody is in their place."
    ]
    covered = Duty(overrides=(off, override("O-2", 5, 15, "p2", None)))
    assert "from 02. 15:00 until 02. 20:00 (O-1)" in told(Roster(matrix(ops=pair), covered, IDS))[0]
    whole = Duty(overrides=(off, override("O-2", 5, 25, "p2", None)))
    assert told(Roster(matrix(ops=pair), whole, IDS)) == []


def test_an_override_that_changes_nothing_or_names_a_stranger_is_told() -> None:
    idle = Duty(overrides=(override("O-1", 10, 20, "p1", "p2"),))
    assert told(Roster(matrix(ops=ALWAYS), idle, IDS)) == [
        "ops: O-1 takes ben off call, who is not on call then: it changes nothing. `muster oncall end O-1`"
        " takes it back."
    ]
    strange = Duty(
        overrides=(override("O-1", 10, 20, "p9", "p1"),),
        temporary=(
            Temporary("T-2", "ops", hours(30), hours(40), (Shift(hours(30), hours(40), "p8"),), "p1", ""),
        ),
    )
    assert [one.kind for one in findings(Roster(matrix(ops=ALWAYS), strange, IDS), BEGIN, END)] == [
        Kind.NOBODY,
        Kind.STRANGER,
        Kind.STRANGER,
    ]
    assert "names p9, who is in matrix.toml no more" in told(Roster(matrix(ops=ALWAYS), strange, IDS))[1]
    over = Duty(overrides=(override("O-1", -20, 0, "p9", "p2"), override("O-2", 400, 500, "p9", "p2")))
    assert told(Roster(matrix(ops=ALWAYS), over, IDS)) == []


def test_the_same_person_first_and_second_is_told_where_a_policy_asks_both() -> None:
    turns = {"shifts": [{"people": ["ben", "ana"], "rotate": "weekly", "start": "2026-11-02"}]}
    both_asked = matrix(("oncall", "rota:net"), ops=ALWAYS, net=turns)
    assert told(Roster(both_asked, ids=IDS)) == [
        "ana is on call by ops and net at once from 09. 00:00 until 16. 00:00, and policies.all asks both:"
        " nobody stands behind them."
    ]
    assert told(Roster(both_asked, ids=IDS), "net") != []
    assert told(Roster(matrix(("oncall",), ops=ALWAYS, net=turns), ids=IDS)) == []


_SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda one: (hours(one[0]), hours(sum(one)))),
    max_size=5,
)


@settings(deadline=None)
@given(_SPANS, _SPANS)
def test_what_is_left_and_what_both_have_is_hour_by_hour_what_it_says(
    one: list[tuple[datetime, datetime]], other: list[tuple[datetime, datetime]]
) -> None:
    def holds(spans: list[tuple[datetime, datetime]], at: datetime) -> bool:
        return any(begin <= at < end for begin, end in spans)

    left, shared = without(one, other), both(one, other)
    for hour in range(60):
        at = hours(hour)
        assert holds(left, at) == (holds(one, at) and not holds(other, at))
        assert holds(shared, at) == (holds(one, at) and holds(other, at))
