"""Many commands in one transaction: the same register as one after the other, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from register.core import Command, Refused, new_id
from register.desk import ServiceDesk
from register.store import Store
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Acknowledge, Take
from register.verify import verify
from tests.register.saying import ANA, BEN, ask, everything, fixed, log, story


def commands() -> list[Command]:
    first = Log(title="one")
    return [
        first,
        Take(target="INC-1"),
        Log(title="two"),
        first,  # said twice in one breath
        Note(target="INC-1", text="Seen."),
        Engage(target="INC-2", vendor="acme", message="Help."),
        Note(target="INC-2", text="Engaged."),
        fixed("INC-1"),
        Acknowledge(target="INC-2"),
    ]


def test_a_batch_says_what_the_same_commands_say_one_by_one(
    desk: ServiceDesk, emptied: Callable[[Store], None]
) -> None:
    asked = commands()
    receipts = desk.do_all([(BEN, command) for command in asked])
    assert [receipt.replayed for receipt in receipts] == [False] * 3 + [True] + [False] * 5
    assert receipts[3].number == receipts[0].number == "INC-1"
    together = story(desk, "INC-1"), story(desk, "INC-2")
    states = [one.model_dump(exclude=TIMES) for one in desk.store.incidents(everything=True)]
    assert verify(desk.store).faults == []
    emptied(desk.store)
    for command in asked:
        desk.do(BEN, command)
    assert (story(desk, "INC-1"), story(desk, "INC-2")) == together
    assert [one.model_dump(exclude=TIMES) for one in desk.store.incidents(everything=True)] == states


TIMES = {"opened_at", "updated_at", "due_at", "acknowledged_at", "resolved_at", "closes_at", "bonds"}


def test_a_batch_done_again_gives_the_first_answers(desk: ServiceDesk) -> None:
    asked = [(BEN, command) for command in commands()]
    first = desk.do_all(asked)
    again = desk.do_all([*asked, (BEN, Log(title="three", command_id=new_id()))])
    assert [receipt.replayed for receipt in again] == [True] * len(asked) + [False]
    assert [one.number for one in again[:-1]] == [one.number for one in first]
    assert again[-1].number == "INC-3"
    assert verify(desk.store).faults == []


def test_one_refusal_and_nothing_of_the_batch_is_written(desk: ServiceDesk) -> None:
    number = log(desk)
    before = everything(desk.store)
    with pytest.raises(Refused):
        desk.do_all([(ANA, Log(title="one")), (ANA, Take(target=number)), (ANA, Take(target=number))])
    assert everything(desk.store) == before
    assert log(desk, "the next one") == "INC-2"


def test_what_was_put_aside_is_read_by_whoever_asks_the_tables(desk: ServiceDesk) -> None:
    with desk.store.write() as transaction:
        receipt = desk._one(transaction, ANA, Log(title="put aside"))
        found = transaction.connection.exec_driver_sql("SELECT count(*) FROM event").scalar_one()
        assert (receipt.number, found) == ("INC-1", 1)
        desk._one(transaction, ANA, Take(target="INC-1"))
    assert ask(desk.store, "SELECT version, state FROM incident")[0] == (2, "In Progress")
