"""The secret part of an entitlement: in the request, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from engine_kit import Engine, practice_file
from sqlalchemy import text

from integrations import pins
from integrations.errors import AuthFailed, AuthTrouble
from integrations.markup.formats import TextFormat, written
from integrations.practice.server import Practice
from integrations.rehearsal import rehearse
from integrations.vendors import VendorsFileError, read_vendors
from register.core import effects
from register.effect import Enqueue
from register.store import Store, outbox, vendors
from register.store import tables as t
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log

PIN = "8842-kestrel"
KEYRING = {("practice", "support_pin"): PIN}


@pytest.fixture
def at(store: Store, tmp_path: Path, practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(pins, "look", lambda vendor, name, env=None: KEYRING.get((vendor, name)))
    more = {"entitlement_secret": ["support_pin"], "entitlement_required": ["support_pin"]}
    engine = Engine.over(store, practice_file(tmp_path, practice.url, **more))
    engine.courier._pin_of = lambda vendor, name: KEYRING.get((vendor, name))
    return engine


def _all_rows(store: Store) -> str:
    with store.read() as connection:
        tables = [table for table in t.metadata.sorted_tables if "fts" not in table.name]
        return "\n".join(str(row) for table in tables for row in connection.execute(table.select()))


async def test_it_is_in_the_ticket_and_nowhere_in_the_register(at: Engine, practice: Practice) -> None:
    await at.collector.poll()
    number = at.do(Log(title="db down")).number or ""
    receipt = at.do(Engage(target=number, vendor="practice", message="please look"))
    await at.settle_all()
    (ticket,) = practice.desk.tickets
    assert f"\nSupport pin: {PIN}\n" in ticket.body
    for _ in range(2):
        await at.collector.poll()
    assert "support_pin" in _all_rows(at.store)
    assert PIN not in _all_rows(at.store)
    said = [one.event for one in receipt.events if one.event is not None]
    (row,) = (
        e
        for one in said
        for e in effects(one, number, receipt.events[0].command_id)
        if isinstance(e, Enqueue)
    )
    (asked,) = await rehearse(at.vendor, row, None, at.store)
    assert "Support pin: SECRET" in asked.body
    assert PIN not in "".join(asked.lines())


async def test_one_that_is_not_here_waits_alone(
    at: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is this process's lack: the supplier is not paused, and what needs no secret goes on."""
    held = dict(KEYRING)
    at.courier._pin_of = lambda vendor, name: held.get((vendor, name))
    held.clear()
    number = at.do(Log(title="db down")).number or ""
    at.do(Engage(target=number, vendor="practice", message="please look"))
    await at.courier.until_quiet()
    (row,) = outbox.unfinished(at.store)
    assert row.state == "waiting"
    assert row.why.startswith(
        "support_pin of practice is not in the keyring here, so nothing was sent: store it"
    )
    assert "muster vendors login practice --pin support_pin" in row.why
    standing = vendors.standing(at.store, "practice")
    assert (standing.paused, standing.failures, standing.not_before) == (False, 0, None)
    assert practice.desk.tickets == ()
    held.update(KEYRING)
    with at.store.rows_only() as connection:
        connection.execute(text("UPDATE sending SET next_at = created_at"))
    await at.settle_all()
    assert len(practice.desk.tickets) == 1


async def test_one_that_the_file_names_no_more_stays_here(
    at: Engine, practice: Practice, tmp_path: Path
) -> None:
    """It was asked for with it; since then they took its name out, so that it goes out no more."""
    number = at.do(Log(title="db down")).number or ""
    at.do(Engage(target=number, vendor="practice", message="please look"))
    later = Engine.over(at.store, practice_file(tmp_path, practice.url))
    later.courier._pin_of = lambda vendor, name: KEYRING.get((vendor, name))
    await later.settle_all()
    (ticket,) = practice.desk.tickets
    assert "please look" in ticket.body
    assert PIN not in ticket.body
    assert "pin" not in ticket.body


async def test_a_keyring_that_is_locked_is_waited_for(at: Engine, practice: Practice) -> None:
    def locked(vendor: str, name: str) -> str:
        raise AuthFailed("The keyring is locked: unlock it and try again.", AuthTrouble.MISSING)

    at.courier._pin_of = locked
    number = at.do(Log(title="db down")).number or ""
    at.do(Engage(target=number, vendor="practice", message="please look"))
    await at.courier.until_quiet()
    (row,) = outbox.unfinished(at.store)
    assert (row.state, row.why) == ("waiting", "The keyring is locked: unlock it and try again.")


@pytest.mark.parametrize("how", [TextFormat.TEXT, TextFormat.HTML, TextFormat.MARKDOWN, TextFormat.TEXTILE])
async def test_what_is_kept_of_the_request_hides_it_in_every_format(at: Engine, how: TextFormat) -> None:
    """The outbox shows the exact request and answer afterwards."""
    odd = '88#42*<x>&"y'
    http = at.courier._connector.http
    http.hide(pins.every_form_of([odd]))
    body = orjson.dumps({"text": written(f"please\n\nSupport pin: {odd}", how), "field": odd}).decode()
    masked = http.masked(body)
    assert masked.count("•••") == 2
    assert "88" not in masked
    rails = body.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
    assert "88" not in http.masked(rails), "as Rails writes it in an answer"


async def test_a_ticket_that_is_read_back_by_another_worker_is_kept_without_it(
    at: Engine, practice: Practice, tmp_path: Path
) -> None:
    """What comes back has it in its text; and where nobody knows what to hide, nothing is kept."""
    at.do(Log(title="db down"))
    at.do(Engage(target="INC-1", vendor="practice", message="please look"))
    await at.settle_all()
    assert await at.courier._all_hidden()
    for pin_of, shown in ((lambda vendor, name: None, False), (lambda vendor, name: PIN, True)):
        other = Engine.over(at.store, tmp_path / "vendors.toml")
        other.courier._pin_of = pin_of
        assert await other.courier._all_hidden() is shown
        masked = other.courier._connector.http.masked(practice.desk.tickets[0].body)
        assert (PIN in masked) is not shown
        other.do(Reply(target="INC-1", message="any news?"))
        await other.settle_all()
        assert PIN not in _all_rows(at.store)


HEAD = '[vendor.acme]\nconnector = "rt"\ntitle = "A"\nurl = "https://a.example"\nenvironment = "test"\n'
OWN = 'queue = "Q"\nreference_field = "R"\n'


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('entitlement = { "*" = { support_pin = "8842" } }\n', "looks like a credential"),
        (
            'entitlement_secret = ["code"]\nentitlement = { "*" = { code = "8842" } }\n',
            "is secret, and stands in a file. Take it out, store it with muster vendors login acme",
        ),
        ('entitlement_secret = ["Support PIN"]\n', "entitlement_secret"),
    ],
)
def test_one_in_the_file_is_refused_and_not_repeated(more: str, says: str) -> None:
    with pytest.raises(VendorsFileError) as error:
        read_vendors(HEAD + OWN + more)
    assert says in error.value.faults[0]
    assert "8842" not in str(error.value)


def test_a_person_who_calls_must_be_able_to_read_it() -> None:
    manual = '[vendor.cable]\nconnector = "manual"\ntitle = "C"\nenvironment = "test"\nphone = "1"\n'
    with pytest.raises(VendorsFileError, match="who calls this one must be able to read it"):
        read_vendors(manual + 'entitlement_secret = ["support_pin"]\n')
