"""Words in places where nobody looks for them: they go with the rest, and no one reads them who may not."""

from __future__ import annotations

from typing import Any

import pytest

from register.desk import ServiceDesk
from register.forgetting import Quoted
from register.incident import HoldReason
from register.topics.hold import PutOnHold
from register.topics.importing import ImportIncident
from register.topics.links import Link, LinkTo, Unlink
from register.topics.notes import Note
from register.topics.privacy import Redact
from register.topics.resolution import Reopen, Resolve
from register.topics.sight import Restrict
from register.verify import verify
from tests.register.saying import ANA, BEN, fixed, log, look
from tests.register.test_erasing import NAME, adopt, gone, names_in

TOKEN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize("secret", [TOKEN, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "p7"])
def test_a_secret_that_looks_like_an_id_goes_too(desk: ServiceDesk, secret: str) -> None:
    number = log(desk, secret, description=secret)
    desk.do(ANA, Note(target=number, text=secret))
    desk.do(ANA, fixed(number).model_copy(update={"notes": secret}))
    desk.do(ANA, Reopen(target=number, reason=secret))
    desk.do(BEN, Redact(target=number, reason="a key was pasted"))
    told = [str(one.event) for one in desk.store.timeline(number) if one.kind != "redacted"]
    assert [one for one in told if f"'{secret}'" in one and f"by='{secret}'" not in one] == []
    assert look(desk, number).title == "(redacted)"
    if secret != "p7":
        assert names_in(desk.store, secret) == []


def test_what_is_typed_for_a_record_elsewhere_goes_too(desk: ServiceDesk) -> None:
    number = log(desk)
    for record in ("my password hunter2", "PRB-7"):
        desk.do(ANA, LinkTo(target=number, kind=Link.PROBLEM, to=record))
    desk.do(BEN, Redact(target=number, reason="a password was pasted"))
    assert names_in(desk.store, "hunter2") == []
    assert look(desk, number).problems == ("(redacted)", "PRB-7")
    assert verify(desk.store).faults == []
    desk.do(ANA, Unlink(target=number, kind=Link.PROBLEM, to="(redacted)"))
    assert look(desk, number).problems == ("PRB-7",)


def test_a_name_in_a_records_number_goes_with_the_person(desk: ServiceDesk, clock: Any) -> None:
    adopt(desk)
    number = log(desk, caller=NAME)
    desk.do(ANA, LinkTo(target=number, kind=Link.CHANGE, to=f"leave of {NAME}"))
    taken = ImportIncident(source=f"desk of {NAME}", number=f"{NAME} 4", title="Old one", opened_at=clock())
    desk.do(BEN, taken)
    gone(desk, NAME)
    assert names_in(desk.store, NAME) == []
    assert look(desk, number).changes == ("(redacted)",)
    assert verify(desk.store).faults == []


@pytest.mark.parametrize("text", ["田中さんが電話した", "電話：田中太郎", "ｔanaka 田中"])
def test_a_name_in_a_script_without_spaces_is_found(text: str) -> None:
    quoted = Quoted(["田中"])
    assert quoted.in_text(text)
    assert not quoted.in_text(quoted.taken_out(text))
    assert not Quoted(["theo"]).in_text("theodolite, theory")


@pytest.mark.parametrize("text", ["Theo\u00addora rang", "ask \u200btheodora\u200b", "The\u2060o\u200ddora"])
def test_a_name_with_signs_in_it_that_nobody_sees_goes(desk: ServiceDesk, text: str) -> None:
    adopt(desk)
    number = log(desk, "It is slow", description=text, caller=NAME)
    gone(desk, NAME, "theodora")
    first = desk.store.timeline(number)[0]
    assert first.redacted
    assert getattr(first.event, "description", None) == ""
    quoted = Quoted(["theodora"])
    assert not quoted.in_text(quoted.taken_out(text))


def test_what_is_said_of_a_restricted_parent_is_not_told_to_everyone_by_its_children(
    desk: ServiceDesk,
) -> None:
    parent, child = log(desk, "Payroll leaked"), log(desk, "Mail is slow")
    desk.do(ANA, LinkTo(target=child, kind=Link.PARENT, to=parent))
    desk.do(ANA, Restrict(target=parent))
    desk.do(ANA, PutOnHold(target=parent, reason=HoldReason.CHANGE, on="payroll purge"))
    desk.do(ANA, Resolve(target=parent, code="workaround", notes="payroll list deleted"))
    desk.do(ANA, Reopen(target=parent, reason="payroll list is back"))
    told = [str(one.event) for one in desk.store.timeline(child)]
    assert [one for one in told if "payroll" in one] == []
    assert any(one.kind == "resolved" for one in desk.store.timeline(child))


def test_a_redaction_takes_the_parents_words_out_of_its_children_as_well(desk: ServiceDesk) -> None:
    parent, child = log(desk), log(desk)
    desk.do(ANA, LinkTo(target=child, kind=Link.PARENT, to=parent))
    desk.do(ANA, Resolve(target=parent, code="workaround", notes="hunter2 was it"))
    receipt = desk.do(BEN, Redact(target=parent, reason="a password was pasted"))
    assert names_in(desk.store, "hunter2") == ["event.data"]
    assert [one for one in receipt.remarks if f"muster redact {child}" in one] != []
    desk.do(BEN, Redact(target=child, reason="a password was pasted"))
    assert names_in(desk.store, "hunter2") == []
