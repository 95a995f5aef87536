"""A worker that is woken by webhooks: whatever becomes of them, each word is heard once and in order."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_kit import COORDINATOR, practice_file

from integrations import listening
from integrations.policy_files import Person, begin
from integrations.practice.hooks import SECRET, HookMood, HookTo
from integrations.practice.moods import AnswersFirst
from integrations.practice.server import Practice
from integrations.worker import Worker
from register.desk import ServiceDesk
from register.store import Store, hooks, open_store
from register.store.vendors import cursor_of, health
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log

_AT = re.compile(r"taken in at (http://\S+)/hooks/NAME")


async def until(done: Callable[[], object], what: str = "it") -> None:
    try:
        async with asyncio.timeout(30):
            while not done():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen") from None


@asynccontextmanager
async def working(
    store: Store, env: Mapping[str, str], *, sole: bool
) -> AsyncIterator[tuple[Worker, io.StringIO]]:
    """A worker in this process, which polls once an hour: all else is by webhooks."""
    said = io.StringIO()
    worker = Worker(store, env, say=said)
    running = asyncio.create_task(worker.run(sole=sole))
    try:
        yield worker, said
    finally:
        worker.stop()
        if store.path is None:  # its watcher waits two seconds for a commit, or for this
            hooks.ring(store, "nobody", worker._hand.now())
        await running


def env_of(home: Path, url: str, *, webhooks: bool) -> dict[str, str]:
    practice_file(home, url, poll_seconds=3600)
    (home / "muster-practice.webhook").write_text(SECRET)
    env = {"MUSTER_HOME": str(home), "CREDENTIALS_DIRECTORY": str(home)}
    return {**env, "MUSTER_WEBHOOKS": "127.0.0.1:0"} if webhooks else env


async def door_of(said: io.StringIO) -> str:
    await until(lambda: _AT.search(said.getvalue()), "the door's opening")
    found = _AT.search(said.getvalue())
    assert found is not None
    return f"{found[1]}/hooks/practice"


def listens(worker: Worker) -> bool:
    """Whether it has asked the supplier once, so that whatever comes is news."""
    speaking = worker._speaking.get("practice")
    return speaking is not None and speaking._listener is not None


def engage(desk: ServiceDesk) -> str:
    number = desk.do(COORDINATOR, Log(title="db down")).number or ""
    desk.do(COORDINATOR, Engage(target=number, vendor="practice", message="please look"))
    return number


def bonded(store: Store, number: str) -> bool:
    incident = store.incident(number)
    return incident is not None and incident.bonds[0].ref is not None


def said_on(store: Store, number: str) -> list[str]:
    events: list[Any] = [one.event for one in store.timeline(number) if one.kind == "supplier_said"]
    return [event.body for event in events]


async def test_each_word_is_heard_once_and_in_order_however_webhooks_go(
    practice: Practice, own_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "AT_MOST", timedelta(milliseconds=20))
    env = env_of(tmp_path, practice.url, webhooks=True)
    async with working(own_store, env, sole=True) as (worker, out):
        url = await door_of(out)
        await until(lambda: cursor_of(own_store, "practice"), "the first poll")
        desk, hook = worker._hand.desk, practice.hooks
        hook.to = HookTo(url=url)
        practice.mood = AnswersFirst(on="create", seconds=0.3)  # and so do its webhooks
        number = engage(desk)
        await until(lambda: bonded(own_store, number), "our create's answer")
        ticket = practice.desk.tickets[0].id
        words: list[str] = ["That was quick: I have it."]
        for mood in HookMood:
            for now in (mood, HookMood.CALM):
                hook.to = HookTo(url=url, mood=now)
                words.append(f"{mood}, {len(words)}")
                practice.desk.comment(ticket, "Lena", words[-1])
                await until(lambda: hook.told == practice.desk.last_seq, "its webhook")
            desk.do(COORDINATOR, Reply(target=number, vendor="practice", message=f"ours after {mood}"))
            await until(lambda: len(said_on(own_store, number)) >= len(words), f"hearing after {mood}")
        await until(lambda: hooks.unanswered(own_store) == [], "the last answer")
        assert said_on(own_store, number) == words
        assert health(own_store)["practice"].bell.refused == 0, "the last one was good"
        assert out.getvalue().count("webhook refused") == 3, "forged, old and early, each told once"
        assert hook.refused >= 9, "each was tried three times; our own words ring, too"


async def test_a_host_that_takes_it_in_wakes_the_one_that_listens(
    practice: Practice, databases: Any, tmp_path: Path
) -> None:
    """Two workers, each with its own connections, on one PostgreSQL."""
    url = databases.make()
    first, second = open_store(url), open_store(url)
    plain, open_ = (env_of(tmp_path, practice.url, webhooks=one) for one in (False, True))
    begin(first, plain, Person.here(), "test")
    try:
        async with working(first, plain, sole=False) as (here, _):
            await until(lambda: listens(here), "a lease")
            async with working(second, open_, sole=False) as (there, out):
                address = await door_of(out)
                await until(lambda: cursor_of(first, "practice"), "the first poll")
                practice.hooks.to = HookTo(url=address)
                number = engage(ServiceDesk(first))
                await until(lambda: bonded(first, number), "our create's answer")
                practice.desk.comment(practice.desk.tickets[0].id, "Lena", "On it.")
                await until(lambda: said_on(first, number) == ["On it."], "hearing")
                assert not listens(there)
                assert listens(here)
                await until(lambda: hooks.unanswered(first) == [], "the answer")
    finally:
        first.close()
        second.close()
        databases.clear(url)


@pytest.mark.parametrize("told", ["8790", "localhost:1"])
def test_a_worker_told_a_wrong_address_does_not_begin(
    told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from integrations.worker import run

    assert run(str(tmp_path / "none.db"), {"MUSTER_WEBHOOKS": told}) == 2
    assert "Nothing was started." in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()
