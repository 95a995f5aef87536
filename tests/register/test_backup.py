"""Backups made while others write, proved, and put back; nothing is sent twice for it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from register.backup import back_up, proved
from register.core import Refused
from register.desk import ServiceDesk
from register.restore import restore
from register.store import RegisterUnavailable, Store, fulltext, open_store, outbox
from register.store import tables as t
from register.store.copying import CONTENT, digests_of
from register.store.shared import make_shared
from register.topics.files import Attach
from register.topics.notes import Note
from register.topics.privacy import Redact
from register.verify import Anchor, verify
from tests.register.saying import ADA, ANA, ROOT, arrived, claim, engaged, log, look, reply, run_script, sql

pytestmark = pytest.mark.kills

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def digests(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return digests_of(connection)


@pytest.fixture
def full(desk: ServiceDesk, clock: Any) -> ServiceDesk:
    """A register with something in most of its tables."""
    engaged(desk)
    (row,) = claim(desk.store, clock())
    arrived(desk, row.row_id)
    number, _ = engaged(desk)
    reply(desk, number)
    log(desk, title="Wörter, и слова, 言葉 🎉", caller="Zoë")
    content = b"\x00\xff" * 700
    from hashlib import sha256

    from register.store.files import put_bytes

    digest = sha256(content).hexdigest()
    put_bytes(desk.store, digest, content)
    desk.do(ANA, Attach(target="INC-1", name="a.bin", size=len(content), sha256=digest))
    return desk


@pytest.fixture
def back(new_register: Callable[[], str], full: ServiceDesk, tmp_path: Path) -> Iterator[Store]:
    """What was backed up, put back in an empty place of the same kind."""
    back_up(full.store, tmp_path / "b.muster", NOW)
    url = new_register()
    restore(tmp_path / "b.muster", url, "ada", NOW, force=False)
    opened = open_store(url)
    yield opened
    opened.close()


def test_a_backup_holds_every_row_and_is_mine_alone(full: ServiceDesk, tmp_path: Path) -> None:
    path = tmp_path / "b.muster"
    made = back_up(full.store, path, NOW)
    assert (made.seq, made.hash) == full.store.head()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["b.muster"]
    import json

    assert json.loads(proved(path).digests) == digests(full.store)


def test_a_backup_is_not_opened_as_a_register(full: ServiceDesk, tmp_path: Path) -> None:
    back_up(full.store, tmp_path / "b.muster", NOW)
    with pytest.raises(RegisterUnavailable, match="muster restore"):
        open_store(str(tmp_path / "b.muster"))


def test_a_backup_takes_no_file_s_place_unasked(full: ServiceDesk, tmp_path: Path) -> None:
    path = tmp_path / "b.muster"
    path.write_text("mine")
    with pytest.raises(Refused, match="there already"):
        back_up(full.store, path, NOW)
    assert path.read_text() == "mine"
    back_up(full.store, path, NOW, force=True)
    proved(path)


def test_a_register_that_does_not_hold_is_not_backed_up(full: ServiceDesk, tmp_path: Path) -> None:
    sql(full.store, "UPDATE event SET data = '{}' WHERE seq = 2")
    with pytest.raises(RegisterUnavailable, match=r"does not hold|cannot be read"):
        back_up(full.store, tmp_path / "b.muster", NOW)
    assert not list(tmp_path.iterdir())


def test_what_comes_back_is_what_was_there(full: ServiceDesk, back: Store) -> None:
    verdict = verify(back)
    assert verdict.ok, verdict.faults
    assert back.register_id == full.store.register_id
    seq, hashed = full.store.head()
    assert verify(back, since=Anchor(seq, hashed)).ok
    assert back.incident("INC-3") == look(full, "INC-3")
    untouched = {table.name for table in CONTENT} - {
        "event",
        "incident",
        "sending",
        "vendor",
        "lease",
        "person",
    }
    before, after = digests(full.store), digests(back)
    assert {name: before[name] for name in untouched} == {name: after[name] for name in untouched}


def test_nothing_that_may_have_been_sent_since_is_sent_blindly(
    full: ServiceDesk, back: Store, clock: Any
) -> None:
    """The rows are doubtful, their supplier is paused, and a message waits for its ticket's look-up."""
    rows = outbox.unfinished(back)
    assert [row.state for row in rows] == ["ambiguous", "ambiguous"]
    assert {row.deadline_at for row in rows} == {NOW}
    later = NOW + timedelta(hours=1)
    assert claim(back, later) == []
    assert [row.kind for row in outbox.overdue(back, "acme", later)[1]] == ["create"]
    with back.read() as connection:
        assert connection.execute(select(t.vendor.c.paused_at)).scalar_one() is not None
    kinds = [event.kind for event in back.timeline("register")]
    assert kinds == ["restored"]


