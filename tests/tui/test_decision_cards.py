"""What waits for a person's decision about a supplier: found in a register, shown, and decided by a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from register.asking import Asks
from register.contact import Contact
from register.core import VERBS, Refused, Role
from register.desk import ServiceDesk
from register.incident import (
    Bond,
    BondState,
    CallCard,
    CallWhy,
    Impact,
    Incident,
    TicketRef,
    Urgency,
)
from register.merging import Owner, Shared
from register.row import board_row
from register.store.vendors import health
from register.topics.correction import Correct
from register.topics.delivery import AskAboutSending, ConfirmSending, PauseVendor
from register.topics.ending import WithTheirs
from register.topics.hearing import Hear, Unreadable
from register.topics.leaving_it import LeaveIt
from register.topics.pausing import HoldBack, LetGoOn
from register.topics.proposal import Accept, Dispute
from tests.register.saying import (
    ACME_2,
    ADA,
    BEN,
    ENGINE,
    claim,
    doubt,
    engaged,
    failed,
    fixed,
    heard,
    look,
    ticket_of,
)
from tests.register.saying import reply as said_to
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tests.tui.test_doing import same
from tui.app import MusterApp
from tui.cards import KINDS, Card, cards_of, lines_of
from tui.deciding import card_form
from tui.detail import Detail
from tui.format import clock as wall_of
from tui.forms import build
from tui.messages import DetailRead, VerbsLearned
from tui.model import Model
from tui.reading import detail_of
from tui.screens.incident import IncidentScreen
from tui.signs import ASCII
from tui.verbs import Verb, verbs_for

AT = datetime.fromtimestamp(NOW, UTC)
CONTACTS = (
    Contact(level=1, name="Fault desk", phone="+1 555 0199"),
    Contact(level=2, name="Shift lead", phone="+1 555 0198"),
)
ANSWERS = {"message": "It still fails.", "ticket": "ACME-9", "reason": "Not needed.", "whom": "Lena"}
"""What a person would write where a card's form asks for words."""


# In a register: each kind is found, and what its keys ask for is accepted


def _fixed(desk: ServiceDesk, clock: Any) -> str:
    number, bond = ticket_of(desk, clock)
    state = heard(number, bond, clock(), kind="state", raw_state="resolved", fixed=True, body="")
    desk.do(ENGINE, Hear(vendor="acme", items=(state,), cursor="1"))
    return number


def _aside(desk: ServiceDesk, clock: Any) -> str:
    number, bond = ticket_of(desk, clock)
    odd = Unreadable(change_id="c 9", raw="{}", why="it has no time", incident=number, bond=bond)
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", unreadable=(odd,)))
    return number


def _doubtful(desk: ServiceDesk, clock: Any) -> str:
    number, _ = engaged(desk)
    (sending,) = claim(desk.store, clock())
    doubt(desk, sending)
    desk.do(ENGINE, AskAboutSending(row_id=sending.row_id, why="looked up four times"))
    return number


def _failed(desk: ServiceDesk, clock: Any) -> str:
    number, _ = ticket_of(desk, clock)
    said_to(desk, number)
    (sending,) = claim(desk.store, clock())
    failed(desk, sending)
    return number


def _duplicates(desk: ServiceDesk, clock: Any) -> str:
    number, bond = ticket_of(desk, clock)
    desk.do(ENGINE, ConfirmSending(row_id=bond, ref=ACME_2))
    return number


def _priority(desk: ServiceDesk, clock: Any) -> str:
    number, _ = ticket_of(desk, clock)
    desk.do(ADA, Correct(target=number, reason="worse", impact=Impact.HIGH, urgency=Urgency.HIGH))
    return number


def _over(desk: ServiceDesk, clock: Any) -> str:
    number, _ = ticket_of(desk, clock)
    desk.do(BEN, fixed(number).model_copy(update={"theirs": WithTheirs.LEAVE}))
    return number


def _paused(desk: ServiceDesk, clock: Any) -> str:
    number, _ = ticket_of(desk, clock)
    desk.do(ENGINE, PauseVendor(vendor="acme", why="401: token refused"))
    return number


def _held_back(desk: ServiceDesk, clock: Any) -> str:
    number, _ = ticket_of(desk, clock)
    desk.do(BEN, HoldBack(vendor="acme", reason="they move house"))
    desk.do(ENGINE, PauseVendor(vendor="acme", why="401, too"))  # what a person holds back stays theirs
    return number


