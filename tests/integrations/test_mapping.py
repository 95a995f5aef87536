"""Their words and ours: tables of vendors.toml, looked up before anything is sent, and never guessed."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from engine_kit import COORDINATOR, Engine, practice_file

from integrations.practice.server import Practice
from integrations.vendors import VendorsFileError, load_vendors, policy_of, read_vendors
from register.adoption import as_text, vendors_in
from register.core import Policy, Refused
from register.desk import ServiceDesk
from register.incident import BondState, Impact, Priority, ResolutionCode, Urgency
from register.leaving import USUALLY
from register.store import Store, outbox
from register.topics.correction import Correct
from register.topics.delivery import AdoptTicket
from register.topics.ending import WithTheirs
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.topics.proposal import Accept
from register.topics.resolution import Cancel, Resolve
from register.topics.urging import Reprioritise
from register.topics.withdrawal import Withdraw
from register.translation import CELLS, EVERY, Translation

HEAD = """[vendor.acme]
connector = "rt"
title = "ACME"
url = "https://support.acme.example"
environment = "test"
queue = "Muster"
reference_field = "External Reference"
"""
NINE = "\n".join(f'"{cell}" = {number * 10}' for number, cell in enumerate(CELLS))
WORDS = "\n".join(f'"{cell}" = "{"Urgent" if cell.startswith("high") else "Low"}"' for cell in CELLS)


@pytest.mark.parametrize(
    ("more", "line", "key", "says"),
    [
        ('impact_urgency = { "high/high" = 1 }', 8, "impact_urgency", "has nothing for high/medium"),
        (f'[vendor.acme.impact_urgency]\n{NINE}\n"hi/lo" = 1', 8, "impact_urgency", "has hi/lo, where only"),
        (
            f"[vendor.acme.priorities]\n1 = 100\n[vendor.acme.impact_urgency]\n{NINE}",
            10,
            "impact_urgency",
            "says again what `priorities` says",
        ),
        ('[vendor.acme.impact]\nhigh = "1"', 8, "impact", "name their field for it in `fields`"),
        ('fields = { impact = "Impact" }', 8, "fields", "needs a table `impact`"),
        ('[vendor.acme.categories]\n"*" = "Net"', 8, "categories", "name their field for it"),
        ('[vendor.acme.close]\nnote = true\ncodes = { gone = "x" }', 10, "close.codes", "gone is no way"),
        ('[vendor.acme.close]\nnote = true\nfield = "Resolution"', 10, "close.field", "without `codes`"),
        ("[vendor.acme.close]\nnots = true", 9, "close.nots", "did you mean note?"),
        ('transitions = { closed = "gone" }', 8, "transitions", "`states` does not"),
    ],
)
def test_a_wrong_table_is_told_with_file_line_and_key(more: str, line: int, key: str, says: str) -> None:
    with pytest.raises(VendorsFileError) as error:
        read_vendors(f"{HEAD}{more}\n")
    fault = error.value.faults[0]
    assert fault.startswith(f"vendors.toml line {line}, vendor.acme.{key}: "), fault
    assert says in fault


def test_impact_and_urgency_are_both_told_where_they_work_the_priority_out() -> None:
    parts = '[vendor.acme.{0}]\nhigh = "1"\nmedium = "2"\nlow = "3"\n'
    text = HEAD + 'fields = { impact = "Impact", urgency = "Urgency" }\n' + parts.format("impact")
    with pytest.raises(VendorsFileError, match=r"urgency.* needs a table `urgency`"):
        read_vendors(text)
    table = read_vendors(text + parts.format("urgency"))["acme"].translation
    assert table.by_parts
    assert table.graded(Priority.HIGH, Impact.HIGH, Urgency.MEDIUM) == {"impact": "1", "urgency": "2"}
    assert table.graded(Priority.HIGH, None, None) == {}


def test_a_word_is_looked_up_without_regard_to_capitals_and_never_made_up() -> None:
    table = Translation(categories={"Network": "NET"}, services={EVERY: "Other"}, codes={"recipe": "Known"})
    assert table.kept_under("network", "Webshop") == {"category": "NET", "service": "Other"}
    assert table.kept_under("disk", "") == {"service": "Other"}
    assert table.unnamed("disk", "") == {"categories": "disk"}
    assert table.unnamed("", "") == {"categories": ""}
    assert (table.code("recipe"), table.code("fixed_permanent")) == ("Known", None)
    assert Translation().unnamed("disk", "x") == {}


@pytest.fixture
def at(store: Store, tmp_path: Path, practice: Practice) -> Engine:
    """A supplier that sorts by category, works by impact and urgency, and closes nothing without a word."""
    file = practice_file(tmp_path, practice.url)
    tables = (
        'fields = { category = "queue" }\n[vendor.practice.categories]\nNetwork = "Network"\n'
        f"[vendor.practice.impact_urgency]\n{WORDS}\n[vendor.practice.close]\nnote = true\n"
    )
    file.write_text(file.read_text() + tables)
    return Engine.over(store, file)


def _logged(at: Engine, category: str | None = "Network", **more: object) -> str:
    return at.do(Log.model_validate({"title": "db down", "category": category, **more})).number or ""


async def test_they_get_category_and_priority_in_their_words(at: Engine, practice: Practice) -> None:
    number = _logged(at, impact=Impact.HIGH, urgency=Urgency.LOW)
    at.do(Engage(target=number, vendor="practice", message="please look"))
    await at.settle_all()
    (ticket,) = practice.desk.tickets
    assert (ticket.queue, ticket.priority) == ("Network", "Urgent")
    at.do(Correct(target=number, impact=Impact.LOW, reason="only one"))
    at.do(Reprioritise(target=number))
    await at.settle_all()
    assert practice.desk.ticket(ticket.id).priority == "Low"


async def test_a_category_without_a_word_is_told_before_anything_is_sent(at: Engine) -> None:
    for category in ("Disk", None):
        number = _logged(at, category)
        with pytest.raises(Refused, match=r"`categories` in vendors.toml has nothing for .*\(\"\*\" stands"):
            at.do(Engage(target=number, vendor="practice", message="please look"))
    assert outbox.unfinished(at.store) == []


async def test_a_table_that_lost_a_word_since_stops_it_at_the_courier(
    at: Engine, practice: Practice, tmp_path: Path
) -> None:
    number = _logged(at)
    at.do(Engage(target=number, vendor="practice", message="please look"))
    file = tmp_path / "vendors.toml"
    file.write_text(file.read_text().replace('Network = "Network"', 'Disk = "Support"'))
    later = Engine.over(at.store, file)
    await later.settle_all()
    (row,) = outbox.unfinished(at.store)
    assert row.state == "dead"
    assert "has nothing for Network: nothing was sent" in row.why
    assert practice.desk.tickets == ()


async def _fixed(at: Engine, practice: Practice) -> str:
    await at.collector.poll()
    number = _logged(at)
    at.do(Engage(target=number, vendor="practice", message="please look"))
    await at.settle_all()
    practice.desk.set_state(practice.desk.tickets[-1].id, "Lena", "Fixed")
    await at.collector.poll()
    return number


async def test_who_closes_without_the_word_that_they_want_is_asked_for_it(
    at: Engine, practice: Practice
) -> None:
    number = await _fixed(at, practice)
    with pytest.raises(Refused, match="closes no ticket without a word") as error:
        at.do(Accept(target=number))
    assert error.value.ask == "note"
    assert outbox.unfinished(at.store) == []
    at.do(Accept(target=number, note="thank you"))
    await at.settle_all()
    assert practice.desk.tickets[-1].state == "Closed"


async def test_ending_ours_tells_them_the_words_that_it_ended_with(at: Engine, practice: Practice) -> None:
    number = await _fixed(at, practice)
    resolve = Resolve(
        target=number, code=ResolutionCode.SUPPLIER, notes="they mended it", theirs=WithTheirs.WITHDRAW
    )
    at.do(resolve)
    await at.settle_all()
    assert practice.desk.tickets[-1].state == "Closed"
    assert practice.desk.changes[-1].body.startswith("they mended it")


def test_how_it_ended_is_looked_up_before_anything_is_done(store: Store, tmp_path: Path) -> None:
    """By the facts of a policy alone: the practice supplier has no such field."""
    policy = policy_of(load_vendors(practice_file(tmp_path, "http://127.0.0.1:9")))
    asks = Translation(codes={ResolutionCode.RECIPE: "Known error"})
    facts = replace(policy.vendors["practice"], translation=asks, receives=USUALLY)
    desk = ServiceDesk(store, Policy({"practice": facts}))
    number = desk.do(COORDINATOR, Log(title="db down")).number or ""
    desk.do(COORDINATOR, Engage(target=number, vendor="practice", message="please look"))
    (row,) = outbox.unfinished(store)
    desk.do(COORDINATOR, AdoptTicket(row_id=row.row_id, ticket="PD-1"))
    for ends in (
        Withdraw(target=number, reason="it was ours"),
        Cancel(target=number, reason="it was ours", theirs=WithTheirs.WITHDRAW),
        Resolve(target=number, code=ResolutionCode.FIXED, notes="done", theirs=WithTheirs.WITHDRAW),
    ):
        with pytest.raises(Refused, match=r"`close.codes` in vendors.toml has nothing for (withdrawn|fixed)"):
            desk.do(COORDINATOR, ends)
    desk.do(
        COORDINATOR,
        Resolve(target=number, code=ResolutionCode.RECIPE, notes="done", theirs=WithTheirs.WITHDRAW),
    )
    ended = store.incident(number)
    assert ended is not None
    assert ended.bonds[-1].state is BondState.ENDING
    (row,) = outbox.unfinished(store)
    assert '"ended":"recipe"' in row.payload


def test_the_register_reads_the_same_tables_of_what_was_adopted() -> None:
    """It reads them without the connectors; a rule must not know less than the connector that sends."""
    text = (
        HEAD + 'fields = { category = "Queue", service = "Shop" }\nentitlement_secret = ["support_pin"]\n'
        f"[vendor.acme.impact_urgency]\n{NINE}\n"
        '[vendor.acme.categories]\nNetwork = "N"\n[vendor.acme.service_names]\n"*" = "S"\n'
        '[vendor.acme.close]\nnote = true\nfield = "Resolution"\ncodes = { "*" = "Solved" }\n'
    )
    one = read_vendors(text)["acme"]
    facts = vendors_in(as_text(tomllib.loads(text)))["acme"]
    assert facts.translation == one.translation
    assert facts.receives == one.receives
    odd = {"close": 7, "categories": "x", "impact": None}
    assert vendors_in(as_text({"vendor": {"acme": odd}}))["acme"].translation == Translation()