def test_a_message_is_looked_up_once_its_ticket_is_known(full: ServiceDesk, back: Store, policy: Any) -> None:
    create, comment = outbox.unfinished(back)
    arrived(ServiceDesk(back, policy, lambda: NOW), create.row_id, how="found")
    (row,) = outbox.overdue(back, "acme", NOW + timedelta(hours=1))[1]
    assert (row.row_id, row.remote_id) == (comment.row_id, "4711")


def test_a_live_register_is_kept_aside(
    full: ServiceDesk, new_register: Callable[[], str], tmp_path: Path, database: str
) -> None:
    back_up(full.store, tmp_path / "b.muster", NOW)
    url = new_register()
    live = open_store(url)
    log(ServiceDesk(live), title="Said later")
    head = live.head()
    with pytest.raises(Refused, match="--force"):
        restore(tmp_path / "b.muster", url, "ada", NOW, force=False)
    with pytest.raises(RegisterUnavailable, match="in use"):
        restore(tmp_path / "b.muster", url, "ada", NOW, force=True)
    assert live.head() == head
    live.close()
    done = restore(tmp_path / "b.muster", url, "ada", NOW, force=True)
    opened = open_store(url)
    assert opened.register_id == full.store.register_id
    assert verify(opened).ok
    opened.close()
    assert done.aside is not None
    if database == "sqlite":
        kept = open_store(str(done.aside))
        assert kept.head() == head
        kept.close()
    else:
        assert proved(done.aside).register_id != full.store.register_id


@pytest.mark.parametrize("damage", ["cut", "cut short", "byte", "nothing", "text"])
def test_a_damaged_backup_is_refused(
    full: ServiceDesk, new_register: Callable[[], str], tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "b.muster"
    back_up(full.store, path, NOW)
    content = path.read_bytes()
    at = content.index(b"The database is down.")
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "cut short": content[:-10],
            "byte": content[:at] + b"t" + content[at + 1 :],
            "nothing": b"",
            "text": b"hello",
        }[damage]
    )
    url = new_register()
    with pytest.raises(RegisterUnavailable, match=r"b\.muster.*Nothing was changed"):
        restore(path, url, "ada", NOW, force=False)
    fresh = open_store(url)
    assert fresh.seq() == 0
    fresh.close()


def test_a_row_that_no_chain_covers_is_missed_too(full: ServiceDesk, tmp_path: Path) -> None:
    path = tmp_path / "b.muster"
    back_up(full.store, path, NOW)
    import pysqlite3

    with pysqlite3.connect(path) as connection:
        connection.execute("UPDATE sending SET payload = '{}'")
    connection.close()
    with pytest.raises(RegisterUnavailable, match="damaged"):
        proved(path)


def test_a_backup_while_others_write_is_of_one_moment(
    new_register: Callable[[], str], tmp_path: Path
) -> None:
    url = new_register()
    store = open_store(url)
    writers = [run_script("writer", url, "log-slowly") for _ in range(2)]
    try:
        deadline = time.monotonic() + 20
        while store.seq() < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        made = [back_up(store, tmp_path / f"{n}.muster", NOW) for n in range(4)]
        assert all(writer.poll() is None for writer in writers)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert made[0].seq < made[-1].seq, "nobody wrote meanwhile"
    assert verify(store).ok
    for one in made:
        assert verify(store, since=Anchor(one.seq, one.hash)).ok
        proved(one.path)
    store.close()


def test_an_anchor_from_after_the_backup_tells_that_it_was_put_back(full: ServiceDesk, back: Store) -> None:
    log(full, title="Said after the backup")
    log(full, title="And another")
    verdict = verify(back, since=Anchor(*full.store.head()))
    assert "a backup was put back" in verdict.faults[0]


