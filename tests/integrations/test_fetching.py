"""A supplier's file: noted at once with name, size and place, and brought here when somebody wants it."""

from __future__ import annotations

from typing import Any

import pytest
from engine_kit import Engine

from integrations.practice.moods import CommitThenDrop
from integrations.practice.server import Practice
from register.core import NotFound, Refused
from register.incident import Ball, Label
from register.store import files, outbox
from register.topics import fetching
from register.topics.fetching import FetchFile

HOSTILE = "../../etc/\x1b[31mpass\u202ewd.log"
LOG = b"first line\nsecond line\n"


async def offered(engine: Engine, practice: Practice, name: str = "trace.log", content: bytes = LOG) -> str:
    """An incident on whose ticket the supplier has put a file, and that we have heard of it."""
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.courier.until_quiet()
    practice.desk.attach(practice.desk.tickets[0].id, "Theo", name, content)
    await engine.collector.poll()
    return number


def attached(engine: Engine, number: str) -> list[files.File]:
    with engine.store.read() as connection:
        return files.files_of(connection, number)


async def test_it_is_noted_at_once_and_nothing_of_it_is_fetched(engine: Engine, practice: Practice) -> None:
    number = await offered(engine, practice)
    event: Any = engine.store.timeline(number)[-1].event
    assert (event.kind, event.name, event.size) == ("supplier_file", "trace.log", len(LOG))
    assert event.place
    assert attached(engine, number) == []
    incident = engine.store.incident(number)
    assert incident is not None
    assert incident.bonds[0].ball is Ball.OURS


async def test_it_is_brought_here_when_somebody_wants_it(engine: Engine, practice: Practice) -> None:
    number = await offered(engine, practice)
    engine.do(FetchFile(target=number, file="trace.log"))
    await engine.settle_all()
    (file,) = attached(engine, number)
    assert (file.name, file.size, file.label) == ("trace.log", len(LOG), Label.INTERNAL)
    assert files.content_of(engine.store, file) == LOG
    assert engine.kinds(number)[-3:] == ["file_wanted", "file_fetched", "attached"]
    incident = engine.store.incident(number)
    assert incident is not None
    assert incident.bonds[0].ball is Ball.OURS  # that we read it is no answer


async def test_a_hostile_name_is_one_files_in_one_folder(engine: Engine, practice: Practice) -> None:
    number = await offered(engine, practice, HOSTILE)
    event: Any = engine.store.timeline(number)[-1].event
    assert not set("/\\\x1b\u202e") & set(event.name)
    engine.do(FetchFile(target=number, file=event.change_id))
    await engine.settle_all()
    (file,) = attached(engine, number)
    assert file.name == event.name


async def test_one_that_is_too_large_by_their_own_word_is_not_asked_for(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await offered(engine, practice)
    monkeypatch.setattr(fetching, "MAX_BYTES", len(LOG) - 1)
    with pytest.raises(Refused, match="Nothing was done"):
        engine.do(FetchFile(target=number, file="trace.log"))
    assert outbox.unfinished(engine.store) == []


async def test_one_that_is_larger_than_they_said_is_cut_off_and_a_persons_matter(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await offered(engine, practice)
    monkeypatch.setattr("integrations.sending.MAX_BYTES", len(LOG) - 1)
    engine.do(FetchFile(target=number, file="trace.log"))
    await engine.settle_all()
    (row,) = outbox.unfinished(engine.store)
    assert (row.state, "more than 22 bytes" in row.why) == ("dead", True)
    assert attached(engine, number) == []


async def test_a_line_that_breaks_brings_it_once(engine: Engine, practice: Practice) -> None:
    number = await offered(engine, practice)
    practice.mood = CommitThenDrop(on="reads", times=1)
    engine.do(FetchFile(target=number, file="trace.log"))
    await engine.settle_all()
    assert len(attached(engine, number)) == 1


async def test_what_nobody_put_there_cannot_be_fetched(engine: Engine, practice: Practice) -> None:
    number = await offered(engine, practice)
    with pytest.raises(NotFound, match="muster files"):
        engine.do(FetchFile(target=number, file="other.log"))
