"""The spool: kept through anything, entered once each, in order, in the name of whoever said it."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from register.core import Principal, Role, new_id
from register.desk import ServiceDesk
from register.incident import Label
from register.paper import TEMPORARY
from register.provisional import is_provisional
from register.replay import command_of, fields_of, replay
from register.spool import Entry, NotKept, Spool, entry
from register.store import RegisterAway
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Take
from register.verify import verify
from tests.register.saying import ANA, BEN, VIC, log, look, sql, story

SAID = Principal("ana", Role.RESPONDER, "spool")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "state" / "spool")


def say(
    spool: Spool, command: Any, register_id: str, *, at: datetime | None = None, about: str = ""
) -> Entry:
    """Keep a command as a door does."""
    clock = (lambda: at) if at is not None else (lambda: datetime.now(UTC))
    target = "" if about else getattr(command, "target", "")
    said = entry(
        register_id,
        command.command_id,
        command.verb,
        fields_of(command),
        source="cli",
        target=target,
        about=about,
        clock=clock,
    )
    return spool.keep(said)


def files(spool: Spool) -> list[Path]:
    return sorted(path for path in spool.folder.glob("*.json") if path.name[0].isdigit())


# Keeping


def test_what_is_kept_is_found_by_another_process_with_its_number(spool: Spool) -> None:
    first = say(spool, Log(title="db down", impact="high", description="since\nnoon"), "REG")
    second = say(Spool(spool.folder), Note(target="INC-3", text="looked", label=Label.SHAREABLE), "REG")
    found = Spool(spool.folder).look()
    assert [(one.name, one.verb, one.target) for one in found.entries] == [
        ("~1", "log", ""),
        ("~2", "note", "INC-3"),
    ]
    assert found.entries == (first, second)
    assert found.faults == ()
    made = command_of(found.entries[1], "INC-3")
    assert isinstance(made, Note)
    assert (made.text, made.label, made.command_id) == ("looked", Label.SHAREABLE, second.command_id)


def test_nobody_else_reads_it_whatever_the_umask(spool: Spool) -> None:
    before = os.umask(0)
    try:
        say(spool, Log(title="secret"), "REG")
    finally:
        os.umask(before)
    for path in spool.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_the_same_command_is_kept_once(spool: Spool) -> None:
    command = Log(title="once")
    assert say(spool, command, "REG") == say(Spool(spool.folder), command, "REG")
    assert len(spool.look().entries) == 1


def test_a_process_writes_into_one_file_until_it_is_full(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("register.spool._MOST_IN_ONE", 3)
    for _ in range(7):
        say(spool, Log(title="one"), "REG")
    assert [len(json.loads(path.read_text())["entries"]) for path in files(spool)].count(3) == 2
    assert [one.no for one in spool.look().entries] == list(range(1, 8))


def test_a_file_that_is_held_makes_nobody_wait(spool: Spool) -> None:
    say(spool, Log(title="one"), "REG")
    (path,) = files(spool)
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert say(spool, Log(title="two"), "REG").name == "~2"
    assert len(files(spool)) == 2


def test_numbers_are_not_given_twice(spool: Spool) -> None:
    first = say(spool, Log(title="one"), "REG")
    assert spool.drop(first)
    assert not spool.drop(first)
    assert files(spool) == []
    assert say(spool, Log(title="two"), "REG").name == "~2"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file is in the way")
    with pytest.raises(NotKept, match=r"could not be kept in the spool either \(.*spool: .*\)\."):
        say(Spool(tmp_path / "spool"), Log(title="one"), "REG")


def test_a_damaged_file_is_put_aside_and_told_and_the_others_are_read(spool: Spool) -> None:
    say(spool, Log(title="one"), "REG")
    (path,) = files(spool)
    path.write_text('{"entries": {"1": {"v": 1, "no"')
    say(Spool(spool.folder), Log(title="two"), "REG")
    for _ in range(2):  # it is told again until somebody has looked
        looked = spool.look()
        assert [one.fields["title"] for one in looked.entries] == ["two"]
        (fault,) = looked.faults
        assert f"{path}.damaged is damaged: what is in it was not entered." in fault
    assert Path(f"{path}.damaged").read_text().startswith('{"entries"')


@pytest.mark.parametrize(
    "change",
    [{"no": "1"}, {"fields": []}, {"said_at": None}, {"no": 7}, {"command_id": 5}],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_of_another_shape_is_damage(spool: Spool, change: dict[str, Any]) -> None:
    say(spool, Log(title="one"), "REG")
    (path,) = files(spool)
    data = json.loads(path.read_text())
    data["entries"]["1"] |= change
    path.write_text(json.dumps(data))
    assert spool.look().entries == ()
    assert "is damaged" in spool.look().faults[0]


def test_what_a_newer_muster_wrote_is_left_to_it(spool: Spool) -> None:
    say(spool, Log(title="one"), "REG")
    (path,) = files(spool)
    path.write_text(path.read_text().replace('"v":1', '"v":2'))
    assert spool.look().faults == (
        f"{path} was written by another version of Muster, which can enter what is in it.",
    )
    assert path.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_left_alone(spool: Spool) -> None:
    say(spool, Log(title="in my name"), "REG")
    (path,) = files(spool)
    os.chown(path, 12345, -1)
    looked = spool.look()
    assert looked.entries == ()
    assert "a file of somebody else's (uid 12345): it was left alone" in looked.faults[0]
    assert path.exists()


def test_a_file_that_others_may_write_is_not_believed(spool: Spool) -> None:
    say(spool, Log(title="in my name"), "REG")
    (path,) = files(spool)
    path.chmod(0o666)
    assert spool.look().entries == ()
    assert "no file that you alone can write" in spool.look().faults[0]


def test_a_link_in_place_of_a_file_is_not_followed(spool: Spool, tmp_path: Path) -> None:
    say(spool, Log(title="one"), "REG")
    (path,) = files(spool)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert spool.look().entries == ()
    assert len(spool.look().faults) == 1


def test_what_a_dead_writer_left_half_written_goes(spool: Spool, store: Any) -> None:
    say(spool, Log(title="one"), "REG")
    old, new = spool.folder / f"{TEMPORARY}old", spool.folder / f"{TEMPORARY}new"
    for path in (old, new):
        path.write_text('{"entr')
    os.utime(old, (0, 0))
    with spool.replaying() as alone:
        assert alone
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(("text", "so"), [("~1", True), ("~", False), ("INC-1", False), ("~x", False)])
def test_a_provisional_number(text: str, so: bool) -> None:
    assert is_provisional(text) is so


# Entering


def test_each_is_entered_once_in_order_with_the_time_it_was_said(
    desk: ServiceDesk, spool: Spool, clock: Any
) -> None:
    existing = log(desk)
    said = clock.now
    first = say(spool, Log(title="db down", impact="high", urgency="high"), desk.store.register_id, at=said)
    say(Spool(spool.folder), Note(target=existing, text="seen"), desk.store.register_id, at=said)
    say(spool, Note(target="~1", text="and on it"), desk.store.register_id, about=first.command_id)
    clock.passes(hours=2)
    outcome = replay(desk, SAID, spool)
    assert [(one.name, number) for one, number in outcome.entered] == [
        ("~1", "INC-2"),
        ("~2", "INC-1"),
        ("~3", "INC-2"),
    ]
    assert (outcome.refused, outcome.foreign, outcome.faults, outcome.why) == ([], [], [], "")
    assert story(desk, "INC-2") == ["created", "note"]
    (created, _) = desk.store.timeline("INC-2")
    assert created.at == said
    assert created.recorded_at - said >= timedelta(hours=2)
    assert (created.actor, created.source) == (desk.store.person_id("ana"), "spool")
    incident = look(desk, "INC-2")
    assert incident.opened_at == said
    due = {row["number"]: row["due"] for row in desk.store.rows()[1]}
    assert due["INC-2"] == int(said.timestamp()) + 4 * 3600  # promised from when it was said
    assert incident.updated_at == created.recorded_at or incident.updated_at > created.recorded_at
    assert files(spool) == []
    assert spool.look().entered == {1: "INC-2", 2: "INC-1", 3: "INC-2"}
    assert spool.look().meant("~1") == ("INC-2", "")
    assert replay(desk, SAID, spool).entered == []
    assert verify(desk.store).faults == []


def test_what_is_in_the_register_already_is_not_entered_twice(desk: ServiceDesk, spool: Spool) -> None:
    """The commit's answer was lost, so it went into the spool; or whoever entered it died before the end."""
    command = Log(title="once")
    desk.do(ANA, command)
    say(spool, command, desk.store.register_id)
    # even where whoever said it may not write any more
    assert [number for _, number in replay(desk, VIC, spool).entered] == ["INC-1"]
    assert desk.store.count_events() == 1
    assert spool.is_empty()


