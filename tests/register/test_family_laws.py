"""What holds of states whatever is asked of a family of incidents, one after the other. Pure: no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from register.core import Command, Policy, Refused, World, decide, fold
from register.incident import MAY, HoldReason, Incident, ResolutionCode, State
from register.topics.caller import HearCaller
from register.topics.family import goes_along
from register.topics.hold import PutOnHold, Resume
from register.topics.intake import Log
from register.topics.links import Link, LinkTo, Unlink
from register.topics.ownership import Acknowledge, Take
from register.topics.resolution import Cancel, Close, Reopen, Resolve
from register.topics.waking import Done, WakeUp

BEGIN = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
PARENT = "INC-1"
ALL = (PARENT, "INC-2", "INC-3")
ONE = st.sampled_from((PARENT, *ALL))
ENDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Resolve, target=ONE, code=st.just(ResolutionCode.FIXED), notes=st.just("Restarted.")),
    st.builds(Reopen, target=ONE, reason=st.just("It is back.")),
    st.builds(Close, target=st.sampled_from(ALL[1:])),
)
WAITS: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        PutOnHold,
        target=ONE,
        reason=st.sampled_from([HoldReason.CALLER, HoldReason.CHANGE, HoldReason.PROBLEM]),
        on=st.just("CHG-1"),
        until=st.none() | st.just(BEGIN + timedelta(hours=20)),
        note=st.just("Asked."),
    ),
    st.builds(Resume, target=ONE),
    st.builds(HearCaller, target=ONE, text=st.just("The left one.")),
    st.builds(Done, record=st.just("CHG-1")),
    st.builds(WakeUp, target=ONE),
)
REST: st.SearchStrategy[Command] = st.one_of(
    st.builds(Take, target=ONE),
    st.builds(Acknowledge, target=ONE),
    st.builds(Close, target=ONE),
    st.builds(Cancel, target=ONE, reason=st.just("A test.")),
    st.builds(Unlink, target=ONE, kind=st.just(Link.PARENT), to=st.just(PARENT)),
    st.builds(LinkTo, target=ONE, kind=st.just(Link.PARENT), to=st.just(PARENT)),
)
ASKED = st.one_of(ENDS, ENDS, ENDS, WAITS, WAITS, WAITS, REST)
"""What ends and what waits is asked more often than what takes one out of the game."""
HOURS = st.sampled_from([0, 0, 1, 30])
MOVES = {"held", "resumed", "resolved", "reopened", "closed", "canceled"}
"""Events that say a change of state, even where the state stays."""


def family() -> dict[str, Incident]:
    """A parent with two children, all new."""
    told: dict[str, Incident] = {}
    for number in ALL:
        carry_out(told, Log(title="x"), BEGIN, number)
    for child in ALL[1:]:
        carry_out(told, LinkTo(target=child, kind=Link.PARENT, to=PARENT), BEGIN)
    return told


def carry_out(
    told: dict[str, Incident], asked: Command, now: datetime, number: str = ""
) -> list[tuple[str, str, State, State]]:
    """Do what is asked; return (number, event, state before, state after) of each event of theirs."""
    target = asked.given("target")
    world = World(now=now, actor="p1", policy=Policy(), next_number=number, incidents=dict(told))
    found = []
    for said in decide(asked, told[target] if target else None, world):
        before = told.get(said.stream)
        after = fold(said.event, before, said.at or now, now)
        if after is not None:
            told[said.stream] = after
            if before is not None:
                found.append((said.stream, said.event.kind, before.state, after.state))
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(ASKED, HOURS), min_size=12, max_size=25))
def test_whatever_is_asked_every_change_of_state_is_one_that_the_table_has(
    asked: list[tuple[Command, int]],
) -> None:
    told, now = family(), BEGIN
    for command, hours in asked:
        now += timedelta(hours=hours)
        try:
            moved = carry_out(told, command, now)
        except Refused:
            continue
        for number, kind, before, after in moved:
            if kind in MOVES or before is not after:
                assert after in MAY[before], (number, kind, before, after)
        mine = [number for number, kind, _, _ in moved if kind in MOVES]
        assert len(mine) == len(set(mine)), "each once"
        parents = [(kind, was, state) for number, kind, was, state in moved if number == PARENT]
        if any(state is State.IN_PROGRESS is not was and kind != "reopened" for kind, was, state in parents):
            children = [told[number] for number in told[PARENT].children]
            assert all(one.state is State.IN_PROGRESS for one in children if goes_along(one))
