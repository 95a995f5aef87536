"""Changed tickets read one after the other: what holds the others up, for how long, and what is told then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected, Unavailable
from integrations.patience import PATIENCE, Patience, Taken, Told

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)


def said(number: int) -> Change:
    """A comment on a ticket; the higher its number, the older."""
    ref = Ref(id=str(number), key=f"#{number}")
    at = AT - timedelta(minutes=number)
    return Change(f"c{number}", ref, at, ChangeKind.COMMENT, "Theo", by_our_account=False, body="Sample.")


class Desk:
    """Tickets 1, 2, 3, …, of which some fail."""

    def __init__(self, *, hides: bool = True, **fails: Failure) -> None:
        self.fails = {int(name[1:]): failure for name, failure in fails.items()}
        self.asked: list[int] = []
        self._patience = Patience(hides=hides)

    async def take(self, *todo: int, walked: Told = ([], [])) -> Taken:
        return await self._patience.take(todo, self._look, lambda number: ("ticket", number, "then"), walked)

    async def _look(self, number: int) -> Told:
        self.asked.append(number)
        if number in self.fails:
            raise self.fails[number]
        return [said(number)], []


def ids(taken: Taken) -> list[str]:
    return [change.change_id for change in taken.changes]


async def test_all_are_read_and_told_by_time_with_what_the_list_told_before_them() -> None:
    odd = Unread("row", "{}", "no id")
    taken = await Desk().take(1, 2, walked=([said(3)], [odd]))
    assert ids(taken) == ["c3", "c2", "c1"]
    page = taken.page({"at": 2}, done=True)
    assert (len(page.changes), page.next, page.done, page.unread) == (3, {"at": 2}, True, (odd,))


async def test_what_was_read_before_one_failed_is_taken_in_and_the_failed_one_comes_first_next_time() -> None:
    desk = Desk(n2=Unavailable("503"))
    taken = await desk.take(1, 2, 3)
    assert (ids(taken), taken.count, desk.asked) == (["c1"], 1, [1, 2])
    with pytest.raises(Unavailable):
        await desk.take(2, 3)


async def test_what_fails_for_ever_holds_the_others_up_for_so_long_and_is_then_told() -> None:
    desk = Desk(n1=Unavailable("500"))
    for _ in range(PATIENCE - 1):
        with pytest.raises(Unavailable):
            await desk.take(1, 2)
    taken = await desk.take(1, 2)
    assert (ids(taken), taken.count) == (["c2"], 2)
    assert [(one.change_id, one.ticket, one.why) for one in taken.unread] == [("ticket 1 then", "1", "500")]


async def test_a_deleted_ticket_says_nothing_and_stops_nobody() -> None:
    taken = await Desk(n2=Gone("404")).take(1, 2, 3)
    assert (ids(taken), taken.unread, taken.count) == (["c3", "c1"], [], 3)


@pytest.mark.parametrize("failure", [Rejected("no"), AuthFailed("no", AuthTrouble.FORBIDDEN)])
async def test_one_that_is_kept_from_us_is_told_at_once(failure: Failure) -> None:
    taken = await Desk(n1=failure).take(1, 2)
    assert (ids(taken), [one.ticket for one in taken.unread]) == (["c2"], ["1"])


async def test_where_none_is_hidden_a_forbidden_one_means_all_are() -> None:
    with pytest.raises(AuthFailed):
        await Desk(hides=False, n1=AuthFailed("no", AuthTrouble.FORBIDDEN)).take(1)