def test_what_a_rule_refuses_now_is_kept_until_a_person_decides(desk: ServiceDesk, spool: Spool) -> None:
    say(spool, Note(target="INC-9", text="on nothing"), desk.store.register_id)
    say(spool, Log(title="db down"), desk.store.register_id)
    outcome = replay(desk, SAID, spool)
    assert [number for _, number in outcome.entered] == ["INC-1"]
    ((entry_, why),) = outcome.refused
    assert (entry_.name, why) == ("~1", "There is no INC-9. `muster list` shows the open ones.")
    assert replay(desk, SAID, spool).refused == []  # it is not tried again by itself
    (kept,) = spool.look().refused()
    assert kept.refused == why
    spool.mark(kept, "", "INC-1")
    assert [number for _, number in replay(desk, SAID, spool, ["~1"]).entered] == ["INC-1"]
    assert story(desk, "INC-1") == ["created", "note"]


def test_a_role_that_was_lost_is_a_conflict(desk: ServiceDesk, spool: Spool) -> None:
    say(spool, Log(title="db down"), desk.store.register_id)
    ((_, why),) = replay(desk, VIC, spool).refused
    assert "takes the role responder; you are viewer" in why
    assert desk.store.count_events() == 0
    assert [number for _, number in replay(desk, SAID, spool, ["~1"]).entered] == ["INC-1"]


