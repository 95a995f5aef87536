"""A shift that is handed over: nothing changes until the incoming person accepts, and then all of it does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from register.core import Command, NotFound, Policy, Principal, Refused, Role
from register.desk import Receipt, ServiceDesk
from register.handing import LAPSES, Offer, line_of
from register.incident import State
from register.matrix_toml import read_matrix
from register.store.duty import duty_now
from register.store.erasing import erase, who_is
from register.store.rosters import roster_now
from register.topics.family import children_of
from register.topics.links import Link, LinkTo
from register.topics.on_call import MakeOverride
from register.topics.ownership import PassOn, Take
from register.topics.shift_answer import AcceptHandover, DeclineHandover, WithdrawHandover
from register.topics.shift_offer import OfferHandover
from register.topics.sight import Restrict
from register.verify import verify
from tests.register.saying import ADA, ANA, BEN, everything, fixed, log, look, story

CAI = Principal("cai", Role.RESPONDER, "board")
MATRIX = """
fallback_team = "desk"

[teams.desk]
name = "Desk"
[teams.app]
name = "Applications"
rota = "app"
[people.ana]
name = "Ana Sample"
login = "ana"
teams = ["app"]
[people.ben]
name = "Ben Sample"
login = "ben"
[people.cai]
name = "Cai Sample"
login = "cai"

[rotas.app]
zone = "UTC"
shifts = [{ people = ["ana", "ben"], rotate = "daily", start = "2026-03-02 00:00" }]

