"""The odder moods of the practice supplier, and what its connector makes of them, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from integrations.connector import Absent, ChangeKind, Comment, Draft, Found, Theirs, Transition
from integrations.errors import Ambiguous, AuthFailed, Failure, Gone, Moved, NotSent, Rejected, Unavailable
from integrations.http import Http, Limits
from integrations.practice.config import PracticeConfig
from integrations.practice.moods import (
    AnswersFirst,
    ClockSkew,
    DelayedIndex,
    Drip,
    Duplicated,
    ExpiredToken,
    HugeAnswer,
    MergedAway,
    Redirect,
    Reordered,
    Replayed,
    TypedAsUs,
    WrongCharset,
)
from integrations.practice.server import Practice, running_practice
from integrations.systems.practice import PAGE, PracticeDesk
from register.incident import Priority

ONE = "01K3ZZ8QF4T2M6V9X1B5C7D0EG"
TWO = "01K3ZZ8QF4T2M6V9X1B5C7D0EH"
SINCE = datetime(2030, 1, 1, tzinfo=UTC)
DRAFT = Draft(op_id=ONE, title="disk full", body="db-3", priority=Priority.HIGH)


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running_practice() as supplier:
        yield supplier


@pytest.fixture
async def desk(practice: Practice) -> AsyncIterator[PracticeDesk]:
    async with Http(practice.url, name="acme", limits=Limits(read=1, total=1)) as http:
        yield PracticeDesk(http, PracticeConfig())


@pytest.mark.parametrize(
    ("mood", "failure", "made"),
    [
        (WrongCharset(), Ambiguous, 1),
        (HugeAnswer(), Ambiguous, 1),
        (Drip(), Ambiguous, 1),
        (Redirect(), Ambiguous, 0),
        (Redirect(commits=True), Ambiguous, 1),
        (Redirect(status=307), Rejected, 0),
        (ExpiredToken(), AuthFailed, 0),
    ],
    ids=repr,
)
async def test_an_answer_that_cannot_be_read_makes_a_create_doubtful(
    practice: Practice, desk: PracticeDesk, mood: object, failure: type[Failure], made: int
) -> None:
    practice.moods.set(mood)  # type: ignore[arg-type]
    with pytest.raises(failure):
        await desk.create(DRAFT)
    assert len(practice.desk.tickets) == made


@pytest.mark.parametrize(
    ("mood", "failure"),
    [(WrongCharset(), Unavailable), (HugeAnswer(), Rejected), (Drip(), Unavailable), (Redirect(), Rejected)],
    ids=repr,
)
async def test_an_answer_that_cannot_be_read_makes_no_news(
    practice: Practice, desk: PracticeDesk, mood: object, failure: type[Failure]
) -> None:
    cursor = (await desk.changes(None)).next
    practice.moods.set(mood)  # type: ignore[arg-type]
    with pytest.raises(failure):
        await desk.changes(cursor)


async def test_a_server_that_speaks_no_tls_was_sent_nothing(practice: Practice) -> None:
    async with Http(practice.url.replace("http:", "https:"), name="acme") as http:
        with pytest.raises(NotSent):
            await PracticeDesk(http, PracticeConfig()).create(DRAFT)


async def test_a_delayed_index_finds_it_later(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    practice.moods.set(DelayedIndex(60))
    assert await desk.find(ONE, SINCE) == Absent()
    practice.moods.set(DelayedIndex(0))
    assert await desk.find(ONE, SINCE) == Found((ref,))


async def test_an_empty_answer_to_nobody_is_no_answer(practice: Practice, desk: PracticeDesk) -> None:
    cursor = (await desk.changes(None)).next
    ref = await desk.create(DRAFT)
    heard = await desk.changes(cursor)
    practice.moods.set(ExpiredToken())
    for ask in (
        desk.find(ONE, SINCE),
        desk.find(TWO, SINCE),
        desk.find_comment(ref, TWO),
        desk.history(ref),
        desk.get(ref),
        desk.changes(heard.next),
    ):
        with pytest.raises(AuthFailed):
            await ask
    practice.moods.set()
    assert (await desk.changes(heard.next)).next == heard.next


@pytest.mark.parametrize("mood", [Duplicated(), Reordered(), Replayed()], ids=repr)
async def test_a_feed_in_disorder_is_told_in_order(
    practice: Practice, desk: PracticeDesk, mood: object
) -> None:
    cursor = (await desk.changes(None)).next
    ref = await desk.create(DRAFT)
    for word in ("one", "two", "three"):
        practice.desk.comment(ref.id, "Lena", word)
    practice.moods.set(mood)  # type: ignore[arg-type]
    page = await desk.changes(cursor)
    assert list(dict.fromkeys(change.body for change in page.changes)) == ["one", "two", "three"]
    assert page.next["after"] == 4
    again = await desk.changes(page.next)
    assert again.done
    assert again.next == page.next


async def test_a_burst_of_one_instant_comes_whole(practice: Practice, desk: PracticeDesk) -> None:
    cursor = (await desk.changes(None)).next
    ref = await desk.create(DRAFT)
    practice.desk.burst(ref.id, "Lena", [str(n) for n in range(2 * PAGE + 1)])
    heard, done = [], False
    while not done:
        page = await desk.changes(cursor)
        heard += page.changes
        cursor, done = page.next, page.done
    assert [change.body for change in heard] == [str(n) for n in range(2 * PAGE + 1)]
    assert len({change.at for change in heard}) == 1


async def test_a_wrong_clock_is_told_as_it_is(practice: Practice, desk: PracticeDesk) -> None:
    practice.moods.set(ClockSkew(-7200))
    ref = await desk.create(DRAFT)
    ticket = await desk.get(ref)
    assert abs(datetime.now(UTC) - timedelta(hours=2) - ticket.updated_at) < timedelta(minutes=1)


async def test_its_people_may_answer_before_its_machine(practice: Practice, desk: PracticeDesk) -> None:
    practice.moods.set(AnswersFirst())
    ref = await desk.create(DRAFT)
    assert [c.author for c in practice.desk.history(ref.id)] == ["muster", "Lena"]


async def test_somebody_types_under_our_account(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    practice.moods.set(TypedAsUs())
    await desk.apply(ref, Comment(TWO, "any news?"))
    ours, typed = (await desk.history(ref)).changes
    assert (ours.by_our_account, ours.marker) == (True, TWO)
    assert (typed.by_our_account, typed.marker) == (True, None)


async def test_a_merged_ticket_is_moved_and_takes_no_more_words(
    practice: Practice, desk: PracticeDesk
) -> None:
    cursor = (await desk.changes(None)).next
    ref = await desk.create(DRAFT)
    practice.moods.set(MergedAway(on="comment"))
    with pytest.raises(Moved) as moved:
        await desk.apply(ref, Comment(TWO, "any news?"))
    new = moved.value.new
    for ask in (desk.get(ref), desk.apply(ref, Transition(TWO, Theirs.WORKING))):
        with pytest.raises(Moved):
            await ask
    assert await desk.find(ONE, SINCE) == Found((ref,))
    told = (await desk.changes(cursor)).changes
    assert [(c.kind, c.ref.key, c.raw_state, c.state) for c in told] == [
        (ChangeKind.STATE, ref.key, f"merged into {new.key}", Theirs.UNMAPPED)
    ]
    await desk.apply(new, Comment(TWO, "any news?"))
    whole = await desk.history(new)
    assert {change.ref.id for change in whole.changes} == {ref.id, new.id}, "of both, and nothing twice"


async def test_a_ticket_that_is_gone_is_gone(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    practice.desk.delete(ref.id)
    with pytest.raises(Gone):
        await desk.get(ref)


def test_a_crowd_and_a_merger_can_be_played_over_http(practice: Practice) -> None:
    with httpx.Client(base_url=practice.url) as http:
        http.post("/tickets", json={"title": "disk full"})
        http.post("/practice/act", json={"ticket": "PD-1001", "comment": "x", "times": 3, "merge": True})
    assert practice.desk.ticket("PD-1001").key == "PD-1002"
    assert [change.kind for change in practice.desk.changes][1:4] == ["comment"] * 3