def test_a_note_waits_for_the_incident_it_is_about(desk: ServiceDesk, spool: Spool) -> None:
    first = say(spool, Log(title="db down"), desk.store.register_id)
    say(spool, Note(target="~1", text="on it"), desk.store.register_id, about=first.command_id)
    assert [one.name for one, _ in replay(desk, VIC, spool).refused] == ["~1"]
    assert [one.name for one in spool.look().waiting()] == ["~2"]
    spool.drop(first)
    ((_, why),) = replay(desk, SAID, spool).refused
    assert why == (
        "The incident that ~2 is about was never entered: its entry was dropped."
        " `muster spool retry ~2 --to INC-7` enters it there."
    )


def test_entries_of_another_register_stay(desk: ServiceDesk, spool: Spool) -> None:
    say(spool, Log(title="elsewhere"), "01ANOTHERREGISTER0000000000")
    outcome = replay(desk, SAID, spool)
    assert [one.name for one in outcome.foreign] == ["~1"]
    assert outcome.entered == []
    assert desk.store.count_events() == 0
    assert [one.name for one in spool.look().entries] == ["~1"]


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("take", {"target": "INC-1"}),
        ("nonsense", {}),
        ("log", {"title": ""}),
        ("log", {"title": "x", "y": 1}),
    ],
)
def test_what_is_no_command_of_ours_is_a_conflict(
    desk: ServiceDesk, spool: Spool, verb: str, fields: dict[str, Any]
) -> None:
    log(desk)
    spool.keep(entry(desk.store.register_id, new_id(), verb, fields, source="cli"))
    ((_, why),) = replay(desk, SAID, spool).refused
    assert why.startswith("This Muster cannot read it")
    assert desk.store.count_events() == 1
    assert len(spool.look().refused()) == 1