def _differs(desk: ServiceDesk, clock: Any) -> str:
    facts = replace(desk.policy.vendors["acme"], owner={Shared.PRIORITY: Owner.CONFLICT})
    desk.policy = replace(desk.policy, vendors={**desk.policy.vendors, "acme": facts})
    number, bond = ticket_of(desk, clock)
    lower = heard(number, bond, clock(), kind="priority", raw_priority="low", body="")
    desk.do(ENGINE, Hear(vendor="acme", items=(lower,), cursor="1"))
    return number


def _linked(desk: ServiceDesk, clock: Any) -> str:
    number, bond = ticket_of(desk, clock)
    other = TicketRef(id="4713", key="ACME-4713")
    link = heard(number, bond, clock(), kind="link", body="split into", link=other)
    desk.do(ENGINE, Hear(vendor="acme", items=(link,), cursor="1"))
    return number


SITUATIONS: dict[str, tuple[Callable[[ServiceDesk, Any], str], str, str]] = {
    "fixed": (_fixed, "acme says that ACME-4711 is fixed: resolved.", "accept dispute"),
    "aside": (_aside, "What acme did could not be taken in: it has no time.", "reread noted discard"),
    "in doubt": (
        _doubtful,
        "acme: it is not known whether the new ticket arrived: looked up four times.",
        "retry adopt drop",
    ),
    "failed": (_failed, "acme: a comment failed: They said 400.", "retry drop"),
    "duplicates": (
        _duplicates,
        "acme has more than one ticket of it: we write on ACME-4711, there is ACME-4712, too.",
        "relink leave",
    ),
    "priority": (_priority, "acme works at P3, ours is P1.", "reprioritise leave"),
    "differs": (
        _differs,
        "Both changed the priority of ACME-4711 at acme: P3 is ours, low is theirs.",
        "settle settle",
    ),
    "linked": (_linked, "acme: ACME-4711 split into ACME-4713. Is that about this, too?", "relink relink"),
    "open with them": (_over, "It is resolved here, and acme works on ACME-4711 still.", "reply withdraw"),
    "paused": (_paused, "Nothing is sent to acme since {since}: 401: token refused.", ""),
    "held back": (
        _held_back,
        "Nothing is sent to acme since {since}, a person holds it back: 401, too.",
        "unpause",
    ),
}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return app_with(tmp_path / "live.json", [row(1)]).model


@pytest.mark.parametrize("kind", SITUATIONS)
def test_what_a_card_asks_for_is_what_the_register_takes(
    desk: ServiceDesk, clock: Any, model: Model, kind: str
) -> None:
    make, says, verbs = SITUATIONS[kind]
    number = make(desk, clock)
    detail = detail_of(desk.store, number, BEN)
    (card,) = (one for one in cards_of(detail, model) if one.kind == kind)
    since = next(
        (wall_of(at.timestamp(), model.eyes.now, model.zone) for *_, at in detail.paused.values()), ""
    )
    assert card.says == says.replace("{since}", since)
    assert [way.verb for way in card.ways if way.verb] == verbs.split()
    for way in card.ways:
        if way.verb:
            form = card_form(Verb(VERBS[way.verb]), number, card, way, "x:1", model.signs)
            answers = {name: text for name, text in ANSWERS.items() if name in form.command.model_fields}
            command = build(form.command, form.given, answers | dict(form.defaults), clock())
            assert not isinstance(command, tuple), command
            assert desk.would(BEN, command).events, way  # type: ignore[arg-type]
    shown = board_row(look(desk, number))
    if kind not in ("open with them", "paused", "held back"):
        assert shown["bonds"][0][5] in ("ask", "dead") or shown["bonds"][0][1] == "fixed"


def test_what_is_left_as_it_is_waits_for_nobody_until_it_is_another(desk: ServiceDesk, clock: Any) -> None:
    number = _priority(desk, clock)
    assert board_row(look(desk, number))["bonds"][0][5] == "ask"
    desk.do(BEN, LeaveIt(target=number, what=Asks.PRIORITY))
    assert board_row(look(desk, number))["bonds"][0][5] == "ok"
    with pytest.raises(Refused, match="Nothing of acme waits for a word"):
        desk.do(BEN, LeaveIt(target=number, what=Asks.PRIORITY, vendor="acme"))
    desk.do(ADA, Correct(target=number, reason="less", impact=Impact.MEDIUM))
    assert board_row(look(desk, number))["bonds"][0][5] == "ask"


def test_a_person_holds_a_supplier_back_and_lets_it_go_on(desk: ServiceDesk, clock: Any) -> None:
    engaged(desk)
    desk.do(BEN, HoldBack(vendor="acme", reason="they move house"))
    assert claim(desk.store, clock()) == []
    kept = health(desk.store)["acme"]
    assert (kept.paused_why, bool(kept.paused_by)) == ("they move house", True)
    desk.do(BEN, LetGoOn(vendor="acme", reason="they have moved"))
    assert len(claim(desk.store, clock())) == 1
    assert health(desk.store)["acme"].paused_by == ""


