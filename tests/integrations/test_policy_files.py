"""From files to what a register has adopted, and what its worker makes of it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_kit import TOP, practice_file, wait_for

from integrations.anchors import keep_anchors
from integrations.hand import Hand
from integrations.known import NOTHING_ADOPTED, Known
from integrations.policy_files import Person, begin, find_files, keep_up, vendors_now
from register.desk import ServiceDesk
from register.store import Store, open_store
from register.store.adopted import adopted
from register.store.shared import make_shared
from register.toml_file import FileFaults
from register.topics.intake import Log
from register.verify import Anchor, verify

ME = Person.here()
ADMIN = ME.admin("test")
URL = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    found = tmp_path / "home"
    found.mkdir()
    return found


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    return {"MUSTER_HOME": str(home)}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Store]:
    store = open_store(str(tmp_path / "r.db"))
    yield store
    store.close()


@pytest.fixture
def shared() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="sh") as folder:
        register = Path(folder) / "muster" / "r.db"
        make_shared(register, str(os.getgid()))
        store = open_store(str(register))
        yield store
        store.close()


def apply(store: Store, env: dict[str, str]) -> None:
    command = find_files(env).read().checked().command(ME, private=False, sure=True)
    ServiceDesk(store).do(ADMIN, command)


# A register of one's own


def test_its_owners_files_are_adopted_once_and_again_when_they_differ(
    own: Store, home: Path, env: dict[str, str]
) -> None:
    file = practice_file(home, URL)
    assert keep_up(own, env, ME, "cli").policy.version == 1
    seq = own.seq()
    assert keep_up(own, env, ME, "cli").policy.version == 1
    assert own.seq() == seq
    practice_file(home, URL, title="Another")
    assert keep_up(own, env, ME, "cli").policy.vendors["practice"].title == "Another"
    assert vendors_now(own, env)["practice"].title == "Another"
    file.write_text("[vendor.practice]\nconnector = 7\n")
    with pytest.raises(FileFaults):
        keep_up(own, env, ME, "cli")
    assert adopted(own).policy.version == 2


def test_the_sample_serves_until_something_is_adopted_and_never_takes_its_place(
    own: Store, home: Path, env: dict[str, str]
) -> None:
    assert list(keep_up(own, env, ME, "cli").policy.vendors) == ["practice"]
    assert (own.seq(), list(vendors_now(own, env))) == (0, ["practice"])
    file = practice_file(home, URL, title="Mine")
    keep_up(own, env, ME, "cli")
    file.unlink()
    assert keep_up(own, env, ME, "cli").policy.vendors["practice"].title == "Mine"


def test_its_worker_takes_up_a_changed_file_and_what_others_adopt(
    own: Store, home: Path, env: dict[str, str], tmp_path: Path
) -> None:
    said: list[str] = []
    file = practice_file(home, URL)
    known = Known(ServiceDesk(own), env, said.append)
    before = known.read()
    assert not known.are_others(before)
    file.write_text(f"# a comment\n{file.read_text()}")
    assert not known.are_others(before)  # the worker goes on as it is
    assert adopted(own).policy.version == 2
    practice_file(home, URL, title="Edited")
    assert known.are_others(before)
    assert known.read()["practice"].title == "Edited"
    file.write_text("no toml")
    assert not known.are_others(known.read())
    assert "What was adopted before holds on." in said[-1]

    other = tmp_path / "other"
    other.mkdir()
    practice_file(other, URL, title="Of another folder")
    keep_up(own, {"MUSTER_HOME": str(other)}, ME, "cli")
    version = adopted(own).policy.version
    assert known.read()["practice"].title == "Of another folder"
    assert adopted(own).policy.version == version  # the two do not take turns for ever


# A register that is shared


def test_files_decide_nothing_on_a_shared_register(shared: Store, home: Path, env: dict[str, str]) -> None:
    practice_file(home, URL)
    said: list[str] = []
    known = Known(ServiceDesk(shared), env, said.append)
    nothing = known.read()
    assert (nothing, said) == ({}, [NOTHING_ADOPTED])
    assert keep_up(shared, env, ME, "cli").policy.version == 0
    assert not known.are_others(nothing)
    apply(shared, env)
    assert known.are_others(nothing)
    assert list(known.read()) == ["practice"]
    practice_file(home, URL, title="Edited")
    assert not known.are_others(known.read())


def test_whoever_makes_it_is_on_record_and_their_files_are_its_first_policy(
    shared: Store, home: Path, env: dict[str, str]
) -> None:
    practice_file(home, URL, title="First")
    assert begin(shared, env, Person(ME.uid, "mia"), "cli") == []
    policy = adopted(shared).policy
    assert (policy.founder, policy.vendors["practice"].title) == ((ME.uid, "mia"), "First")
    seq = shared.seq()
    assert begin(shared, env, Person(ME.uid, "mia"), "cli") == []
    assert shared.seq() == seq


def test_who_did_not_make_it_is_not_taken_for_its_maker(shared: Store, env: dict[str, str]) -> None:
    assert begin(shared, env, Person(4242, "eve"), "cli") == []
    assert (shared.seq(), adopted(shared).policy.founder) == (0, None)


def test_faulty_files_of_the_maker_are_told_and_wait(shared: Store, home: Path, env: dict[str, str]) -> None:
    (home / "matrix.toml").write_text('fallback_team = "desk"\n')
    (fault, todo) = begin(shared, env, ME, "cli")
    assert "matrix.toml line 1" in fault
    assert "muster apply" in todo
    assert (adopted(shared).policy.version, adopted(shared).policy.founder) == (0, (ME.uid, ME.login))


def test_on_postgresql_it_is_who_wrote_first(store: Store, home: Path, env: dict[str, str]) -> None:
    if store.path is not None:
        pytest.skip("a file has an owner")
    practice_file(home, URL)
    ServiceDesk(store).do(Person(7, "ana").admin("cli"), Log(title="of an older Muster"))
    begin(store, env, Person(8, "ben"), "cli")
    assert adopted(store).policy.founder is None
    begin(store, env, Person(7, "ana"), "cli")
    policy = adopted(store).policy
    assert (policy.founder, policy.version) == ((7, "ana"), 0)  # it is no new one: an admin applies


# Heads in the journal


async def test_the_head_is_told_again_and_again(own: Store) -> None:
    said: list[str] = []
    hand = Hand(ServiceDesk(own))
    task = asyncio.create_task(keep_anchors(hand, said.append, 0.05))
    await asyncio.sleep(0.02)
    await hand.do(ADMIN, Log(title="later"))
    while len(said) < 3:
        await asyncio.sleep(0.02)
    task.cancel()
    hand.close()
    assert said[0] == f"Head 0:{'0' * 64}"
    assert said[-1] == "Head {}:{}".format(*own.head())


def test_serve_writes_heads_by_which_a_rewritten_log_shows(own: Store, home: Path) -> None:
    ServiceDesk(own).do(ADMIN, Log(title="one"))
    practice_file(home, URL)
    env = os.environ | {"MUSTER_HOME": str(home), "MUSTER_REGISTER": str(own.path)}
    serve = subprocess.Popen(
        [sys.executable, "-m", "tui.main", "serve"], cwd=TOP, env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert serve.stderr is not None
        first = serve.stderr.readline()
        wait_for(lambda: adopted(own).policy.version == 1, 10, "adopting")
        ServiceDesk(own).do(ADMIN, Log(title="two"))
        serve.send_signal(signal.SIGTERM)
        _, rest = serve.communicate(timeout=20)
    finally:
        serve.kill()
    last = rest.strip().splitlines()[-1]
    anchors = [Anchor.parse(line.split(" Head ")[1]) for line in (first, last)]
    assert (anchors[-1].seq, anchors[-1].hash) == own.head()
    assert anchors[0].seq < anchors[1].seq
    assert all(verify(own, since=anchor).ok for anchor in anchors)
    assert not verify(own, since=Anchor(anchors[0].seq, "f" * 64)).ok