def test_when_the_register_goes_away_again_the_rest_waits(
    desk: ServiceDesk, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("one", "two", "three"):
        say(spool, Log(title=title), desk.store.register_id)
    real, calls = ServiceDesk.do, []

    def do(self: ServiceDesk, *asked: Any, **more: Any) -> Any:
        calls.append(asked)
        if len(calls) == 2:
            raise RegisterAway("It does not answer.")
        return real(self, *asked, **more)

    monkeypatch.setattr(ServiceDesk, "do", do)
    outcome = replay(desk, SAID, spool)
    assert [one.name for one, _ in outcome.entered] == ["~1"]
    assert outcome.why == "It does not answer."
    assert [one.name for one in spool.look().waiting()] == ["~2", "~3"]
    assert [number for _, number in replay(desk, SAID, spool).entered] == ["INC-2", "INC-3"]


def test_only_one_enters_at_a_time(desk: ServiceDesk, spool: Spool) -> None:
    say(spool, Log(title="one"), desk.store.register_id)
    with spool.replaying() as alone:
        assert alone
        assert replay(desk, SAID, Spool(spool.folder)).entered == []
    assert len(replay(desk, SAID, spool).entered) == 1


def test_said_before_its_incident_was_opened_or_after_now_it_is_taken_as_then(
    desk: ServiceDesk, spool: Spool, clock: Any
) -> None:
    number = log(desk)
    opened = look(desk, number).opened_at
    early = say(
        spool, Note(target=number, text="early"), desk.store.register_id, at=opened - timedelta(days=9)
    )
    late = say(spool, Note(target=number, text="late"), desk.store.register_id, at=opened + timedelta(days=9))
    assert early.no < late.no
    replay(desk, SAID, spool)
    _, first, second = desk.store.timeline(number)
    assert first.at == opened
    assert second.at == second.recorded_at


@pytest.mark.parametrize("said_at", [-1e300, 1e300, 0.0])
def test_a_time_that_is_none_stops_nothing(desk: ServiceDesk, spool: Spool, said_at: float) -> None:
    kept = say(spool, Log(title="one"), desk.store.register_id)
    path = spool.folder / kept.file
    data = json.loads(path.read_text())
    data["entries"]["1"]["said_at"] = said_at
    path.write_text(json.dumps(data))
    assert len(replay(desk, SAID, spool).entered) == 1
    assert verify(desk.store).faults == []


def test_a_provisional_number_never_reaches_the_tables(desk: ServiceDesk) -> None:
    for command in (Note(target="~1", text="x"), Take(target="~1")):
        with pytest.raises(Exception, match=r"~1 is not in the register: `muster spool list`"):
            desk.do(BEN, command)
        with pytest.raises(Exception, match=r"~1 is not in the register"):
            desk.do_all([(BEN, Log(title="x")), (BEN, command)])
    assert desk.store.count_events() == 0


def test_an_incident_that_cannot_be_read_keeps_no_other_note_waiting(desk: ServiceDesk, spool: Spool) -> None:
    damaged, sound = log(desk), log(desk)
    for number in (damaged, sound):
        about = entry(
            desk.store.register_id, new_id(), "note", {"text": "Kept."}, source="cli", target=number
        )
        spool.keep(about)
    sql(desk.store, "UPDATE incident SET doc = '{' WHERE n = 1")
    outcome = replay(desk, ANA, spool)
    assert "INC-1 cannot be read" in outcome.why
    assert [number for _, number in outcome.entered] == [sound]
    assert [one.target for one in spool.look().waiting()] == [damaged]