# The table itself


def test_every_key_of_a_card_asks_for_a_verb_with_fields_that_it_has() -> None:
    plain = {verb.hotkey: name for name, verb in VERBS.items() if verb.hotkey}
    for kind in KINDS:
        keys = [way.key for way in kind.ways]
        assert len(keys) == len(set(keys)), kind.name
        for way in kind.ways:
            assert bool(way.verb) is not bool(way.does), way
            assert plain.get(way.key, way.verb) == way.verb, "a card's key does nothing that it does not do"
            if way.verb:
                assert {*way.given, *way.starts} <= set(VERBS[way.verb].model_fields), way


# On the screen


def detail_with(*bonds: dict[str, Any], **more: Any) -> Detail:
    known = {"id": "b", "vendor": "cable-co", "production": True, "state": BondState.OPEN}
    known |= {"ball_since": AT, "engaged_at": AT, "engaged_by": "p1", "ref": TicketRef(id="7", key="CC-7")}
    incident = Incident(
        number="INC-1",
        title="x",
        impact=Impact.HIGH,
        urgency=Urgency.HIGH,
        reporter="p1",
        opened_at=AT,
        updated_at=AT,
        bonds=tuple(Bond.model_validate(known | {"id": f"b{n}"} | one) for n, one in enumerate(bonds)),
    )
    return Detail("INC-1", "p1", None, (), incident, (), {"cable-co": CONTACTS}, **more)


FIXED = {"state": BondState.FIXED, "raw_state": "solved"}
CALL = {"vendor": "nordnet", "call": CallCard(why=CallWhy.UNCONFIRMED, since=AT)}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW))
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(params=[(80, 24), (120, 30)])
async def screen(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """INC-1 stands open: cable-co says fixed, nordnet is to be called."""
    bonds = [["cable-co", "fixed", "ours", NOW - 180, "CC-7", "ok"]]
    app = app_with(tmp_path / "live.json", [row(1, bonds=bonds), row(2)])
    door: Any = app.door
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.model.role = "coordinator"
        app.post_message(VerbsLearned(verbs_for(Role.COORDINATOR)))
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        app.post_message(DetailRead("INC-1", detail_with(FIXED, CALL)))
        await settled(pilot)
        yield app, pilot, door


Screen = tuple[MusterApp, Pilot[None], FakeDoor]


def flat(app: MusterApp) -> str:
    return " ".join(" ".join(text_of(app)).split())


async def test_the_front_card_tells_its_keys_and_the_others_wait_behind_it(screen: Screen) -> None:
    app, pilot, _ = screen
    shown = flat(app)
    assert "▌ ‼ CALL nordnet: no ticket of theirs is confirmed since" in shown
    assert "[d] called: log it [-] later" in shown
    assert "· cable-co says that CC-7 is fixed: solved." in shown
    assert "[+]" not in shown
    await pilot.press("o")
    await settled(pilot)
    assert "▌ ‼ cable-co says that CC-7 is fixed: solved. (2 of 2)" in flat(app)
    assert "[+] accept [-] not fixed, tell them" in flat(app)
    assert text_of(app)[-1].startswith(" + accept")
    await pilot.press("question_mark")
    await settled(pilot)
    assert "Accept: cable-co says that CC-7 is fixed: solved." in flat(app)


async def test_a_key_of_a_card_behind_brings_that_card_and_decides_nothing(screen: Screen) -> None:
    app, pilot, _ = screen
    await pilot.press("plus")
    await settled(pilot)
    assert isinstance(app.screen, IncidentScreen)
    assert "▌ ‼ cable-co says that CC-7 is fixed: solved. (2 of 2)" in flat(app)
    assert "look, then press it again" in flat(app)
    await pilot.press("plus")
    await settled(pilot)
    assert not isinstance(app.screen, IncidentScreen)


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        (("plus", "f2"), Accept(target="INC-1", vendor="cable-co")),
        (
            ("minus", *"No.", "f2"),
            Dispute(target="INC-1", vendor="cable-co", message="No."),
        ),
    ],
)
async def test_one_key_opens_what_it_asks_for_and_nothing_is_done_before(
    screen: Screen, keys: tuple[str, ...], command: Any
) -> None:
    app, pilot, door = screen
    await pilot.press("o", keys[0])
    await settled(pilot)
    assert door.done == []
    assert "cable-co says that CC-7 is fixed" in flat(app)
    await pilot.press(*keys[1:])
    await settled(pilot)
    ((given, _),) = door.done
    assert same(given, command)


