"""What people arrange about being on call: who may, what is refused, what follows, and what stays of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from register.adoption import as_text, digest_of
from register.core import Command, Policy, Principal, Refused, Role
from register.desk import ServiceDesk
from register.duty import STREAM, Shift
from register.matrix_toml import read_matrix
from register.roster import Roster
from register.store import Store
from register.store.adopted import adopted
from register.store.duty import duty_now
from register.store.erasing import erase, who_is
from register.store.rosters import roster_now
from register.toml_file import TomlFile
from register.topics.adoption import AdoptPolicy
from register.topics.on_call import EndArranged, MakeOverride
from register.topics.swaps import AcceptSwap, AskSwap, DeclineSwap
from register.topics.temporary import ScheduleFor, Turning
from register.verify import verify
from tests.register.saying import ADA, ANA, BEN

CAT = Principal("cat.s", Role.RESPONDER, "cli")
HOUR = timedelta(hours=1)
MATRIX = """\
fallback_team = "ops"
[teams.ops]
name = "Operations"
rota = "ops"
authority = ["cat", "ben"]
[people.ada]
name = "Ada"
login = "ada"
role = "admin"
[people.ana]
name = "Ana"
login = "ana"
[people.ben]
name = "Ben"
login = "ben"
role = "coordinator"
[people.cat]
name = "Catherine Sample"
login = "cat.s"
[rotas.ops]
zone = "Europe/Oslo"
[[rotas.ops.shifts]]
rotate = "daily"
start = 2026-03-02 09:00:00
people = ["ana", "ben"]
[rotas.net]
[[rotas.net.shifts]]
people = ["ben", "cat"]
[[policies.all.steps]]
to = ["oncall", "person:cat"]
"""
"""Ana is on call when the clock begins, 2026-03-02 09:00 UTC, which is an hour into her day."""


@pytest.fixture
def desk(store: Store, policy: Policy, clock: Any) -> ServiceDesk:
    read_matrix(MATRIX)
    desk = ServiceDesk(store, policy, clock)
    text, vendors = as_text(TomlFile("matrix.toml", MATRIX).tables), as_text({})
    desk.do(ADA, AdoptPolicy(matrix=text, vendors=vendors, digest=digest_of(text, vendors)))
    return desk


def roster(desk: ServiceDesk) -> Roster:
    return roster_now(desk.store, adopted(desk.store).policy.matrix)


def on_call(desk: ServiceDesk, at: datetime, rota: str = "ops") -> list[str]:
    """The keys of who is on call."""
    found = roster(desk)
    return [found.keys[one] for one in found.on_call(rota, at)]


def override(
    desk: ServiceDesk, who: Principal, begin: datetime, hours: float, rota: str = "ops", **whom: str
) -> str:
    """What was said of it."""
    command = MakeOverride(rota=rota, why="dentist", from_=begin, until=begin + hours * HOUR, **whom)  # type: ignore[arg-type]
    return desk.do(who, command).remarks[0]


def refusal(desk: ServiceDesk, who: Principal, command: Command) -> str:
    before = desk.store.seq()
    with pytest.raises(Refused) as error:
        desk.do(who, command)
    assert desk.store.seq() == before
    assert "othing was done" in error.value.sentence
    return error.value.sentence


# Overrides


def test_somebody_is_added_taken_out_or_put_in_anothers_place(desk: ServiceDesk, clock: Any) -> None:
    now = clock.now
    desk.do(BEN, MakeOverride(rota="ops", why="helps", add="cat", until=now + HOUR))
    assert on_call(desk, clock.now) == ["ana", "cat"]
    override(desk, BEN, now + 2 * HOUR, 1, remove="ana")
    override(desk, BEN, now + 4 * HOUR, 1, add="Catherine Sample", remove="ana")
    assert [on_call(desk, now + hours * HOUR) for hours in (1.5, 2.5, 3.5, 4.5, 5.5)] == [
        ["ana"],
        [],
        ["ana"],
        ["cat"],
        ["ana"],
    ]
    assert [one.id for one in duty_now(desk.store).overrides] == ["O-1", "O-2", "O-3"]
    assert verify(desk.store).faults == []


def test_it_says_what_follows_in_the_rotas_own_time(desk: ServiceDesk, clock: Any) -> None:
    said = override(desk, BEN, clock.now + HOUR, 2, add="cat", remove="ana")
    assert said == (
        "O-1: Catherine Sample is on call by ops whenever Ana would be, from Mon 2026-03-02 11:00 CET until"
        " Mon 2026-03-02 13:00 CET."
    )
    assert override(desk, BEN, clock.now + 4 * HOUR, 1, remove="ben").endswith(
        "As things stand Ben is not on call then: it changes nothing."
    )


def test_an_end_comes_early_and_what_has_not_begun_never_does(desk: ServiceDesk, clock: Any) -> None:
    now = clock.now
    override(desk, BEN, now, 5, add="cat")
    override(desk, BEN, now + 6 * HOUR, 5, add="cat")
    clock.now = now + 2 * HOUR
    desk.do(BEN, EndArranged(id="o-1"))
    desk.do(BEN, EndArranged(id="2"))
    (left,) = duty_now(desk.store).overrides
    assert (left.begin, left.end - left.begin) == (now.replace(microsecond=0), 2 * HOUR)
    assert [on_call(desk, now + hours * HOUR) for hours in (1, 3, 7)] == [["ana", "cat"], ["ana"], ["ana"]]
    assert "has the number 1, or it is over" in refusal(desk, BEN, EndArranged(id="O-1"))
    override(desk, BEN, now + 6 * HOUR, 5, add="cat")
    assert duty_now(desk.store).overrides[-1].id == "O-3", "a name was given twice"


def test_the_same_person_twice_at_once_is_refused(desk: ServiceDesk, clock: Any) -> None:
    override(desk, BEN, clock.now, 5, add="cat", remove="ana")
    for whom in ({"add": "cat"}, {"remove": "cat"}, {"add": "ana"}, {"add": "ben", "remove": "ana"}):
        command = MakeOverride(
            rota="ops", why="x", from_=clock.now + 4 * HOUR, until=clock.now + 9 * HOUR, **whom
        )
        sentence = refusal(desk, BEN, command)
        assert "is in an override of ops already then: O-1" in sentence
        assert "`muster oncall end O-1`" in sentence
    override(desk, BEN, clock.now + 5 * HOUR, 1, add="cat")  # where one ends another may begin
    override(desk, BEN, clock.now, 5, rota="net", add="ana", remove="cat")  # another rota is another matter


@pytest.mark.parametrize(
    ("whom", "who"),
    [
        ({"add": "me"}, ANA),
        ({"remove": "me"}, ANA),
        ({"add": "me", "remove": "ben"}, ANA),
        ({"add": "ana"}, ANA),
        ({"add": "cat", "remove": "ana"}, BEN),
    ],
)
def test_one_arranges_for_oneself_and_a_coordinator_for_all(
    desk: ServiceDesk, clock: Any, whom: dict[str, str], who: Principal
) -> None:
    override(desk, who, clock.now, 5, **whom)
    assert len(duty_now(desk.store).overrides) == 1


@pytest.mark.parametrize("whom", [{"add": "cat"}, {"remove": "ben"}, {"add": "cat", "remove": "me"}])
def test_for_others_it_takes_a_coordinator(desk: ServiceDesk, clock: Any, whom: dict[str, str]) -> None:
    command = MakeOverride(rota="ops", why="x", until=clock.now + HOUR, **whom)
    assert "`muster oncall swap ops PERSON`" in refusal(desk, ANA, command)


def test_who_may_end_what(desk: ServiceDesk, clock: Any) -> None:
    override(desk, BEN, clock.now, 1, add="cat")
    assert "takes the role coordinator" in refusal(desk, CAT, EndArranged(id="O-1"))
    override(desk, BEN, clock.now + 2 * HOUR, 1, add="cat", remove="ana")
    assert "takes the role coordinator" in refusal(desk, CAT, EndArranged(id="O-2"))
    desk.do(ANA, EndArranged(id="O-2"))  # it is her shift that comes back
    override(desk, CAT, clock.now + 4 * HOUR, 1, add="me")
    desk.do(CAT, EndArranged(id="O-3"))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"rota": "op", "add": "me"}, "did you mean ops?"),
        ({"add": "kat"}, "did you mean cat?"),
        ({"add": "nobody"}, "Known: ada, ana, ben, cat."),
        ({}, "Say who is on call (--add)"),
        ({"add": "ben", "remove": "me"}, "Nobody stands in for themselves"),
        ({"add": "me", "until": -1}, "That time is over"),
        ({"add": "me", "from_": 5, "until": 4}, "It ends before it begins"),
        ({"add": "me", "until": 9_999}, "longer than 400 days"),
    ],
)
def test_what_nobody_can_mean_is_refused(
    desk: ServiceDesk, clock: Any, more: dict[str, Any], says: str
) -> None:
    for field in ("from_", "until"):
        if field in more:
            more = more | {field: clock.now + more[field] * HOUR}
    command = MakeOverride(**{"rota": "ops", "why": "x", "until": clock.now + HOUR} | more)
    assert says in refusal(desk, BEN, command)


def test_who_is_in_no_matrix_is_not_on_call(desk: ServiceDesk, clock: Any) -> None:
    stranger = Principal("eve", Role.COORDINATOR, "cli")
    command = MakeOverride(rota="ops", why="x", add="me", until=clock.now + HOUR)
    assert "You are in no [people.NAME]" in refusal(desk, stranger, command)


def test_an_id_is_as_it_is_shown() -> None:
    assert [EndArranged(id=said).id for said in ("O-3", "t-3", " 3 ")] == ["3", "3", "3"]
    with pytest.raises(ValidationError, match="as `muster oncall` has it"):
        EndArranged(id="INC-3")


# Temporary schedules


def test_a_temporary_schedule_by_list_is_in_the_rotas_zone(desk: ServiceDesk, clock: Any) -> None:
    override(desk, BEN, clock.now, 100, add="ben")
    text = "cat 2026-03-02 12:00..18:00; ana 2026-03-02T22:00..08:00\nben 2026-03-03 08:00 - 2026-03-03 12:00"
    said = desk.do(
        BEN,
        ScheduleFor(
            rota="ops", why="party", shifts=text, from_=clock.now + HOUR, until=clock.now + 25 * HOUR
        ),
    )
    assert said.remarks[0] == (
        "T-2: ops goes by these 3 shifts alone, from Mon 2026-03-02 11:00 CET until Tue 2026-03-03 11:00 CET."
        " Nobody is on call at Mon 2026-03-02 11:00 CET."
    )
    assert [on_call(desk, clock.now + hours * HOUR) for hours in (0.5, 1.5, 2.5, 10, 14, 24.5, 25.5)] == [
        ["ana", "ben"],
        [],
        ["cat"],
        [],
        ["ana"],
        ["ben"],
        ["ben"],
    ]
    desk.do(BEN, EndArranged(id="T-2"))
    assert on_call(desk, clock.now + 10 * HOUR) == ["ana", "ben"]


def test_a_temporary_schedule_in_turn_hands_over_by_the_wall_clock(desk: ServiceDesk, clock: Any) -> None:
    clock.now = datetime.fromisoformat("2026-03-28T08:00+00:00")  # the clocks go forward that night
    desk.do(
        BEN,
        ScheduleFor(
            rota="ops",
            why="party",
            people=("cat", "ben"),
            rotate=Turning.DAILY,
            until=clock.now + 60 * HOUR,
        ),
    )
    (made,) = duty_now(desk.store).temporary
    assert [one.end - one.begin for one in made.shifts] == [23 * HOUR, 24 * HOUR, 13 * HOUR]
    assert [roster(desk).keys[one.person] for one in made.shifts] == ["cat", "ben", "cat"]
    desk.do(BEN, ScheduleFor(rota="net", why="all", people=("ana", "cat"), until=clock.now + HOUR))
    assert on_call(desk, clock.now, "net") == ["ana", "cat"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "Say who with --people"),
        ({"people": ("ana",), "shifts": "ana 2026-03-02 12:00..18:00"}, "and not both"),
        ({"shifts": "ana 2026-03-02 12:00..18:00", "rotate": Turning.DAILY}, "--rotate goes with --people"),
        ({"shifts": "ana tomorrow"}, "'ana tomorrow' is no shift"),
        ({"shifts": "ana 2026-03-32 12:00..18:00"}, "is no shift"),
        ({"shifts": "ana 2026-03-04 12:00..2026-03-03 18:00"}, "ends before it begins"),
        ({"shifts": "eve 2026-03-02 12:00..18:00"}, "There is nobody 'eve'"),
        ({"shifts": "ana 2026-05-02 12:00..18:00"}, "None of those shifts lies between"),
        ({"people": ("ana", "ben"), "rotate": Turning.HOURLY, "until": 2_000}, "more than 1000 shifts"),
    ],
)
def test_a_temporary_schedule_that_says_nothing_is_refused(
    desk: ServiceDesk, clock: Any, more: dict[str, Any], says: str
) -> None:
    until = clock.now + more.get("until", 48) * HOUR
    command = ScheduleFor(**{"rota": "ops", "why": "x"} | more | {"until": until})
    assert says in refusal(desk, BEN, command)


def test_of_temporary_schedules_there_is_one_at_a_time_and_a_coordinator_makes_it(
    desk: ServiceDesk, clock: Any
) -> None:
    first = ScheduleFor(rota="ops", why="x", people=("ana",), until=clock.now + 4 * HOUR)
    assert "role coordinator" in refusal_of_role(desk, ANA, first)
    desk.do(BEN, first)
    again = ScheduleFor(rota="ops", why="x", people=("ben",), until=clock.now + HOUR)
    assert "T-1 is a temporary schedule of ops already" in refusal(desk, BEN, again)
    desk.do(BEN, ScheduleFor(rota="net", why="x", people=("ben",), until=clock.now + HOUR))


def refusal_of_role(desk: ServiceDesk, who: Principal, command: Command) -> str:
    with pytest.raises(Refused) as error:
        desk.do(who, command)
    return error.value.sentence


# Swaps


def test_a_swap_changes_nothing_until_that_very_one_accepts(desk: ServiceDesk, clock: Any) -> None:
    said = desk.do(ANA, AskSwap(rota="ops", person="cat", why="moving house")).remarks[0]
    assert said == (
        "S-1: Catherine Sample is asked to take ops from Mon 2026-03-02 10:00 CET until Tue 2026-03-03 09:00"
        " CET. Until they say `muster oncall accept S-1`, Ana stays on call: tell them."
    )
    later = clock.now + 3 * HOUR
    assert on_call(desk, later) == ["ana"]
    for who in (ANA, BEN):
        assert "Catherine Sample, and only they can answer" in refusal(desk, who, AcceptSwap(id="S-1"))
    clock.now += 2 * HOUR
    desk.do(CAT, AcceptSwap(id="S-1"))
    assert on_call(desk, later) == ["cat"]
    assert on_call(desk, later + 24 * HOUR) == ["ben"]
    (made,) = duty_now(desk.store).overrides
    assert (made.id, made.by, made.why) == ("O-2", roster(desk).ids["ana"], "moving house")
    assert made.begin == clock.now.replace(microsecond=0), "what was before stays as it was"
    assert duty_now(desk.store).swaps == ()
    assert "it is over" in refusal(desk, CAT, AcceptSwap(id="S-1"))
    desk.do(ANA, EndArranged(id="O-2"))


def test_a_swap_is_declined_or_taken_back(desk: ServiceDesk, clock: Any) -> None:
    desk.do(ANA, AskSwap(rota="ops", person="cat"))
    assert "only they can answer" in refusal(desk, BEN, DeclineSwap(id="S-1"))
    assert "Ana stays on call" in desk.do(CAT, DeclineSwap(id="S-1", why="away")).remarks[0]
    desk.do(ANA, AskSwap(rota="ops", person="cat"))
    assert "asks Catherine Sample for that time already" in refusal(
        desk, ANA, AskSwap(rota="ops", person="ben")
    )
    desk.do(ANA, EndArranged(id="S-2"))
    assert duty_now(desk.store).swaps == ()
    assert on_call(desk, clock.now + HOUR) == ["ana"]


def test_the_next_shift_is_meant_or_what_is_said(desk: ServiceDesk, clock: Any) -> None:
    ben = Principal("ben", Role.RESPONDER, "cli")
    desk.do(ben, AskSwap(rota="ops", person="ana"))
    tomorrow = datetime.fromisoformat("2026-03-03T08:00+00:00")
    (asked,) = duty_now(desk.store).swaps
    assert (asked.begin, asked.end) == (tomorrow, tomorrow + 24 * HOUR)
    desk.do(ANA, AcceptSwap(id="S-1"))
    desk.do(
        CAT,
        AskSwap(rota="net", person="ana", from_=tomorrow + HOUR, until=tomorrow + 2 * HOUR),
    )
    asked = duty_now(desk.store).swaps[0]
    assert (asked.begin, asked.end) == (tomorrow + HOUR, tomorrow + 2 * HOUR)


def test_what_is_no_shift_of_ones_own_cannot_be_swapped(desk: ServiceDesk, clock: Any) -> None:
    assert "by ops in the next 100 days" in refusal(desk, CAT, AskSwap(rota="ops", person="ben"))
    assert "for others' it takes" in refusal(desk, CAT, AskSwap(rota="ops", person="ben", of="ana"))
    assert "Nobody swaps with themselves" in refusal(desk, ANA, AskSwap(rota="ops", person="ana"))
    early = AskSwap(rota="ops", person="cat", from_=clock.now + 24 * HOUR, until=clock.now + 25 * HOUR)
    assert "Ana is not on call by ops then" in refusal(desk, ANA, early)
    desk.do(BEN, AskSwap(rota="ops", person="cat", of="ana"))
    override(desk, ADA, clock.now, 1, add="cat")
    assert "O-2" in refusal(desk, CAT, AcceptSwap(id="S-1"))


# What stays of it


def test_who_is_erased_is_on_call_no_more_and_nothing_says_their_name(desk: ServiceDesk, clock: Any) -> None:
    now = clock.now
    desk.do(BEN, MakeOverride(rota="ops", why="Catherine Sample helps", add="cat", until=now + 9 * HOUR))
    desk.do(BEN, AskSwap(rota="ops", person="cat", of="ana", from_=now + 10 * HOUR))
    desk.do(
        BEN,
        ScheduleFor(rota="net", why="x", people=("cat", "ana"), from_=now + HOUR, until=now + 9 * HOUR),
    )
    assert on_call(desk, now + 2 * HOUR, "net") == ["cat", "ana"]
    cat = roster(desk).ids["cat"]
    erase(desk, ADA, who_is(desk.store, "cat.s"), "asked for")
    duty = duty_now(desk.store)
    assert duty.overrides == duty.swaps == ()
    assert [one.person for one in duty.temporary[0].shifts] == [roster(desk).ids["ana"]]
    assert cat not in roster(desk).ids.values()
    assert on_call(desk, now + 2 * HOUR, "net") == ["ana"]
    assert on_call(desk, now + 10 * HOUR, "net") == ["ben"], "the rules, without whoever is gone"
    matrix = adopted(desk.store).policy.matrix
    assert matrix.teams["ops"].authority == ("ben",)
    assert matrix.policies["all"].steps[0].to == ("oncall", "person:erased-1")
    told = str([one.event for one in desk.store.timeline(STREAM)]) + str(matrix)
    assert "Catherine" not in told
    assert "cat.s" not in told
    assert verify(desk.store).faults == []


def test_what_has_been_over_for_long_is_left_out_and_its_number_is_not_given_again(
    desk: ServiceDesk, clock: Any
) -> None:
    override(desk, BEN, clock.now, 1, add="cat")
    clock.now += timedelta(days=200)
    override(desk, BEN, clock.now, 1, add="cat")
    (left,) = duty_now(desk.store).overrides
    assert left.id == "O-2"


def test_another_process_and_a_rebuilt_fold_say_the_same(desk: ServiceDesk, clock: Any) -> None:
    override(desk, BEN, clock.now, 30, add="cat", remove="ana")
    desk.do(BEN, ScheduleFor(rota="net", why="x", people=("ana",), until=clock.now + HOUR))
    held = duty_now(desk.store)
    desk.store.duty = None
    assert duty_now(desk.store) == held
    begin = clock.now.replace(microsecond=0)
    ids = roster(desk).ids
    tomorrow = datetime.fromisoformat("2026-03-03T08:00+00:00")
    assert roster(desk).shifts("ops", begin, begin + 24 * HOUR) == (
        Shift(begin, tomorrow, ids["cat"]),
        Shift(tomorrow, begin + 24 * HOUR, ids["ben"]),
    )
