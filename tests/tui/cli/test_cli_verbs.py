"""Every verb on the command line: done, refused, told as JSON; and made from the registry alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

import pytest
from pydantic import AwareDatetime, Field

import register.topics  # noqa: F401 - fills the registry
from register.core import VERBS, Command, Decision, Role, Target, World, decide, says
from register.incident import Impact, Incident
from register.text import Words
from register.topics.notes import Noted
from tests.tui.cli_help import Cli, vendor_block


@pytest.fixture
def one(cli: Cli) -> Cli:
    """With one incident, INC-1."""
    assert cli("log", "Mail is late").code == 0
    return cli


def test_log_prints_one_object(cli: Cli) -> None:
    told = cli.json("log", "Mail is late", "--impact", "high", "--urgency", "HIGH", "--service", "Mail")
    assert (told["number"], told["state"], told["priority"]) == ("INC-1", "New", "P1")
    assert (told["title"], told["service"], told["owner"]) == ("Mail is late", "Mail", None)
    opened, due = (datetime.fromisoformat(told[name]) for name in ("opened_at", "due_at"))
    assert due == opened.replace(microsecond=0) + timedelta(hours=4)


def test_a_title_may_be_an_option_and_may_begin_with_a_dash(cli: Cli) -> None:
    assert cli.json("log", "--title", "-x- is odd")["title"] == "-x- is odd"
    assert cli.json("log", "--impact", "low", "--json", "--", "--odd")["title"] == "--odd"
    assert cli("log", "one", "--title", "two").code == 2


@pytest.mark.parametrize("typed", ["INC-1", "inc-1", "1", "0001"])
def test_a_number_is_understood_as_people_write_it(one: Cli, typed: str) -> None:
    assert one.json("take", typed)["number"] == "INC-1"


def test_a_life_from_ack_to_close_and_what_may_not_be(one: Cli) -> None:
    me = one.json("ack", "1")["acknowledged_by"]
    assert one.json("take", "1")["owner"] == me
    assert one.json("note", "1", "seen on both nodes")["state"] == "In Progress"
    held = one.json("hold", "1", "--reason", "caller", "--until", "+2h", "--note", "which printer?")
    ahead = datetime.fromisoformat(held["hold"]["until"]) - datetime.now(UTC)
    assert timedelta(minutes=119) < ahead <= timedelta(hours=2)
    assert one.json("resume", "1")["hold"] is None
    assert one("resume", "1").code == 3
    assert one("close", "1").code == 3
    done = one.json("resolve", "1", "restarted", "--code", "workaround", "--cause", "software")
    assert (done["state"], done["resolution"], done["cause"]) == ("Resolved", "workaround", "software")
    assert one.json("reopen", "1", "it is back")["reopened"] == 1
    assert one.json("resolve", "1", "--notes", "again", "--code", "fixed_permanent")["state"] == "Resolved"
    assert one.json("close", "1", "--note", "caller confirmed")["state"] == "Closed"
    refused = one("take", "1")
    assert refused.code == 3
    assert "INC-1 is closed" in refused.err
    assert one("cancel", "1", "no").code == 3
    timeline = one.json("show", "1")["timeline"]
    kinds = [event["kind"] for event in timeline]
    assert kinds[:4] == ["created", "acknowledged", "assigned", "note"]
    assert kinds[-3:] == ["reopened", "resolved", "closed"]


def test_cancel(one: Cli) -> None:
    assert one.json("cancel", "1", "a test")["state"] == "Canceled"
    assert one.json("list") == []
    assert [incident["number"] for incident in one.json("list", "--all")] == ["INC-1"]


def test_engage_and_reply_wake_the_worker_and_nothing_else_does(one: Cli) -> None:
    one.vendors(vendor_block())
    one.json("note", "1", "not for them")
    assert one.woken == []
    told = one.json("engage", "1", "practice", "mail does not leave")
    assert told["bonds"][0]["vendor"] == "practice"
    assert told["bonds"][0]["state"] == "engaging"
    assert len(one.woken) == 1
    again = one("engage", "1", "practice", "and again")
    assert again.code == 3
    assert "--again" in again.err
    assert one("engage", "1", "nobody", "hello").code == 4
    assert one("reply", "1", "any news?").code == 0
    assert [row["what"] for row in one.json("outbox", "list")] == ["create", "comment"]


def test_a_sending_is_named_by_its_beginning(one: Cli) -> None:
    one.vendors(vendor_block())
    one.json("engage", "1", "practice", "mail does not leave")
    row = one.json("outbox", "list")[0]["row_id"]
    assert one("outbox", "adopt", row).code == 2
    assert one("outbox", "retry", row[:1]).code == 4
    assert one("outbox", "retry", "%").code == 4
    assert one("outbox", "retry", "ZZZZZZZZ").code == 4
    assert one("outbox", "drop", row[:20].lower(), "--reason", "not needed").code == 0
    assert one.json("outbox", "list") == []
    assert one.json("show", "1")["bonds"][0]["state"] == "ended"
    assert one("outbox", "retry", row).code in (3, 4)


def test_text_from_standard_input(one: Cli) -> None:
    one.json("note", "1", "-", stdin="two\nlines ü".encode())
    assert one.json("show", "1")["timeline"][-1]["data"]["text"] == "two\nlines ü"
    assert one("note", "1", "-", stdin=b"\xff\xfe").code == 2


def test_on_either_database(
    cli: Cli, database: str, register_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_REGISTER", register_url)
    cli.vendors(vendor_block())
    assert cli.json("log", "Mail is late", "--impact", "high", "--urgency", "high")["priority"] == "P1"
    assert cli.json("take", "1")["state"] == "In Progress"
    assert cli("close", "1").code == 3
    assert cli("engage", "1", "practice", "mail does not leave").code == 0
    assert [one["number"] for one in cli.json("list")] == ["INC-1"]
    assert len(cli.json("outbox", "list")) == 1
    adopted = 1 if database == "sqlite" else 2  # PostgreSQL is shared: who made it is on record, too
    assert cli.json("verify")["events"] == 3 + adopted


# What is made from the registry

FILLED = {
    "log": ["Title"],
    "note": ["1", "text"],
    "hold": ["1", "--reason", "vendor", "--on", "acme"],
    "resolve": ["1", "notes", "--code", "workaround"],
    "reopen": ["1", "reason"],
    "cancel": ["1", "reason"],
    "engage": ["1", "practice", "message"],
    "reply": ["1", "message"],
    "withdraw": ["1", "reason"],
    "dispute": ["1", "message"],
    "relink": ["1", "PD-17"],
    "settle": ["1", "--keep", "ours"],
    "send": ["1", "trace.log"],
    "evidence": ["1", "dump.bin", "sftp://files.example/in"],
    "forward": ["1", "practice"],
    "redact": ["1", "why"],
    "legal-hold": ["1", "why"],
    "retry": ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    "drop": ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    "adopt": ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "17"],
    "caller": ["1", "text"],
    "tell": ["1", "text"],
    "correct": ["1", "reason", "--title", "other words"],
    "link": ["1", "PRB-1", "--kind", "problem"],
    "unlink": ["1", "PRB-1", "--kind", "problem"],
    "follow-up": ["1", "reason"],
    "call": ["1", "Lena"],
    "handed": ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "--ticket", "17"],
    "fetch": ["1", "trace.log"],
    "reread": ["practice", "c1"],
    "noted": ["practice", "c1"],
    "discard": ["practice", "c1"],
    "leave": ["1", "--what", "priority"],
    "pause": ["acme", "why"],
    "unpause": ["acme", "why"],
    "silence": ["1", "--for", "1h", "why"],
    "maintenance-start": ["Payments", "--for", "1h", "--why", "x"],
    "oncall-override": ["ops", "why", "--add", "me", "--until", "+1h"],
    "oncall-end": ["O-1"],
    "oncall-swap": ["ops", "ben"],
    "oncall-accept": ["S-1"],
    "oncall-decline": ["S-1"],
    "oncall-schedule": ["ops", "why", "--people", "ana", "--until", "+1h"],
    "maintenance-end": ["--id", "M-1"],
    "maintenance-extend": ["--id", "M-1", "--for", "1h"],
    "handover-offer": ["ben", "--edit", "INC-1=why"],
    "handover-accept": [],
    "handover-decline": ["why"],
    "handover-withdraw": [],
}
"""Arguments that are well formed; the verbs not named take a number alone."""

IN_THEIR_PLACE = {"row_id", "services"}
NEED_NOTHING = {"maintenance-start"}
ALONE = {"handover-accept", "handover-withdraw"}
"""The one that there is is meant, where nothing is said."""


def line_for(name: str) -> list[str]:
    group = VERBS[name].group
    return [*([group] if group else []), VERBS[name].word()]


@pytest.mark.parametrize("name", list(VERBS))
def test_every_verb_has_help_a_role_a_command_and_a_refusal(cli: Cli, name: str) -> None:
    command = VERBS[name]
    assert command.help().endswith(".")
    assert command.role in (Role.VIEWER, Role.RESPONDER, Role.COORDINATOR, Role.ADMIN)
    shown = cli(*line_for(name), "--help")
    assert shown.code == 0
    assert command.help() in " ".join(shown.out.split())
    assert "--json" in shown.out
    for field in command.asks():
        assert f"--{field.strip('_').replace('_', '-')}" in shown.out or field in IN_THEIR_PLACE
    if command.on_incident or command.group:
        assert cli(*line_for(name), *FILLED.get(name, ["1"])).code == (0 if name in NEED_NOTHING else 4)
        assert cli(*line_for(name)).code == (4 if name in ALONE else 2)
    assert cli(*line_for(name), *FILLED.get(name, ["1"]), "--no-such-thing").code == 2


def test_who_may_not_is_refused(one: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from register.core import Principal

    monkeypatch.setattr(
        "tui.cli.here.principal", lambda store, session, source: Principal("vic", Role.VIEWER, source)
    )
    for name in VERBS:
        if not VERBS[name].group:
            assert one(*line_for(name), *FILLED.get(name, ["1"])).code in (2, 3), name
    assert one.json("list")[0]["state"] == "New"


def test_a_new_verb_is_on_the_command_line_at_once(one: Cli) -> None:
    class Ponder(Command):
        """Ponder about the incident."""

        verb: ClassVar[str] = "ponder"
        group: ClassVar[str] = "thoughts"

        target: Target
        thought: Annotated[Words, Field(description="what you think")]
        until: Annotated[AwareDatetime | None, Field(description="how long")] = None
        depth: Annotated[Impact, Field(description="how deep")] = Impact.LOW
        aloud: Annotated[bool, Field(description="for others to hear")] = False

    @decide.register(Ponder)
    def _(command: Ponder, incident: Incident, world: World) -> Decision:
        said = f"{command.thought} {command.depth} {command.aloud} {command.until:%Y}"
        return says(incident, Noted(text=said, label="internal"))

    try:
        told = one.json(
            "thoughts", "ponder", "1", "why", "--until", "2030-05-01T10:00Z", "--depth", "high", "--aloud"
        )
        assert told["number"] == "INC-1"
        assert one.json("show", "1")["timeline"][-1]["data"]["text"] == "why high True 2030"
        assert "how deep [otherwise low]" in one("thoughts", "ponder", "--help").out
    finally:
        del VERBS["ponder"]
