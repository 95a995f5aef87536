"""Who is on call with all that people arranged: what goes before what, and that both questions agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.duty import Duty, Override, Shift, Temporary
from register.policy import DEFAULT_MATRIX
from register.roster import Roster
from register.rota import Rota

ANA, BEN, CAT, DAN = "p1", "p2", "p3", "p4"
IDS = {"ana": ANA, "ben": BEN, "cat": CAT, "dan": DAN}
BEGIN = datetime.fromisoformat("2026-11-02T00:00+00:00")
WEEKLY = {
    "zone": "UTC",
    "shifts": [{"people": ["ana", "ben"], "rotate": "daily", "start": "2026-11-02 00:00"}],
}


def hours(count: float) -> datetime:
    return BEGIN + timedelta(hours=count)


def roster(rules: dict[str, object] = WEEKLY, ids: dict[str, str] = IDS, **duty: object) -> Roster:
    matrix = DEFAULT_MATRIX.model_copy(update={"rotas": {"ops": Rota.model_validate(rules)}})
    return Roster(matrix, Duty(**duty), ids)  # type: ignore[arg-type]


def override(begin: float, end: float, add: str | None = None, remove: str | None = None) -> Override:
    return Override("o", "ops", hours(begin), hours(end), add, remove, ANA, "")


def temporary(begin: float, end: float, *shifts: tuple[float, float, str]) -> Temporary:
    told = tuple(Shift(hours(one), hours(other), who) for one, other, who in shifts)
    return Temporary("t", "ops", hours(begin), hours(end), told, ANA, "")


def test_the_rules_alone() -> None:
    plain = roster()
    assert [plain.on_call("ops", hours(at)) for at in (-1, 0, 23.9, 24, 48)] == [
        (),
        (ANA,),
        (ANA,),
        (BEN,),
        (ANA,),
    ]
    assert plain.on_call("nothing", hours(1)) == ()
    assert plain.shifts("ops", hours(12), hours(60)) == (
        Shift(hours(12), hours(24), ANA),
        Shift(hours(24), hours(48), BEN),
        Shift(hours(48), hours(60), ANA),
    )
    assert plain.change("ops", hours(1)) == (hours(24), (BEN,))
    assert plain.shifts("ops", hours(5), hours(5)) == ()


def test_an_override_adds_takes_out_and_puts_in_the_place() -> None:
    assert roster(overrides=(override(2, 4, add=CAT),)).on_call("ops", hours(3)) == (ANA, CAT)
    assert roster(overrides=(override(2, 4, remove=ANA),)).on_call("ops", hours(3)) == ()
    both = roster({"shifts": [{"people": ["ana", "ben"]}]}, overrides=(override(2, 4, CAT, ANA),))
    assert [both.on_call("ops", hours(at)) for at in (1.99, 2, 3.99, 4)] == [
        (ANA, BEN),
        (CAT, BEN),
        (CAT, BEN),
        (ANA, BEN),
    ]


def test_a_replacement_counts_only_while_the_other_one_is_on_call() -> None:
    stands_in = roster(overrides=(override(12, 36, add=CAT, remove=ANA),))
    assert [stands_in.on_call("ops", hours(at)) for at in (13, 25)] == [(CAT,), (BEN,)]
    assert stands_in.shifts("ops", hours(0), hours(48)) == (
        Shift(hours(0), hours(12), ANA),
        Shift(hours(12), hours(24), CAT),
        Shift(hours(24), hours(48), BEN),
    )


def test_who_cannot_be_told_stands_in_for_nobody() -> None:
    gone = roster(overrides=(override(0, 48, add="p99", remove=ANA),))
    assert gone.on_call("ops", hours(3)) == (ANA,)
    assert roster(overrides=(override(0, 48, add="p99"),)).on_call("ops", hours(3)) == (ANA,)
    assert roster(ids={"ben": BEN}).on_call("ops", hours(3)) == ()


def test_a_temporary_schedule_goes_before_everything_and_its_gaps_are_gaps() -> None:
    arranged = roster(
        overrides=(override(0, 48, add=DAN),), temporary=(temporary(6, 18, (6, 10, CAT), (12, 30, BEN)),)
    )
    assert [arranged.on_call("ops", hours(at)) for at in (5, 6, 10, 11, 12, 17, 18)] == [
        (ANA, DAN),
        (CAT,),
        (),
        (),
        (BEN,),
        (BEN,),
        (ANA, DAN),
    ]


def test_of_two_temporary_schedules_the_one_arranged_last_holds() -> None:
    arranged = roster(temporary=(temporary(0, 9, (0, 9, BEN)), temporary(3, 6, (3, 6, CAT))))
    assert [arranged.on_call("ops", hours(at)) for at in (2, 4, 7)] == [(BEN,), (CAT,), (BEN,)]


def test_a_rota_without_rules_is_its_feed_with_overrides() -> None:
    feed = (Shift(hours(4), hours(8), BEN), Shift(hours(0), hours(6), ANA), Shift(hours(6), hours(7), "p99"))
    fed = roster({"zone": "UTC"}, feeds={"ops": feed}, overrides=(override(5, 7, CAT, BEN),))
    assert [fed.on_call("ops", hours(at)) for at in (0, 4, 5, 6, 7, 8)] == [
        (ANA,),
        (ANA, BEN),
        (ANA, CAT),
        (CAT,),
        (BEN,),
        (),
    ]
    assert roster({"zone": "UTC"}).on_call("ops", hours(1)) == ()
    assert roster(WEEKLY, feeds={"ops": feed}).on_call("ops", hours(30)) == (BEN,)


def test_when_nothing_changes_for_a_year_it_says_so() -> None:
    always = roster({"shifts": [{"people": ["ana"]}]})
    assert always.change("ops", hours(0)) is None
    assert always.shifts("ops", hours(0), hours(9000)) == (Shift(hours(0), hours(9000), ANA),)
    later = roster({"shifts": [{"people": ["ana"]}]}, overrides=(override(4000, 4001, remove=ANA),))
    assert later.change("ops", hours(0)) == (hours(4000), ())


# Property (e): at no instant do the two questions differ

_ZONES = ("Australia/Lord_Howe", "America/Chicago", "America/Havana", "Europe/Oslo", "UTC")
_DAYS = ("2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31")
_PEOPLE = st.lists(st.sampled_from(sorted(IDS)), min_size=1, max_size=4, unique=True)
_HOURS = st.sampled_from(
    [(), ("Sat-Sun 01:30-02:15",), ("Mon-Fri 08:00-17:00", "Sat 22:00-02:30"), ("Mon-Sun 20:00-08:00",)]
)
_START = st.sampled_from(["2026-01-01 02:15", "2026-03-01 01:30", "2026-10-31 01:30", "2026-10-24 00:00"])
_TURNING = st.builds(
    lambda people, unit, every, start, hours: {
        "people": people,
        "rotate": unit,
        "every": every,
        "start": start,
        "hours": hours,
    },
    _PEOPLE,
    st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
    st.integers(1, 5),
    _START,
    _HOURS,
)
_FIXED = st.builds(lambda people, hours: {"people": people, "hours": hours}, _PEOPLE, _HOURS)
_SPAN = st.tuples(st.integers(-60, 4000), st.integers(1, 2000))
_WHO = st.sampled_from([None, ANA, BEN, CAT, DAN, "p99"])


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Roster, datetime]:
    day = datetime.fromisoformat(draw(st.sampled_from(_DAYS))).replace(tzinfo=UTC)
    rules = draw(st.lists(st.one_of(_TURNING, _FIXED), max_size=3))

    def span() -> tuple[datetime, datetime]:
        begin, length = draw(_SPAN)
        return day + timedelta(minutes=begin), day + timedelta(minutes=begin + length)

    def shifts() -> tuple[Shift, ...]:
        return tuple(
            Shift(*span(), draw(st.sampled_from([ANA, BEN, CAT, "p99"])))
            for _ in range(draw(st.integers(0, 4)))
        )

    overrides = [
        Override(str(n), "ops", *span(), draw(_WHO), draw(_WHO), ANA, "")
        for n in range(draw(st.integers(0, 4)))
    ]
    temporaries = [
        Temporary(str(n), "ops", *span(), shifts(), ANA, "") for n in range(draw(st.integers(0, 2)))
    ]
    duty = {"overrides": tuple(overrides), "temporary": tuple(temporaries), "feeds": {"ops": shifts()}}
    return roster({"zone": draw(st.sampled_from(_ZONES)), "shifts": rules}, **duty), day


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rosters())
def test_property_e_at_no_instant_is_somebody_else_on_call_than_the_shifts_say(
    given: tuple[Roster, datetime],
) -> None:
    found, day = given
    begin, end = day + timedelta(minutes=7), day + timedelta(days=3, minutes=11)
    told = found.shifts("ops", begin, end)
    edges = {at for one in told for at in one[:2]}
    instants = {begin + minute * timedelta(minutes=15) for minute in range(3 * 96)}
    instants |= {edge + timedelta(seconds=by) for edge in edges for by in (-1, 0, 1)}
    for at in sorted(one for one in instants if begin <= one < end):
        covered = [one.person for one in told if one.begin <= at < one.end]
        assert sorted(covered) == sorted(found.on_call("ops", at)), at
    assert all(begin <= one.begin < one.end <= end for one in told)
    assert list(told) == sorted(told, key=lambda one: one.begin)
    for person in {one.person for one in told}:
        mine = [one for one in told if one.person == person]
        assert all(before.end < after.begin for before, after in pairwise(mine)), "one shift, told as two"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rosters())
def test_the_next_change_is_where_the_answer_is_another_one(given: tuple[Roster, datetime]) -> None:
    found, day = given
    now = found.on_call("ops", day)
    changed = found.change("ops", day)
    until = day + timedelta(days=3) if changed is None else min(changed[0], day + timedelta(days=3))
    at = day
    while at < until:
        assert found.on_call("ops", at) == now
        at += timedelta(minutes=15)
    if changed is not None:
        assert changed[1] == found.on_call("ops", changed[0]) != now
