"""Several processes at one register: nothing is lost, nothing is doubled, and each hears of the others."""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from register.canon import moment
from register.core import NotFound, Policy, Principal, Role
from register.desk import ServiceDesk
from register.store import RegisterUnavailable, Store, open_store
from register.store.poke import folder_of
from register.store.watcher import SLOW, SLOWER, Watcher
from register.topics.erasure import ErasePerson
from register.topics.intake import Log
from register.topics.ownership import Take
from register.verify import verify
from tests.register.saying import ADA, ANA, ask, log, look, run_script, sql
from tests.register.writer import LEAST

pytestmark = pytest.mark.kills

KILLS = 20


def write_at_once(store: Store, seconds: float) -> None:
    """Three processes do what comes to mind; afterwards everything is accounted for."""
    children = [run_script("writer", store.url, "random", str(seconds), str(seed)) for seed in range(3)]
    answers = []
    with ThreadPoolExecutor(3) as readers:  # a pipe that nobody empties would hold its writer up
        told = [readers.submit(child.communicate, timeout=seconds + 60) for child in children]
        while children[0].poll() is None and seconds > 5:
            assert verify(store).faults == []  # while they write, too
            time.sleep(1)
    for child, ended in zip(children, told, strict=True):
        out, err = ended.result()
        assert child.returncode == 0, err
        said = [json.loads(line) for line in out.splitlines()]
        assert len(said) >= LEAST
        answers += said
    done = {answer["id"]: answer["seq"] for answer in answers if "seq" in answer}
    kept: dict[str, list[int]] = {}
    for row in ask(store, "SELECT seq, command_id FROM event ORDER BY seq"):
        kept.setdefault(row.command_id, []).append(row.seq)
    assert kept == done
    assert all(answer["refused"].endswith(".") for answer in answers if "seq" not in answer)
    numbers = sorted(int(a["number"][4:]) for a in answers if a["verb"] == "log")
    assert numbers == list(range(1, len(numbers) + 1))
    verdict = verify(store)
    assert verdict.faults == []
    assert verdict.incidents == len(numbers)
    sendings = ask(store, "SELECT count(*) AS n FROM sending")[0].n
    print(f"{len(answers):,} commands, {len(done):,} in the register, the rest refused with a reason")
    assert sendings == sum(1 for a in answers if a["verb"] in ("engage", "reply") and "seq" in a)


def test_three_writers_at_once_lose_nothing(store: Store) -> None:
    write_at_once(store, 3)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_three_writers_for_a_minute_lose_nothing(store: Store) -> None:
    write_at_once(store, 60)


@pytest.mark.timeout(180)
def test_what_was_acknowledged_survives_the_writers_death(store: Store) -> None:
    kill_writers(store, KILLS)


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_what_was_acknowledged_survives_two_hundred_deaths(store: Store) -> None:
    kill_writers(store, 200)


