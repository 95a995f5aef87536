"""`muster vendors try`: what would go is shown and stays here; what goes is shown with what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integrations.practice.server import Practice, running_practice
from integrations.rest.templates import OMIT
from tests.tui.cli_help import Cli
from tui.cli.trying import _shown

BLOCK = """
[vendor.desk]
connector = "rest"
title = "Desk"
url = "{url}"
environment = "{environment}"
auth = "none"
sign_in = {{ kind = "none" }}
lookup = {{ kind = "strong", settle_seconds = 2 }}
[vendor.desk.states]
Open = "new"
[[vendor.desk.create]]
method = "POST"
path = "/tickets"
body = {{ title = "{{{{ title }}}}", body = "{{{{ text }}}}", reference = "{{{{ op_id }}}}" }}
gives = {{ id = "id", key = "key" }}
[[vendor.desk.find]]
path = "/tickets"
query = {{ reference = "{{{{ op_id }}}}" }}
rows = "tickets"
gives = {{ id = "id", reference = "reference" }}
[[vendor.desk.get]]
path = "/tickets/{{{{ ticket.id }}}}"
gives = {{ title = "title", state = "state", updated = "updated_at" }}
"""


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running_practice() as running:
        yield running


def described(practice: Practice, environment: str = "test") -> str:
    return BLOCK.format(url=practice.url, environment=environment)


def test_a_write_is_shown_and_stays_here_unless_it_is_to_be_sent(cli: Cli, practice: Practice) -> None:
    cli.vendors(described(practice))
    ran = cli("vendors", "try", "desk", "create", "--text", "It drips.")
    assert ran.code == 0
    assert f"→ POST {practice.url}/tickets" in ran.out
    assert "It drips." in ran.out
    assert "Nothing was sent" in ran.out
    assert practice.desk.tickets == ()
    sent = cli.json("vendors", "try", "desk", "create", "--send", "--text", "It drips.")
    (ticket,) = practice.desk.tickets
    assert (sent["sent"], sent["found"]["id"], sent["failure"]) == (True, ticket.id, "")
    assert sent["taken"] == [{"request": "POST /tickets", "took": {"id": ticket.id, "key": ticket.key}}]
    assert [one["status"] for one in sent["requests"]] == [201]
    found = cli.json("vendors", "try", "desk", "find", "--op-id", ticket.reference)
    assert [ref["id"] for ref in found["found"]["refs"]] == [ticket.id]
    assert cli.json("vendors", "try", "desk", "get", "--ticket", ticket.id)["found"]["state"] == "new"
    read = cli("vendors", "try", "desk", "get", "--ticket", ticket.id).out
    assert '"state":"new"' in read
    assert '"raw_state":"Open"' in read or '"state":"Open"' in read


def test_nothing_goes_to_production_by_one_word(cli: Cli, practice: Practice) -> None:
    cli.vendors(described(practice, "production"))
    ran = cli("vendors", "try", "desk", "create", "--send")
    assert ran.code != 0
    assert "--to-production" in ran.err
    assert practice.desk.tickets == ()
    assert cli("vendors", "try", "desk", "create", "--send", "--to-production").code == 0
    assert len(list(practice.desk.tickets)) == 1


def test_what_fails_is_said(cli: Cli, practice: Practice) -> None:
    cli.vendors(described(practice))
    ran = cli("vendors", "try", "desk", "get", "--ticket", "nowhere")
    assert ran.code != 0
    assert "HTTP 404" in ran.out + ran.err
    assert cli("vendors", "check", "desk").code == 0


STEPS = """
[[vendor.desk.comment]]
name = "old"
path = "/notes"
query = {{ reference = "{{{{ op_id }}}}" }}
rows = "notes"
gives = {{ id = "id" }}
[[vendor.desk.comment]]
name = "note"
when = "{{{{ not old }}}}"
method = "POST"
path = "/notes"
send = "form"
body = {{ text = "{{{{ text }}}}", after = "{{{{ old[0].id }}}}" }}
gives = {{ id = "id" }}
repeatable = true
[[vendor.desk.comment]]
name = "sealed"
when = "{{{{ not public }}}}"
path = "/seal"
[[vendor.desk.comment]]
method = "POST"
path = "/tickets/{{{{ ticket.id }}}}/notes/{{{{ note.id }}}}"
headers = {{ If-Match = "{{{{ note.id|upper }}}}" }}
body = {{ count = "{{{{ note.id + 1 }}}}" }}
[[vendor.desk.history]]
path = "/tickets/{{{{ ticket.id }}}}/notes"
[[vendor.desk.history.tells]]
kind = "comment"
rows = "notes"
id = "id"
at = "at"
text = "text"
"""


def test_every_request_of_an_operation_is_shown_though_none_is_answered(cli: Cli, practice: Practice) -> None:
    cli.vendors(described(practice) + STEPS.format())
    asked = practice.url.partition("://")[2]
    ran = cli.json("vendors", "try", "desk", "comment", "--ticket", "a/7", "--text", "It drips.")
    old, note, link = ran["requests"]
    assert (old["method"], old["when"]) == ("GET", "")
    assert (note["method"], note["when"]) == ("POST", "{{ not old }}")
    assert note["body"].endswith("&after=<old[0].id>")
    assert link["url"] == f"http://{asked}/tickets/a%2F7/notes/<note.id>"
    assert link["headers"]["if-match"] == "<note.id>"
    assert link["body"] == '{"count":"{{ note.id + 1 }}"}'
    assert ran["awaited"] == ["<old[0].id>", "<note.id>", "{{ note.id + 1 }}"]
    shown = cli("vendors", "try", "desk", "comment", "--ticket", "7")
    assert "only where {{ not old }} gives something:\n→ POST" in shown.out
    assert "is answered, and so not filled in: <old[0].id>, <note.id>" in shown.out
    assert practice.desk.tickets == ()


def test_what_would_not_go_out_is_said(cli: Cli, practice: Practice) -> None:
    cli.vendors(described(practice))
    ran = cli("vendors", "try", "desk", "comment", "--ticket", "7")
    assert ran.code == 6
    assert "vendors.toml does not say how `comment` is done" in ran.out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["dance"], "There is no operation 'dance': take check, find, get,"),
        (["get"], "get needs a ticket: its number there (--ticket)."),
        (["history", "--ticket", " "], "history needs a ticket"),
        (["comment"], "comment needs a ticket"),
        (["attach", "--send"], "attach needs a ticket"),
        (["transition", "--ticket", "1", "--state", "done"], "'done': --state takes new, working,"),
        (["transition", "--ticket", "1", "--state", "unmapped", "--send"], "fixed, closed, refused."),
    ],
)
def test_what_no_supplier_can_be_asked_is_wrong_use(
    cli: Cli, practice: Practice, argv: list[str], says: str
) -> None:
    cli.vendors(described(practice))
    ran = cli("vendors", "try", "desk", *argv, "--json")
    assert ran.code == 2
    assert says in ran.error["message"]
    assert practice.desk.tickets == ()


def test_what_its_connector_cannot_is_not_blamed_on_the_ticket(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PagerDuty's events are sent with the key of an integration, which reads nothing."""
    monkeypatch.setattr("integrations.secrets.resolve", lambda _: "key")
    cli.vendors(
        '[vendor.desk]\nconnector = "pagerduty"\ntitle = "Desk"\nurl = "http://127.0.0.1:9"\n'
        'environment = "test"\napi = "events"\n'
    )
    ran = cli("vendors", "try", "desk", "changes")
    assert ran.code == 6
    assert "Its connector has no changes." in ran.out