@pytest.mark.parametrize("gone", [True, False])
def test_what_lies_beside_a_damaged_or_lost_file_is_not_laid_over_the_new_one(
    tmp_path: Path, gone: bool
) -> None:
    path = tmp_path / "live.db"
    store = open_store(str(path))
    log(ServiceDesk(store))
    back_up(store, tmp_path / "b.muster", NOW)
    log(ServiceDesk(store), title="Only in the log beside it")
    left = path.with_name("live.db-wal").read_bytes()
    store.close()
    path.unlink()
    if not gone:
        path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8_000)
    path.with_name("live.db-wal").write_bytes(left)
    restore(tmp_path / "b.muster", str(path), "ada", NOW, force=True)
    assert not path.with_name("live.db-wal").exists()
    opened = open_store(str(path))
    assert [incident.title for incident in opened.incidents()] == ["Checkout answers 500"]
    assert verify(opened).ok
    opened.close()


def test_a_shared_register_that_was_just_made_stays_open_to_its_group(
    full: ServiceDesk, tmp_path: Path
) -> None:
    """`muster init --group` and then a restore, as after the loss of a host's disk."""
    gid = os.getegid() if os.geteuid() else 1
    back_up(full.store, tmp_path / "b.muster", NOW)
    path = tmp_path / "desk" / "r.db"
    make_shared(path, str(gid))
    restore(tmp_path / "b.muster", str(path), "ada", NOW, force=False)
    about = path.stat()
    assert (stat.S_IMODE(about.st_mode), about.st_gid) == (0o660, gid)


def test_what_was_begun_in_its_place_meanwhile_is_not_written_over(
    full: ServiceDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proving a large backup takes minutes, and a board that is opened then makes a register."""
    from register import restore as module

    path = tmp_path / "r.db"
    back_up(full.store, tmp_path / "b.muster", NOW)
    made_ready = module._made_ready

    def meanwhile(*given: Any) -> Any:
        done = made_ready(*given)
        board = open_store(str(path))
        log(ServiceDesk(board), title="Acknowledged")
        board.close()
        return done

    monkeypatch.setattr(module, "_made_ready", meanwhile)
    with pytest.raises(RegisterUnavailable, match="began a register there meanwhile"):
        restore(tmp_path / "b.muster", str(path), "ada", NOW, force=False)
    opened = open_store(str(path))
    assert [one.title for one in opened.incidents()] == ["Acknowledged"]
    opened.close()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import register.backup, register.restore as r
def die(*rest, **more):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(r, sys.argv[3], die)
r.restore(Path(sys.argv[1]), sys.argv[2], "ada", datetime.now(UTC), force=True)
"""


def test_texts_that_come_back_are_found_again(
    new_register: Callable[[], str], policy: Any, tmp_path: Path
) -> None:
    """Redacted after the backup, they are back with it: the index is of the log that is there now."""
    url = new_register()
    store = open_store(url)
    desk = ServiceDesk(store)
    log(desk)
    desk.do(ANA, Note(target="INC-1", text="The password is hunter2."))
    fulltext.catch_up(store)
    back_up(store, tmp_path / "b.muster", NOW)
    desk.do(ADA, Redact(target="INC-1", reason="a password"))
    store.close()
    restore(tmp_path / "b.muster", url, "ada", NOW, force=True)
    opened = open_store(url)
    assert verify(opened).faults == []
    fulltext.catch_up(opened)
    assert verify(opened).faults == []
    opened.close()


# at count_rows the old rows are deleted and the new ones are not there yet
@pytest.mark.parametrize("point", ["proved", "verify", "_clear_beside", "count_rows", "sync_folder"])
def test_killed_while_it_is_put_back_the_register_is_the_old_or_the_new_one(
    new_register: Callable[[], str], full: ServiceDesk, tmp_path: Path, point: str, database: str
) -> None:
    if (point in ("_clear_beside", "sync_folder") and database != "sqlite") or (
        point == "count_rows" and database == "sqlite"
    ):
        pytest.skip("the other database's way")
    back_up(full.store, tmp_path / "b.muster", NOW)
    url = new_register()
    live = open_store(url)
    log(ServiceDesk(live), title="The old one")
    old = live.head()
    live.close()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "b.muster"), url, point], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    opened = open_store(url)
    assert verify(opened).ok
    assert (opened.head() == old) is (point != "sync_folder")
    opened.close()
    restore(tmp_path / "b.muster", url, "ada", NOW, force=True)
    opened = open_store(url)
    assert verify(opened).ok
    assert opened.register_id == full.store.register_id
    opened.close()