async def test_the_board_counts_it_among_what_needs_somebody(screen: Screen) -> None:
    app, pilot, _ = screen
    await pilot.press("escape")
    await settled(pilot)
    assert "1 needs you" in text_of(app)[1] or "‼1" in text_of(app)[1]


async def test_what_is_put_off_is_gone_here_for_a_while(screen: Screen) -> None:
    app, pilot, _ = screen
    await pilot.press("minus")
    await settled(pilot)
    assert "CALL nordnet" not in flat(app)
    assert "▌ ‼ cable-co says" in flat(app)
    assert "Put off at this terminal for 15 minutes" in flat(app)
    app.model.eyes.now += 901
    app.screen.redraw()  # type: ignore[attr-defined]
    await settled(pilot)
    assert "▌ ‼ CALL nordnet" in flat(app) or "· CALL nordnet" in flat(app)


async def test_the_card_in_front_stays_there_when_another_comes(screen: Screen) -> None:
    app, pilot, _ = screen
    await pilot.press("o")
    third = {"vendor": "acme", "call": CallCard(why=CallWhy.P1, since=AT)}
    app.post_message(DetailRead("INC-1", detail_with(third, FIXED, CALL)))
    await settled(pilot)
    assert "▌ ‼ cable-co says that CC-7 is fixed: solved. (3 of 3)" in flat(app)


async def test_who_may_only_look_is_told_so_by_the_card_and_has_no_key(screen: Screen) -> None:
    app, pilot, door = screen
    app.model.role = "viewer"
    app.post_message(VerbsLearned(verbs_for(Role.VIEWER)))
    await settled(pilot)
    await pilot.press("o")
    await settled(pilot)
    assert "accept, not fixed, tell them: read-only for a viewer" in flat(app)
    await pilot.press("plus")
    await settled(pilot)
    assert "That takes the role coordinator; you are viewer. Nothing was done." in flat(app)
    assert isinstance(app.screen, IncidentScreen)
    assert door.done == []


async def test_a_refused_credential_says_what_to_type(screen: Screen) -> None:
    app, pilot, _ = screen
    detail = detail_with({}, paused={"cable-co": ("401: token refused", False, datetime.now(UTC))})
    app.post_message(DetailRead("INC-1", detail))
    await settled(pilot)
    await pilot.press("r")
    await settled(pilot)
    assert "`muster vendors login cable-co`" in flat(app)


async def test_nothing_is_shown_of_what_became_restricted(screen: Screen) -> None:
    app, pilot, _ = screen
    app.post_message(DetailRead("INC-1", None))
    await settled(pilot)
    shown = flat(app)
    assert "cable-co" not in shown
    assert "[d]" not in shown
    await pilot.press("plus")
    assert isinstance(app.screen, IncidentScreen)


def said(model: Model, *bonds: dict[str, Any], **more: Any) -> list[Card]:
    return cards_of(detail_with(*bonds, **more), model)


def test_a_call_names_whom_by_level(model: Model) -> None:
    first = said(model, {"call": CallCard(why=CallWhy.UNCONFIRMED, since=AT)})[0]
    assert [one.split()[0] for one in first.more] == ["1", "2"]
    second = said(model, {"call": CallCard(why=CallWhy.CONTRACT, since=AT, level=2)})[0]
    assert [" ".join(one.split()) for one in second.more] == ["2 Shift lead +1 555 0198"]
    over = {"state": BondState.ENDED, "call": CallCard(why=CallWhy.P1, since=AT)}
    assert said(model, over) == []


def test_prepared_texts_wait_for_a_person(model: Model) -> None:
    (card,) = said(model, {"by_hand": True, "to_hand": 2})
    assert card.says == "2 texts wait to be read to cable-co, or pasted."


def test_without_colour_or_good_locale_a_card_is_a_card(tmp_path: Path) -> None:
    model = app_with(tmp_path / "live.json", [row(1)], ASCII).model
    model.may = frozenset(VERBS)
    lines = lines_of(said(model, FIXED, CALL), 0, model, 80)
    texts = ["".join(text for text, _ in line) for line in lines]
    assert texts[0].startswith("> ! CALL nordnet")
    assert all(text.isascii() and len(text) <= 80 for text in texts)


def test_hostile_words_of_theirs_stay_words(model: Model) -> None:
    evil = "\x1b[31m[bold]x[/]\u202e" + "long " * 200
    cards = said(model, FIXED | {"raw_state": evil})
    lines = lines_of(cards, 0, model, 80)
    assert len(lines) <= 5
    assert not any("\x1b" in text or "\u202e" in text for line in lines for text, _ in line)