LOOKS_FIRST = """
[[vendor.desk.create]]
name = "seen"
path = "/tickets"
query = { reference = "{{ op_id }}" }
gives = { left = { value = "{{ omit }}" }, rows = "tickets" }
[[vendor.desk.create]]
"""


def test_what_a_template_leaves_out_is_left_out(cli: Cli, practice: Practice) -> None:
    cli.vendors(described(practice).replace("[[vendor.desk.create]]\n", LOOKS_FIRST))
    sent = cli.json("vendors", "try", "desk", "create", "--send")
    assert sent["taken"][0] == {"request": "GET /tickets", "took": {"rows": []}}
    shown = cli("vendors", "try", "desk", "create", "--send").out
    assert 'GET /tickets gave {"rows":[]}' in shown
    assert "Omit" not in shown


def test_what_was_taken_can_always_be_shown() -> None:
    deep: object = "inmost"
    for _ in range(2_000):
        deep = [deep]
    odd = {"omitted": OMIT, "rows": [OMIT, {"at": datetime(2026, 11, 28, tzinfo=UTC), "no": OMIT}]}
    assert _shown(odd) == '{"rows":[{"at":"2026-11-28T00:00:00Z"}]}'
    assert _shown(OMIT) == "null"
    assert _shown({"huge": 10**30, "half": "\ud800", "raw": b"\xff", "none": float("nan")}).startswith("{")
    assert "…" in _shown(deep)
