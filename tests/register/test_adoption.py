"""The policy belongs to the register: adopted as a version, read by every process, never by a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from register.adoption import as_text, digest_of, matrix_in, tables_in, without_person
from register.clocks.book import DEFAULT, in_force
from register.core import Policy, Principal, Refused, Role, VendorFacts
from register.desk import ServiceDesk
from register.matrix_toml import SAMPLE, read_matrix
from register.standing import standing, who_may
from register.store import Store, open_store
from register.store.adopted import adopted
from register.toml_file import TomlFile
from register.topics.adoption import AdoptPolicy, BookAdopted, Found
from register.topics.engagement import Engage
from register.topics.ownership import Take
from register.verify import verify
from tests.register.saying import ADA, ANA, BEN, VIC, ask, everything, log, sql, story

PRACTICE = {"vendor": {"practice": {"title": "Practice", "environment": "test"}}}
SMALL = {
    "fallback_team": "desk",
    "teams": {"desk": {"name": "Desk"}},
    "people": {"ada": {"name": "Ada Sample", "login": "ada", "role": "admin"}},
}


def adopting(matrix: Any = None, vendors: Any = PRACTICE, **more: Any) -> AdoptPolicy:
    texts = (as_text(matrix) if matrix else "", as_text(vendors))
    return AdoptPolicy(matrix=texts[0], vendors=texts[1], digest=digest_of(*texts), **more)


def counting(store: Store) -> list[str]:
    """What is asked of the register from now on."""
    from sqlalchemy import event

    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    return asked


# What is kept


def test_a_text_keeps_all_that_a_file_says() -> None:
    sample = SAMPLE.read_text(encoding="utf-8")
    tables = TomlFile("matrix.toml", sample).tables
    assert matrix_in(as_text(tables)) == read_matrix(sample)
    assert list(tables_in(as_text(tables))["people"]) == ["ana", "ben", "cat"]
    assert "#" not in as_text(tables)  # a comment could hold anything


def test_a_book_comes_back_as_it_was() -> None:
    book = read_matrix(SAMPLE.read_text(encoding="utf-8")).book
    event = BookAdopted(
        version=1, calendars=dict(book.calendars), clocks=dict(book.clocks), contracts=dict(book.contracts)
    )
    assert BookAdopted.model_validate_json(event.model_dump_json()).book == book


def test_what_this_program_does_not_know_in_an_adopted_text_is_left_out() -> None:
    newer = SMALL | {"weather": {"rain": True}, "people": SMALL["people"] | {"x": {"mood": "good"}}}
    found = matrix_in(as_text(newer))
    assert (found.fallback_team, list(found.people)) == ("desk", ["ada"])


# Adopting


def test_a_policy_is_adopted_as_a_version_and_read_by_everyone(desk: ServiceDesk, clock: Any) -> None:
    receipt = desk.do(ADA, adopting(SMALL))
    assert [event.kind for event in receipt.events] == ["policy_adopted"]  # it promises what is built in
    other = ServiceDesk(desk.store, Policy(), clock)
    number = log(other)
    other.do(BEN, Engage(target=number, vendor="practice", message="Please look."))
    assert other.policy.version == 1
    assert other.policy.matrix.teams["desk"].name == "Desk"
    found = adopted(desk.store)
    assert found.policy == other.policy
    assert desk.store.people()[found.by] == "ada"
    assert found.at == receipt.events[0].recorded_at
    assert verify(desk.store).faults == []


def test_what_a_desk_was_given_decides_only_while_nothing_is_adopted(store: Store, clock: Any) -> None:
    facts = VendorFacts("acme", "Acme (sample)", production=True)
    desk = ServiceDesk(store, Policy({"acme": facts}), clock)
    desk.do(BEN, Engage(target=log(desk), vendor="acme", message="Please look."))
    desk.do(ADA, adopting())
    with pytest.raises(Refused, match="practice"):
        desk.do(BEN, Engage(target=log(desk), vendor="acme", message="Please look."))


def test_the_same_files_again_change_nothing(desk: ServiceDesk) -> None:
    desk.do(ADA, adopting(SMALL))
    was = everything(desk.store)
    assert desk.do(ADA, adopting(SMALL)).events == ()
    assert everything(desk.store) == was
    desk.do(ADA, adopting(SMALL | {"flap_window": "1h"}))
    assert adopted(desk.store).policy.version == 2


def test_only_an_admin_adopts(desk: ServiceDesk) -> None:
    was = everything(desk.store)
    for who in (VIC, ANA, BEN):
        with pytest.raises(Refused, match="takes the role admin"):
            desk.do(who, adopting())
    assert everything(desk.store) == was


def test_an_adoption_is_seen_in_the_same_transaction(desk: ServiceDesk) -> None:
    engage = Engage(target=log(desk), vendor="new", message="Please look.")
    new = {"vendor": {"new": {"title": "New", "environment": "production"}}}
    desk.do_all([(ADA, adopting(vendors=new)), (BEN, engage)])
    assert story(desk, "INC-1")[-1] == "engaged"


def test_one_that_was_taken_back_leaves_nothing_behind(desk: ServiceDesk) -> None:
    """The next adoption gets the same place in the log: it may not be taken for the one that never was."""
    with pytest.raises(Refused):
        desk.do_all([(ADA, adopting(SMALL)), (VIC, adopting()), (ANA, adopting())])
    number = log(desk)
    with pytest.raises(Refused):
        desk.do_all([(ADA, adopting(SMALL)), (BEN, Engage(target=number, vendor="nobody", message="x"))])
    assert adopted(desk.store).policy.version == 0
    desk.do(ADA, adopting(SMALL | {"fallback_team": "other", "teams": {"other": {"name": "Other"}}}))
    log(desk)
    assert desk.policy.matrix.fallback_team == "other"


def test_two_boards_decide_by_one_policy(register_url: str, clock: Any) -> None:
    stores = [open_store(register_url), open_store(register_url)]
    one, other = (ServiceDesk(store, clock=clock) for store in stores)
    log(one)
    log(other)
    one.do(ADA, adopting(SMALL))
    log(other)
    log(one)
    assert (one.policy, one.policy.version) == (other.policy, 1)
    for store in stores:
        store.close()


def test_a_known_policy_costs_no_question(desk: ServiceDesk) -> None:
    log(desk)
    asked = counting(desk.store)
    log(desk)
    without = len(asked)
    desk.do(ADA, adopting(SMALL))
    log(desk)
    asked.clear()
    log(desk)
    assert len(asked) == without


def test_a_head_that_names_another_policy_shows(desk: ServiceDesk) -> None:
    desk.do(ADA, adopting(SMALL))
    sql(desk.store, "UPDATE head SET policy_seq = 0")
    assert any("another policy" in fault for fault in verify(desk.store).faults)


# What was promised since when


def with_response(within: str) -> dict[str, Any]:
    return SMALL | {"clocks": {"response": {"metric": "response", "targets": {"P1": within}}}}


def test_what_is_promised_is_kept_by_version_and_only_where_it_differs(desk: ServiceDesk, clock: Any) -> None:
    desk.do(ADA, adopting(SMALL))
    clock.passes(hours=1)
    desk.do(ADA, adopting(with_response("10m")))
    clock.passes(hours=1)
    desk.do(ADA, adopting(with_response("10m") | {"flap_window": "1h"}))
    clock.passes(hours=1)
    desk.do(ADA, adopting(with_response("20m")))
    assert story(desk, "policy") == [
        "policy_adopted",
        "book_adopted",
        "policy_adopted",
        "policy_adopted",
        "book_adopted",
        "policy_adopted",
    ]
    timeline = adopted(desk.store).policy.timeline
    assert [since for since, _ in timeline] == sorted(since for since, _ in timeline)
    assert [book.clocks["response"].targets["P1"].within for _, book in timeline] == ["15m", "10m", "20m"]
    assert in_force(timeline, 0) == DEFAULT


def test_what_was_decided_before_an_adoption_is_decided_the_same_again(desk: ServiceDesk) -> None:
    """In the second of its adoption a version does not hold yet: all of that second has one answer."""
    event = desk.do(ADA, adopting(with_response("10m"))).events[0]
    second = int(event.recorded_at.timestamp())
    timeline = adopted(desk.store).policy.timeline
    assert in_force(timeline, second) == DEFAULT
    assert in_force(timeline, second + 1) != DEFAULT


def test_an_old_version_can_lose_its_people_and_the_clocks_their_promises_not(
    desk: ServiceDesk, clock: Any
) -> None:
    desk.do(ADA, adopting(with_response("10m")))
    clock.passes(hours=1)
    desk.do(ADA, adopting(SMALL))
    before = adopted(desk.store).policy.timeline
    sql(desk.store, "UPDATE event SET data = NULL, salt = NULL WHERE kind = 'policy_adopted' AND n = 2")
    desk.store.adopted = None
    assert adopted(desk.store).policy.timeline == before
    assert not [
        row
        for row in ask(desk.store, "SELECT data FROM event WHERE kind = 'book_adopted'")
        if "Ada" in row[0]
    ]


def test_a_redaction_may_keep_the_newest_version_without_a_person(desk: ServiceDesk) -> None:
    two = SMALL | {"people": SMALL["people"] | {"ben": {"name": "Ben Sample", "login": "ben", "uid": 7}}}
    two["teams"] = {"desk": {"name": "Desk", "lead": "ben"}}
    desk.do(ADA, adopting(two))
    text = without_person(as_text(two), 7, "ben")
    assert "ben" not in text.lower()
    assert list(matrix_in(text).people) == ["ada"]
    assert without_person(text, None, "nobody") == text


# Who may


def test_the_maker_of_a_register_is_its_admin_until_a_matrix_names_one(desk: ServiceDesk) -> None:
    desk.do(Principal("mia", Role.ADMIN, "cli"), Found(uid=1001))
    assert desk.do(Principal("zoe", Role.ADMIN, "cli"), Found(uid=1002)).events == ()
    policy = adopted(desk.store).policy
    assert policy.founder == (1001, "mia")
    assert standing(policy.matrix, policy.founder, 1001, "anything").role is Role.ADMIN
    assert standing(policy.matrix, policy.founder, 1002, "mia").role is Role.COORDINATOR
    assert standing(policy.matrix, policy.founder, None, "mia").role is Role.ADMIN
    assert who_may(policy.matrix, policy.founder, Role.ADMIN) == ("mia",)
    desk.do(ADA, adopting(SMALL))
    policy = adopted(desk.store).policy
    assert policy.founder == (1001, "mia")
    assert standing(policy.matrix, policy.founder, 1001, "mia").role is Role.RESPONDER
    assert who_may(policy.matrix, policy.founder, Role.ADMIN) == ("Ada Sample",)


def test_on_a_shared_register_nobody_is_locked_out(desk: ServiceDesk) -> None:
    was = everything(desk.store)
    none = SMALL | {"people": {}}
    with pytest.raises(Refused, match="names no admin"):
        desk.do(ADA, adopting(none, private=False, login="ada", sure=True))
    with pytest.raises(Refused, match="you would be responder"):
        desk.do(ADA, adopting(SMALL, private=False, login="mia"))
    assert everything(desk.store) == was
    desk.do(ADA, adopting(none))  # a register of one's own: its owner is admin anyway
    desk.do(ADA, adopting(SMALL, private=False, login="mia", sure=True))
    desk.do(ADA, adopting(SMALL | {"flap_window": "1h"}, private=False, login="ada"))


def test_who_is_refused_is_told_who_may(desk: ServiceDesk) -> None:
    with pytest.raises(Refused, match="Ask a coordinator to do it"):
        desk.do(ANA, Engage(target=log(desk), vendor="practice", message="x"))
    people = {f"p{n}": {"name": f"Sample {n}", "login": f"p{n}", "role": "coordinator"} for n in range(7)}
    desk.do(ADA, adopting(SMALL | {"people": SMALL["people"] | people}))
    with pytest.raises(
        Refused, match=r"Who may: Ada Sample, Sample 0, Sample 1, Sample 2, Sample 3 and 3 more\."
    ):
        desk.do(ANA, Engage(target="INC-1", vendor="practice", message="x"))
    assert json.loads(adopted(desk.store).matrix)["people"]["p6"]["name"] == "Sample 6"


def test_the_role_is_the_one_of_the_policy_that_holds_when_it_is_decided(desk: ServiceDesk) -> None:
    """An admin applies another policy between somebody's start and their write: the new one counts."""
    desk.do(ADA, adopting(SMALL))
    stale = Principal(
        "mia",
        Role.RESPONDER,
        "cli",
        by_policy=lambda policy: standing(policy.matrix, policy.founder, None, "mia").role,
    )
    log(desk)
    desk.do(stale, Take(target="INC-1"))
    desk.do(ADA, adopting(SMALL | {"default_role": "viewer"}))
    was = everything(desk.store)
    with pytest.raises(Refused, match="you are viewer"):
        desk.do(stale, Take(target="INC-1"))
    assert everything(desk.store) == was


def test_nothing_of_this_depends_on_who_asks_first(store: Store) -> None:
    found = adopted(store)
    assert (found.policy, found.seq) == (Policy(), 0)
    assert adopted(store, replace(Policy(), digest="given")).policy.digest == "given"
