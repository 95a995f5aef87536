"""Attached files: stored once by their bytes, named safely, told by events, gone when they are taken away."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.attaching import attach, detach
from register.core import NotFound, Refused
from register.desk import ServiceDesk
from register.incident import Label
from register.store import Store, open_store
from register.store.erasing import erase, who_is
from register.store.files import BytesGone, content_of, files_of, put_bytes, sweep
from register.store.retiring import retire
from register.topics.files import LONGEST, MAX_BYTES, Attach, OpenFile, media_type, safe_name
from register.topics.privacy import LegalHold, Redact
from register.topics.resolution import Close
from register.topics.sight import Restrict
from register.verify import verify
from tests.register.saying import ADA, ANA, BEN, VIC, ask, everything, fixed, log, sql, story
from tests.register.test_erasing import adopt

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def on(desk: ServiceDesk, number: str) -> list[Any]:
    with desk.store.read() as connection:
        return files_of(connection, number)


def blobs(store: Store) -> int:
    return len(ask(store, "SELECT sha256 FROM blob"))


def test_a_file_is_kept_as_it_is_and_told(desk: ServiceDesk) -> None:
    number = log(desk)
    attach(desk, ANA, number, PNG, "screen.png", Label.SHAREABLE)
    (file,) = on(desk, number)
    assert (file.name, file.size, file.media_type, file.label) == (
        "screen.png",
        264,
        "image/png",
        "shareable",
    )
    assert content_of(desk.store, file) == PNG
    assert story(desk, number) == ["created", "attached"]
    assert desk.store.people()[file.added_by] == "ana"
    assert PNG.hex() not in str(ask(desk.store, "SELECT data FROM event"))
    assert verify(desk.store).faults == []


@pytest.mark.parametrize("content", [b"", b"x", b"\x00" * 70_000], ids=["none", "one", "many"])
def test_the_same_bytes_are_stored_once_and_go_with_the_last_place(desk: ServiceDesk, content: bytes) -> None:
    one, two = log(desk), log(desk)
    for number in (one, two, one):
        attach(desk, ANA, number, content, "log.txt")
    assert (blobs(desk.store), len(on(desk, one)), len(on(desk, two))) == (1, 2, 1)
    for number in (one, two):
        detach(desk, BEN, number, on(desk, number)[0].id, "wrong one")
    assert blobs(desk.store) == 1
    detach(desk, BEN, one, on(desk, one)[0].id)
    assert blobs(desk.store) == 0
    assert verify(desk.store).faults == []
    with pytest.raises(NotFound, match="has no file"):
        detach(desk, BEN, one, "01ARZ3NDEKTSV4RRFFQ69G5FAV")


def test_said_twice_it_is_attached_once(desk: ServiceDesk) -> None:
    number = log(desk)
    receipt = attach(desk, ANA, number, b"x", "a")
    again = attach(desk, ANA, number, b"x", "a", command_id=receipt.events[0].command_id)
    assert again.replayed
    assert len(on(desk, number)) == 1


def test_who_may_not_changes_nothing(desk: ServiceDesk) -> None:
    number = log(desk)
    attach(desk, ANA, number, b"x", "a")
    (file,) = on(desk, number)
    was = everything(desk.store)
    with pytest.raises(Refused, match="takes the role coordinator"):
        detach(desk, ANA, number, file.id)
    with pytest.raises(NotFound):
        desk.do(VIC, OpenFile(target=number, file="01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    assert everything(desk.store) == was
    desk.do(VIC, OpenFile(target=number, file=file.id))
    assert story(desk, number)[-1] == "file_opened"
    desk.do(ADA, LegalHold(target=number, reason="file 7"))
    with pytest.raises(Refused, match="legal hold"):
        detach(desk, ADA, number, file.id)
    desk.do(ANA, Restrict(target=number))
    with pytest.raises(Refused, match="restricted"):
        desk.do(VIC, OpenFile(target=number, file=file.id))


def test_bytes_that_are_not_there_are_attached_to_nothing(desk: ServiceDesk) -> None:
    number = log(desk)
    with pytest.raises(BytesGone):
        desk.do(ANA, Attach(target=number, name="a", size=1, sha256="0" * 64))
    assert (story(desk, number), on(desk, number)) == (["created"], [])
    with pytest.raises(ValueError, match="size"):
        Attach(target=number, name="a", size=MAX_BYTES + 1, sha256="0" * 64)


def test_attaching_takes_no_lock_until_the_bytes_are_there(desk: ServiceDesk) -> None:
    """Bytes that somebody left lie in the tables and in no incident; a sweep takes them out."""
    put_bytes(desk.store, hashlib.sha256(b"left").hexdigest(), b"left")
    log(desk)
    assert verify(desk.store).faults == []
    assert (blobs(desk.store), sweep(desk.store), blobs(desk.store)) == (1, 1, 0)


def test_a_sweep_at_the_worst_moment_loses_nothing(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, swept = log(desk), []
    real = put_bytes

    def then_swept(store: Store, digest: str, content: bytes) -> None:
        real(store, digest, content)
        if not swept:
            swept.append(sweep(store))

    monkeypatch.setattr("register.attaching.put_bytes", then_swept)
    attach(desk, ANA, number, b"precious", "a")
    assert swept == [1]
    assert content_of(desk.store, on(desk, number)[0]) == b"precious"


def test_two_who_attach_and_take_away_the_same_bytes_at_once(register_url: str) -> None:
    stores = [open_store(register_url) for _ in range(2)]
    desks = [ServiceDesk(store) for store in stores]
    number = log(desks[0])

    def work(desk: ServiceDesk) -> None:
        for _ in range(10):
            made = attach(desk, ANA, number, b"the same", "a").events[0].command_id
            detach(desk, BEN, number, made)

    threads = [threading.Thread(target=work, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert story(desks[0], number).count("detached") == 20
    assert verify(stores[0]).faults == []
    assert blobs(stores[0]) == 0
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE blob SET bytes = :other", "other bytes"),
        ("UPDATE blob SET size = 7", "other bytes"),
        ("DELETE FROM blob", "are gone"),
        ("DELETE FROM attachment", "should have the file"),
        ("UPDATE attachment SET name = 'b'", "otherwise than its events say (name)"),
        ("UPDATE attachment SET incident = 2", "should have the file"),
        ("UPDATE attachment SET id = 'x'", "its events say nothing"),
    ],
)
def test_verify_names_what_was_changed_by_hand(desk: ServiceDesk, change: str, told: str) -> None:
    number = log(desk)
    attach(desk, ANA, number, b"evidence", "a")
    values = {"other": b"evidenca"} if ":other" in change else {}
    assert sql(desk.store, change, **values) == 1
    assert told in " ".join(verify(desk.store).faults)
    if "bytes" in change:
        file = on(desk, number)[0]
        with pytest.raises(Refused, match="not those that were attached"):
            content_of(desk.store, file)


# What privacy does to files


def test_a_redaction_wipes_the_name_and_leaves_the_file(desk: ServiceDesk) -> None:
    number = log(desk)
    attach(desk, ANA, number, b"x", "theos password.txt")
    desk.do(BEN, Redact(target=number, reason="a name"))
    (file,) = on(desk, number)
    assert file.name == "(redacted file 1)"
    assert content_of(desk.store, file) == b"x"
    assert verify(desk.store).faults == []
    detach(desk, BEN, number, file.id)
    assert verify(desk.store).faults == []


def test_an_erasure_lists_the_files_and_wipes_names_that_quote(desk: ServiceDesk) -> None:
    number = log(desk, "x", caller="Theodora Sample")
    attach(desk, ANA, number, b"x", "letter of Theodora Sample.pdf")
    attach(desk, ANA, number, b"y", "other.pdf")
    found = erase(desk, ADA, who_is(desk.store, "Theodora Sample"), "a letter")
    assert sorted(name for _, _, name in found.files) == ["(redacted file 1)", "other.pdf"]
    assert verify(desk.store).faults == []


def test_retention_takes_the_files_too(desk: ServiceDesk, clock: Any) -> None:
    adopt(desk)
    old, young = log(desk), log(desk)
    for number in (old, young):
        attach(desk, ANA, number, b"shared", "a")
    attach(desk, ANA, old, b"alone", "b")
    desk.do(ANA, fixed(old))
    desk.do(ANA, Close(target=old))
    clock.passes(days=31)
    assert retire(desk, ADA, clock()).done == [old]
    assert (on(desk, old), len(on(desk, young)), blobs(desk.store)) == ([], 1, 1)
    assert verify(desk.store).faults == []


def test_no_byte_of_a_file_that_was_taken_away_is_left(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "register.db"))
    desk = ServiceDesk(store)
    number = log(desk)
    attach(desk, ANA, number, b"hunter2" * 5000, "a")
    detach(desk, BEN, number, on(desk, number)[0].id)
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    store.close()


# Names and kinds


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\theo\\notes.txt", "notes.txt"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("", "file"),
        ("...", "file"),
        ("-rf", "rf"),
        ("-\n0", "0"),
        ("~.profile", "profile"),
        ("a\x1b[31m\x00b.log", "a[31mb.log"),
        ("what?<now>.txt", "what_now_.txt"),
        ("  spaced  .pdf ", "spaced  .pdf".replace("  ", " ")),
        ("ä" * 200 + ".png", "ä" * 58 + ".png"),
        (".bashrc", "bashrc"),
    ],
)
def test_a_name_is_a_files_name_anywhere(said: str, name: str) -> None:
    assert safe_name(said) == name


@given(st.text(max_size=300))
def test_whatever_a_file_is_called_its_name_is_safe(said: str) -> None:
    name = safe_name(said)
    assert 0 < len(name.encode()) <= LONGEST
    assert not set(name) & set('/\\\0:*?"<>|')
    assert name.isprintable() or not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in name)
    assert not name.startswith((".", "-", "~", " "))
    assert not name.endswith((".", " "))
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PNG, "a.txt", "image/png"),
        (b"%PDF-1.7", "x", "application/pdf"),
        (b"PK\x03\x04", "x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04", "x.png", "application/zip"),
        (b"MZ\x90", "holiday.jpg", "application/x-dosexec"),
        (b"a,b\n", "x.csv", "text/csv"),
        (b"hello", "x.png", "text/plain"),
        (b"\x00\x01", "x.png", "application/octet-stream"),
        ("ä".encode()[:1], "x", "application/octet-stream"),
        (b"", "x", "text/plain"),
    ],
)
def test_bytes_say_more_than_names(content: bytes, name: str, kind: str) -> None:
    assert media_type(content, name) == kind


def test_files_without_a_name_are_told_apart_by_a_number_that_stays(desk: ServiceDesk) -> None:
    number = log(desk)
    for content in (b"one", b"two", b"three"):
        attach(desk, ANA, number, content, f"of Theodora {content.decode()}.txt")
    desk.do(BEN, Redact(target=number, reason="a name"))
    assert [file.name for file in on(desk, number)] == [f"(redacted file {n})" for n in (1, 2, 3)]
    detach(desk, BEN, number, on(desk, number)[0].id, "")
    attach(desk, ANA, number, b"four", "new.txt")
    assert [file.name for file in on(desk, number)] == ["(redacted file 2)", "(redacted file 3)", "new.txt"]
    assert verify(desk.store).faults == []
    desk.do(BEN, Redact(target=number, reason="a name"))
    assert on(desk, number)[-1].name == "(redacted file 4)"
    assert verify(desk.store).faults == []