def kill_writers(store: Store, kills: int) -> None:
    """Kill so many writers at any moment; what they were told stands, nothing is there by half."""
    chance = random.Random(4)
    said: list[str] = []
    writers = run_script("writer", store.url, "log-for-ever")
    assert writers.stdin is not None
    assert writers.stdout is not None
    for _ in range(kills):
        print(file=writers.stdin, flush=True)
        pid = int(writers.stdout.readline().removeprefix("pid "))
        said.append(writers.stdout.readline())  # it is at it; now at any moment
        time.sleep(chance.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        while (line := writers.stdout.readline()) != "ended\n":
            assert line, writers.communicate()[1]  # the end of the pipe: the writers' parent died
            said.append(line)
    assert writers.communicate(timeout=30)[1] == ""
    logged = [line.split()[0] for line in said if len(line.split()) == 1]
    engaged = [line.split()[0] for line in said if "engaged" in line]
    assert len(logged) >= kills
    kept = {incident.number: incident for incident in store.incidents(everything=True)}
    assert set(logged) <= set(kept)
    assert all(kept[number].bonds for number in engaged)
    assert len(logged) == len(set(logged))
    with_bond = sum(len(incident.bonds) for incident in kept.values())
    assert ask(store, "SELECT count(*) AS n FROM sending")[0].n == with_bond
    assert verify(store).faults == []
    assert log(ServiceDesk(store, Policy())) == f"INC-{len(kept) + 1}"
    print(f"{kills} writers killed: {len(logged)} incidents acknowledged, {len(kept)} kept, none by half")


# Hearing of each other


def test_a_commit_in_another_process_wakes_a_watcher_at_once(store: Store) -> None:
    watcher = Watcher(store)
    watcher.wait(0, 0.01)
    child = run_script("writer", store.url, "log-slowly")
    late = []
    try:
        for _ in range(9):
            seq = store.seq()
            assert watcher.wait(seq, 20)
            (row,) = ask(store, "SELECT recorded_at FROM event WHERE seq = :seq", seq=seq + 1)
            late.append((datetime.now(UTC) - moment(row.recorded_at)).total_seconds())
    finally:
        child.kill()
        child.communicate()
        watcher.close()
    assert statistics.median(late[1:]) < 0.1, late


def test_a_watcher_that_is_not_woken_says_so_in_time(store: Store) -> None:
    watcher = Watcher(store)
    begun = time.monotonic()
    assert not watcher.wait(0, 0.3)
    assert 0.25 < time.monotonic() - begun < 8
    watcher.close()


def test_a_commit_between_the_first_look_and_the_wait_is_not_missed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLOW", "SLOWER"):  # it is the poke that tells of it, not the next look
        monkeypatch.setattr(f"register.store.watcher.{name}", 60.0)
    watcher, desk = Watcher(store), ServiceDesk(open_store(store.url))
    look = store.seq
    looked = []

    def looks_just_before_the_commit() -> int:
        seq = look()
        if not looked:
            looked.append(seq)
            desk.do(ANA, Log(title="in between"))
        return seq

    monkeypatch.setattr(store, "seq", looks_just_before_the_commit)
    begun = time.monotonic()
    assert watcher.wait(0, 20)
    assert time.monotonic() - begun < 15
    watcher.close()
    desk.store.close()


def test_whoever_waits_in_slices_does_not_look_at_the_head_in_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look = store.seq

    def counted() -> int:
        looks.append(look())
        return looks[-1]

    watcher = Watcher(store)
    monkeypatch.setattr(store, "seq", counted)
    for _ in range(8):
        assert not watcher.wait(0, 0.05)
    assert len(looks) == 1
    log(ServiceDesk(store))
    assert watcher.wait(0, 5)
    assert not watcher.wait(1, 0.05)
    assert len(looks) <= 3
    watcher.close()


def test_news_that_nobody_told_of_are_found_all_the_same(store: Store) -> None:
    watcher = Watcher(store)
    assert not watcher.wait(0, 0.05)
    sql(store, "UPDATE head SET seq = 1")  # as when the poke got lost
    begun = time.monotonic()
    assert watcher.wait(0, 10)
    assert time.monotonic() - begun < (SLOWER if store.path is None else SLOW) + 6
    watcher.close()


def test_a_refused_command_wakes_nobody(store: Store) -> None:
    watcher = Watcher(store)
    seq = store.seq()
    with pytest.raises(NotFound):
        ServiceDesk(store).do(ANA, Take(target="INC-5"))
    assert not watcher.wait(seq, 0.2)
    watcher.close()


def test_a_dead_boards_socket_is_cleared_away() -> None:
    with tempfile.TemporaryDirectory(prefix="reg") as folder:
        store = open_store(str(Path(folder) / "r.db"))
        watcher = Watcher(store)
        assert store.path is not None
        (name,) = os.listdir(folder_of(store.path))
        assert watcher._listener is not None
        assert watcher._listener._socket is not None
        watcher._listener._socket.close()  # as if the process had died
        assert os.listdir(folder_of(store.path)) == [name]
        log(ServiceDesk(store))
        assert os.listdir(folder_of(store.path)) == []
        store.close()


def test_a_lost_connection_is_said_and_the_next_wait_is_well_again(store: Store) -> None:
    if store.path is not None:
        pytest.skip("no connection to lose")
    watcher, other = Watcher(store), open_store(store.url)
    watcher.wait(0, 0.01)
    threading.Timer(
        0.3,
        lambda: ask(
            other,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'",
        ),
    ).start()
    with pytest.raises(RegisterUnavailable):
        watcher.wait(0, 5)
    threading.Timer(0.2, lambda: log(ServiceDesk(other))).start()
    assert watcher.wait(0, 5)
    watcher.close()
    other.close()


def test_whoever_was_erased_elsewhere_is_somebody_new_here(desk: ServiceDesk) -> None:
    """A board that has been up for days knew her by an id that belongs to nobody any more."""
    other = ServiceDesk(open_store(desk.store.url), desk.policy, desk._clock)
    zoe = Principal("zoe", Role.RESPONDER, "board")
    before = look(desk, log(desk, caller="Zoë Sample")).caller
    desk.do(zoe, Log(title="Hers"))
    assert before is not None
    erased = [before, desk.store.person_id("zoe") or ""]
    for person in erased:
        other.do(ADA, ErasePerson(person=person, reason="asked for"))
    assert look(desk, log(desk, caller="Zoë Sample")).caller not in erased
    assert desk.do(zoe, Log(title="Hers again")).events[0].actor not in erased
    assert "Zoë Sample" in desk.store.people().values()
    assert verify(desk.store).ok
    other.store.close()
