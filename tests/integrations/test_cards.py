"""What a person says or pastes: a card for each kind of sending. No worker minds these suppliers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrations.business import is_busy, nothing_left
from integrations.by_hand import card_of
from integrations.policy_files import Person, keep_up
from integrations.vendors import read_vendors
from register.core import Principal, Role
from register.desk import ServiceDesk, kinds
from register.store import Store
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.watch import tick

FILE = """
[vendor.cable-co]
connector = "manual"
title = "Cable Co"
environment = "production"
url = "https://portal.cable.example"
how = "Customer number 4711"
[[vendor.cable-co.contacts]]
name = "Shift lead"
level = 2
mail = "lead@cable.example"
[[vendor.cable-co.contacts]]
name = "Fault desk"
phone = "+1 555 0199"
"""
BEN = Principal("ben", Role.COORDINATOR, "test")


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("create", {"title": "No light", "body": "Fibre 7 is dark.", "priority": 1}, "Fibre 7 is dark."),
        ("comment", {"body": "Any news?", "public": True}, "Any news?"),
        ("transition", {"to": "closed", "note": "found it", "seen": ""}, "please close the ticket"),
        ("transition", {"to": "working", "note": "", "seen": ""}, "please go on with it"),
        ("priority", {"priority": 1}, "this is P1"),
        ("attach", {"name": "log.txt"}, "log.txt"),
    ],
)
def test_a_card_says_whom_to_call_what_to_say_and_what_then(
    kind: str, payload: dict[str, object], says: str
) -> None:
    vendor = read_vendors(FILE)["cable-co"]
    lines = card_of(vendor, "01K", "INC-7", kind, json.dumps(payload), "CS-1").lines()
    assert lines[:4] == [
        "Call 1  Fault desk  +1 555 0199",
        "Call 2  Shift lead  lead@cable.example",
        "Portal https://portal.cable.example",
        "Customer number 4711",
    ]
    assert "Our number: INC-7" in lines
    assert says in "\n".join(lines)
    assert "muster outbox handed 01K" in lines[-1]
    assert ("--ticket NUMBER" in lines[-1]) == (kind == "create")


def test_no_worker_stays_up_for_what_a_person_hands_over_once_they_were_reminded(
    own_store: Store, tmp_path: Path
) -> None:
    (tmp_path / "vendors.toml").write_text(FILE)
    keep_up(own_store, {"MUSTER_HOME": str(tmp_path)}, Person(0, "ben"), "test")
    desk = ServiceDesk(own_store)
    number = desk.do(BEN, Log(title="No light")).number or ""
    desk.do(BEN, Engage(target=number, vendor="cable-co", message="Fibre 7 is dark."))
    assert nothing_left(own_store)
    assert is_busy(own_store), "it reminds, half an hour after that"
    later = datetime.now(UTC) + timedelta(hours=1)
    assert tick(ServiceDesk(own_store, clock=lambda: later), later) == 1
    assert kinds(own_store.timeline(number))[-1] == "call_due"
    assert not is_busy(own_store)