[rotas.spare]
zone = "UTC"
shifts = [{ people = ["ben"] }]
"""


@pytest.fixture
def policy(policy: Policy) -> Policy:
    return replace(policy, matrix=read_matrix(MATRIX))


def mine(desk: ServiceDesk, **fields: Any) -> str:
    """An incident that Ana has."""
    number = log(desk, **fields)
    desk.do(ANA, Take(target=number))
    return number


def offer(desk: ServiceDesk, who: Principal = ANA, to: str = "cai", **fields: Any) -> Receipt:
    return desk.do(who, OfferHandover(to=to, **fields))


def stands(desk: ServiceDesk) -> list[Offer]:
    at = desk._clock()
    return [one.stands(at) for one in duty_now(desk.store).handovers]


def owner(desk: ServiceDesk, number: str) -> str | None:
    held = look(desk, number).owner
    return None if held is None else desk.store.people()[held]


def on_call(desk: ServiceDesk, rota: str = "app", **later: float) -> list[str]:
    """Who would be paged now, by the same roster that the steps of an escalation ask."""
    at = desk._clock() + timedelta(**later)
    people = desk.store.people()
    return [people[one] for one in roster_now(desk.store, desk.policy.matrix).on_call(rota, at)]


# Offered, and accepted


def test_until_it_is_accepted_nothing_changes(desk: ServiceDesk) -> None:
    number = mine(desk)
    before = look(desk, number)
    offer(desk, note="Quiet so far.", shift=("app",), edit=(f"{number}=It is the third disk.",))
    after = look(desk, number)
    assert after.but(updated_at=before.updated_at) == before
    assert (owner(desk, number), on_call(desk)) == ("ana", ["ana"])
    assert story(desk, number)[-1] == "handover_word"

    receipt = desk.do(CAI, AcceptHandover())
    assert (owner(desk, number), on_call(desk)) == ("cai", ["cai"])
    assert story(desk, number)[-2:] == ["reassigned", "acknowledged"]
    assert stands(desk) == [Offer.ACCEPTED]
    assert receipt.remarks[0] == f"You have {number} from now on."
    assert "on call by app until 2026-03-03 00:00 UTC" in receipt.remarks[1]
    assert verify(desk.store).faults == []


def test_the_shift_is_theirs_until_it_ends_and_no_longer(desk: ServiceDesk, clock: Any) -> None:
    offer(desk, shift=("app",), note="Mine until midnight.")
    desk.do(CAI, AcceptHandover())
    midnight = clock.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = (midnight - clock.now).total_seconds()
    assert on_call(desk, seconds=left - 60) == ["cai"]
    assert on_call(desk, seconds=left + 60) == ["ben"]
    assert on_call(desk, seconds=left + 60, days=1) == ["ana"]


def test_a_shift_that_was_handed_over_can_be_stood_in_for(desk: ServiceDesk, clock: Any) -> None:
    """Who accepted it falls ill: a coordinator puts another in their place, as in any other shift."""
    offer(desk, shift=("app",), note="Mine until midnight.")
    desk.do(CAI, AcceptHandover())
    later = clock.now + timedelta(hours=1)
    desk.do(BEN, MakeOverride(rota="app", add="ben", remove="cai", until=later, why="ill"))
    assert on_call(desk, minutes=1) == ["ben"]
    assert on_call(desk, hours=2) == ["cai"]


def test_without_a_word_of_it_the_shift_stays(desk: ServiceDesk) -> None:
    mine(desk)
    offer(desk)
    desk.do(CAI, AcceptHandover())
    assert on_call(desk) == ["ana"]


def test_a_shift_that_is_over_by_then_is_left_out(desk: ServiceDesk, clock: Any) -> None:
    offer(desk, shift=("app",), note="x")
    clock.passes(hours=20)
    assert on_call(desk) == ["ben"]
    receipt = desk.do(CAI, AcceptHandover())
    assert on_call(desk) == ["ben"]
    assert receipt.remarks == (
        "No incident changed hands.",
        "The shift by app is over: who is on call now is as the rota says.",
    )


def test_what_has_no_end_in_sight_is_handed_over_for_a_day(desk: ServiceDesk) -> None:
    offer(desk, BEN, shift=("spare",), note="x")
    desk.do(CAI, AcceptHandover())
    assert on_call(desk, "spare", hours=23) == ["cai"]
    assert on_call(desk, "spare", hours=25) == ["ben"]


def test_their_teams_are_told_of_and_not_given(desk: ServiceDesk) -> None:
    own, others, elsewhere = mine(desk), log(desk), log(desk)
    desk.do(BEN, PassOn(target=others, team="app"))
    assert look(desk, elsewhere).team == "desk"
    offer(desk, edit=(f"{others}=Watch it.",))
    (handover,) = duty_now(desk.store).handovers
    assert (handover.mine, handover.others) == ((own,), (others,))
    desk.do(CAI, AcceptHandover())
    assert (owner(desk, own), owner(desk, others)) == ("cai", None)


def test_another_team_may_be_named_and_some_be_kept(desk: ServiceDesk) -> None:
    first, second, other = mine(desk), mine(desk), log(desk)
    offer(desk, team=("Desk",), without=(first,))
    (handover,) = duty_now(desk.store).handovers
    assert (handover.mine, handover.others) == ((second,), (other,))
    desk.do(CAI, AcceptHandover())
    assert (owner(desk, first), owner(desk, second)) == ("ana", "cai")


def test_what_is_new_is_in_hand_by_it_and_its_children_too(desk: ServiceDesk) -> None:
    parent, child = log(desk), log(desk)
    desk.do(BEN, LinkTo(target=child, kind=Link.PARENT, to=parent))
    desk.do(BEN, PassOn(target=parent, to="ana"))
    assert children_of(look(desk, parent)) == (child,)
    assert look(desk, parent).state is State.NEW
    offer(desk)
    assert look(desk, parent).state is State.NEW
    desk.do(CAI, AcceptHandover())
    told = look(desk, parent)
    assert (told.state, told.acknowledged_by) == (State.IN_PROGRESS, told.owner)
    assert look(desk, child).state is State.IN_PROGRESS


# What has changed meanwhile


def test_what_is_over_or_somebody_elses_by_then_is_left_out_and_said(desk: ServiceDesk) -> None:
    over, passed, stays = mine(desk), mine(desk), mine(desk)
    offer(desk)
    desk.do(ANA, fixed(over))
    desk.do(ANA, PassOn(target=passed, to="ben"))
    receipt = desk.do(CAI, AcceptHandover())
    assert (look(desk, over).state, owner(desk, over)) == (State.RESOLVED, "ana")
    assert (owner(desk, passed), owner(desk, stays)) == ("ben", "cai")
    assert receipt.remarks == (
        f"You have {stays} from now on.",
        f"{over} is over by now, and was left out.",
        f"{passed} is somebody else's or nobody's by now, and stayed there.",
    )
    (handover,) = duty_now(desk.store).handovers
    assert handover.left == (over, passed)


def test_what_is_restricted_to_others_is_not_given_silently(desk: ServiceDesk) -> None:
    secret, plain = mine(desk, restricted=True), mine(desk)
    told = offer(desk)
    assert f"{secret} is restricted and does not name them" in told.remarks[1]
    receipt = desk.do(CAI, AcceptHandover())
    assert (owner(desk, secret), owner(desk, plain)) == ("ana", "cai")
    assert f"{secret} is restricted and does not name you: it stayed" in receipt.remarks[1]
    assert "Checkout" not in " ".join(receipt.remarks)


def test_an_admin_is_to_be_named_like_anybody_else(desk: ServiceDesk) -> None:
    secret = mine(desk, restricted=True)
    desk.do(ADA, log_of())
    offer(desk, to="ada")
    desk.do(ADA, AcceptHandover())
    assert owner(desk, secret) == "ana"


def test_once_they_are_named_it_is_given(desk: ServiceDesk) -> None:
    secret = mine(desk, restricted=True)
    offer(desk)
    desk.do(ANA, Restrict(target=secret, to=("cai",)))
    desk.do(CAI, AcceptHandover())
    assert owner(desk, secret) == "cai"


def test_what_the_giver_may_not_see_is_not_in_it(desk: ServiceDesk) -> None:
    hidden = desk.do(BEN, log_of(restricted=True)).number or ""
    desk.do(BEN, PassOn(target=hidden, team="app"))
    mine(desk)
    offer(desk)
    assert hidden not in duty_now(desk.store).handovers[0].numbers


def log_of(**fields: Any) -> Any:
    from register.topics.intake import Log

    return Log(title="Payroll", **fields)


# Who may, and when


WRONG: list[tuple[str, Principal, Command, str]] = [
    ("somebody else accepts", BEN, AcceptHandover(), "no handover to you"),
    ("the giver accepts", ANA, AcceptHandover(), "no handover to you"),
    ("an admin accepts", ADA, AcceptHandover(), "no handover to you"),
    ("somebody else declines", BEN, DeclineHandover(reason="no"), "no handover to you"),
    ("the giver declines", ANA, DeclineHandover(reason="no"), "no handover to you"),
    ("the incoming one withdraws", CAI, WithdrawHandover(), "no handover of yours"),
    ("a coordinator withdraws what they do not name", BEN, WithdrawHandover(), "no handover of yours"),
    (
        "one that is not there",
        CAI,
        AcceptHandover(handover="01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        "no handover 01ARZ",
    ),
    ("a second one", ANA, OfferHandover(to="ben"), "nobody has answered"),
    ("to oneself", CAI, OfferHandover(to="cai", note="x"), "That is you"),
    ("of nothing", CAI, OfferHandover(to="ben"), "nothing to hand over"),
    ("words on what is not in it", CAI, OfferHandover(to="ben", edit=("INC-1=x",)), "INC-1 is not in this"),
    ("a rota that is not there", CAI, OfferHandover(to="ben", shift=("x",)), "no rota 'x'"),
    ("a shift of somebody else", CAI, OfferHandover(to="ben", shift=("app",)), "not on call by app"),
    ("a team that is not there", CAI, OfferHandover(to="ben", team=("x",)), "no team 'x'"),
    ("to a stranger", CAI, OfferHandover(to="zed", note="x"), "Nobody here has the login"),
]


@pytest.mark.parametrize(("who", "command", "why"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_what_is_refused_writes_nothing(
    desk: ServiceDesk, who: Principal, command: Command, why: str
) -> None:
    mine(desk)
    offer(desk)
    desk.do(BEN, log_of())  # everybody is in the side table
    desk.do(CAI, log_of())
    desk.do(ADA, log_of())
    was = everything(desk.store)
    with pytest.raises(Refused, match=why) as refused:
        desk.do(who, command)
    assert refused.value.sentence.endswith((".", "yours."))
    assert everything(desk.store) == was


def test_one_whom_nobody_could_page_gets_no_shift(desk: ServiceDesk) -> None:
    desk.do(Principal("dan", Role.RESPONDER, "cli"), log_of())
    with pytest.raises(Refused, match="is not in \\[people\\]"):
        offer(desk, to="dan", shift=("app",))


ENDS: list[tuple[str, Callable[[ServiceDesk, Any], object], Offer]] = [
    ("accepted", lambda desk, clock: desk.do(CAI, AcceptHandover()), Offer.ACCEPTED),
    ("declined", lambda desk, clock: desk.do(CAI, DeclineHandover(reason="I am ill.")), Offer.DECLINED),
    ("withdrawn", lambda desk, clock: desk.do(ANA, WithdrawHandover()), Offer.WITHDRAWN),
    (
        "taken back by a coordinator",
        lambda desk, clock: desk.do(BEN, WithdrawHandover(handover=duty_now(desk.store).handovers[0].id)),
        Offer.WITHDRAWN,
    ),
    ("lapsed", lambda desk, clock: clock.passes(seconds=LAPSES.total_seconds()), Offer.LAPSED),
]


@pytest.mark.parametrize(("end", "how"), [one[1:] for one in ENDS], ids=[one[0] for one in ENDS])
def test_what_has_ended_is_accepted_by_nobody(
    desk: ServiceDesk, clock: Any, end: Callable[[ServiceDesk, Any], object], how: Offer
) -> None:
    number = mine(desk)
    id_ = offer(desk, shift=("app",)).events[0].command_id
    end(desk, clock)
    held, paged, was = owner(desk, number), on_call(desk), everything(desk.store)
    assert stands(desk) == [how]
    for command in (AcceptHandover(), AcceptHandover(handover=id_), DeclineHandover(reason="x")):
        with pytest.raises(Refused, match=f"is {how} already"):
            desk.do(CAI, command)
    with pytest.raises(Refused, match=f"is {how} already"):
        desk.do(ANA, WithdrawHandover())
    assert everything(desk.store) == was
    assert (owner(desk, number), on_call(desk)) == (held, paged)
    assert (held == "cai") is (how is Offer.ACCEPTED)


def test_an_offer_may_be_accepted_until_a_day_has_passed(desk: ServiceDesk, clock: Any) -> None:
    number = mine(desk)
    offer(desk)
    clock.passes(seconds=LAPSES.total_seconds() - 1)
    desk.do(CAI, AcceptHandover())
    assert owner(desk, number) == "cai"


def test_a_responder_takes_back_nobody_elses(desk: ServiceDesk) -> None:
    mine(desk)
    id_ = offer(desk).events[0].command_id
    desk.do(CAI, log_of())
    with pytest.raises(NotFound, match="of yours"):
        desk.do(CAI, WithdrawHandover(handover=id_))
    assert stands(desk) == [Offer.OPEN]


def test_after_an_end_it_may_be_offered_anew(desk: ServiceDesk) -> None:
    number = mine(desk)
    offer(desk)
    desk.do(CAI, DeclineHandover(reason="I am ill."))
    offer(desk, to="ben")
    desk.do(BEN, AcceptHandover())
    assert owner(desk, number) == "ben"
    assert stands(desk) == [Offer.DECLINED, Offer.ACCEPTED]


def test_of_two_to_the_same_person_one_is_named(desk: ServiceDesk) -> None:
    first = mine(desk)
    second = desk.do(BEN, log_of()).number or ""
    desk.do(BEN, Take(target=second))
    offer(desk)
    id_ = offer(desk, BEN).events[0].command_id
    with pytest.raises(Refused, match="say which one with --handover"):
        desk.do(CAI, AcceptHandover())
    desk.do(CAI, AcceptHandover(handover=id_[-6:].lower()))
    assert (owner(desk, first), owner(desk, second)) == ("ana", "cai")
    desk.do(CAI, AcceptHandover())
    assert owner(desk, first) == "cai"


def test_of_two_who_accept_at_once_one_does(desk: ServiceDesk) -> None:
    """The same person at two terminals: the register takes one word."""
    number = mine(desk)
    offer(desk, shift=("app",))

    def accept(_: int) -> str:
        try:
            return str(len(desk.do(CAI, AcceptHandover()).events))
        except Refused as refused:
            return refused.sentence

    with ThreadPoolExecutor(4) as threads:
        told = sorted(threads.map(accept, range(4)))
    assert told == ["3", *["This handover is accepted already. Nothing was done."] * 3]
    assert story(desk, number).count("reassigned") == 1
    assert len(duty_now(desk.store).overrides) == 1


def test_a_command_that_is_said_twice_is_done_once(desk: ServiceDesk) -> None:
    mine(desk)
    offered, accepted = OfferHandover(to="cai"), AcceptHandover()
    assert [desk.do(ANA, offered).replayed for _ in range(2)] == [False, True]
    assert [desk.do(CAI, accepted).replayed for _ in range(2)] == [False, True]


# What is kept of it


def test_words_stand_on_the_incident_and_go_with_whoever_is_erased(desk: ServiceDesk) -> None:
    number = mine(desk)
    offer(desk, note="Ask Eva Stone about it.", edit=(f"{number}=Eva Stone pulled the plug.",))
    desk.do(ANA, log_of(caller="Eva Stone"))
    assert "Eva" in duty_now(desk.store).handovers[0].note
    erase(desk, ADA, who_is(desk.store, "Eva Stone"), "asked for it")
    assert duty_now(desk.store).handovers[0].note == ""
    assert duty_now(desk.store).handovers[0].mine == (number,)
    assert "Eva" not in str([one.event for one in desk.store.timeline(number)])
    desk.do(CAI, AcceptHandover())
    assert owner(desk, number) == "cai"


def test_what_became_of_it_is_shown_for_two_days(desk: ServiceDesk, clock: Any) -> None:
    mine(desk)
    offer(desk)
    desk.do(CAI, DeclineHandover(reason="I am ill."))
    clock.passes(days=1)
    offer(desk)
    assert stands(desk) == [Offer.DECLINED, Offer.OPEN]
    desk.do(ANA, WithdrawHandover())
    clock.passes(days=1, hours=1)
    offer(desk)
    assert stands(desk) == [Offer.WITHDRAWN, Offer.OPEN]


def test_a_line_says_where_an_incident_stands(desk: ServiceDesk) -> None:
    number = mine(desk)
    incident = look(desk, number)
    line = line_of(incident, duty_now(desk.store), desk._clock())
    assert (line.number, line.state, line.owner, line.paging) == (number, "In Progress", incident.owner, "")
    assert (line.turns, line.hold, line.held, line.maintenance) == ((), "", "", None)
