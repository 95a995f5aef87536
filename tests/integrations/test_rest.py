"""`connector = "rest"`: what a block may say, what its templates can do, what a broken line leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.connector import (
    Absent,
    CannotTell,
    Cap,
    ChangeKind,
    Comment,
    Found,
    Lagging,
    Native,
    Ref,
    Strong,
    Theirs,
    Transition,
)
from integrations.errors import Ambiguous, AuthFailed, Conflict, Failure, Gone, NotSent, RateLimited, Rejected
from integrations.rest.templates import Unfit, Wanting, compiled, filled
from integrations.systems.rest import Rest
from integrations.vendors import VendorsFileError, read_vendors
from register.marker import sign
from tests.integrations.rest_kit import BLOCK, SINCE, Desk, draft, op, page_block, read


def fault(text: str) -> str:
    with pytest.raises(VendorsFileError) as error:
        read(text)
    (only,) = error.value.faults
    return only


@pytest.fixture
def desk() -> Iterator[Desk]:
    return Desk()


# Templates


def test_a_template_that_is_one_expression_gives_its_value_as_it_is() -> None:
    values = {"n": 7, "docs": {"a": [1]}, "word": "x", "none": None}
    body = {"n": "{{ n }}", "docs": "{{ docs }}", "text": "no {{ n }}", "list": ["{{ word }}", 3, True]}
    assert filled(body, values) == {"n": 7, "docs": {"a": [1]}, "text": "no 7", "list": ["x", 3, True]}


@pytest.mark.parametrize("hostile", ['", "admin": true, "x": "', "{{ 7*7 }}", "}} {% if x %}", "\\\n\r\x00"])
def test_no_value_leaves_its_place_in_a_body(hostile: str) -> None:
    made = filled({"title": "{{ title }}", "more": "to {{ title }}"}, {"title": hostile})
    assert json.loads(json.dumps(made)) == {"title": hostile, "more": f"to {hostile}"}


@pytest.mark.parametrize("hostile", ["../admin", "a/b", "a?b=c", "x#y", "%2e%2e", "é ü"])
def test_a_value_in_a_path_stays_one_part_of_it(hostile: str) -> None:
    made = compiled("/tickets/{{ id }}/notes", path=True).made({"id": hostile})
    assert made.count("/") == 3
    assert not {"?", "#", " "} & set(made)
    assert httpx.URL(f"https://x.example{made}").path == f"/tickets/{hostile}/notes"


@pytest.mark.parametrize("empty", ["", ".", "..", None])
def test_a_path_never_lacks_a_part(empty: str | None) -> None:
    with pytest.raises(Wanting):
        compiled("/tickets/{{ id }}", path=True).made({"id": empty})


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10) %}x{% endfor %}",
        "{{ 'x' * 10 }}",
        "{{ 9 ** 9 }}",
        "{{ ''.__class__ }}",
        "{{ x.__init__ }}",
        "{{ cycler() }}",
        "{{ '%9999d' % 1 }}",
        "{% set a = 1 %}",
        "{% include 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{{ x|attr('y') }}",
        "{{ x|center(99999999) }}",
        "x" * 5_000,
    ],
)
def test_what_could_run_long_or_reach_further_is_no_template(source: str) -> None:
    with pytest.raises(Unfit):
        compiled(source)


def test_what_grows_too_large_or_is_not_there_is_refused() -> None:
    with pytest.raises(Wanting, match="grow"):
        compiled("{{ a|replace('a', b) }}").made({"a": "a" * 1_000, "b": "b" * 10_000})
    with pytest.raises(Wanting, match="grow"):
        compiled("{{ a }}{{ a }}.").made({"a": "a" * 600_000})
    with pytest.raises(Wanting, match="'a' is undefined"):
        compiled("{{ a }}").made({})


def test_what_is_left_out_goes_with_its_key(desk: Desk) -> None:
    from integrations.rest.templates import OMIT

    assert filled({"a": "{{ x or omit }}", "b": ["{{ omit }}", 1]}, {"x": "", "omit": OMIT}) == {"b": [1]}


# The block


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"{{ title }}"', '"{{ titel }}"', ("create", "did you mean title?", "character 4")),
        ('"{{ title }}"', '"{{ title"', ("create", "is no template at character 1")),
        ('"{{ title }}"', '"{{ title|shout }}"', ("create", "has no filter shout", "character 10")),
        ('["{{ note.id }}"]', '["{{ note.number }}"]', ("create", "takes number of note, which gives id")),
        ('["{{ note.id }}"]', '["{{ nota.id }}"]', ("create", "did you mean note?")),
        ('account = "login"', 'account = "login["', ("me", "is no JMESPath at character 7")),
        ('rows = "items"', 'rows = "items[?"', ("find", "is no JMESPath at character")),
        ('path = "/me"', 'path = "me"', ("me", "must begin with /")),
        ('path = "/me"', 'pfad = "/me"', ("me", "path")),
        ("repeatable = true", "repeatable = false", ("create", "makes twice what cannot be made twice")),
        ('reference = "ref"', 'referenz = "ref"', ("find", "gives no reference")),
        ("[[vendor.acme.me]]\n", "[[vendor.acme.mee]]\n", ("mee", "did you mean me?")),
        ('kind = "offset", param = "from"', 'kind = "offset"', ("changes", "in which part of the query")),
        ('"header", name = "X-Key"', '"header"', ("sign_in", "how is the header")),
        ('kind = "strong"', 'kind = "none"', ("lookup", "could never be settled")),
    ],
)
def test_a_fault_is_told_with_file_line_key_and_place(old: str, new: str, says: tuple[str, ...]) -> None:
    assert BLOCK.count(old) >= 1
    with pytest.raises(VendorsFileError) as error:
        read(BLOCK.replace(old, new, 1))
    told = "\n".join(error.value.faults)
    assert told.startswith("vendors.toml line ")
    assert all(one in told for one in says), told


def test_what_a_block_says_is_what_the_engine_goes_by() -> None:
    vendor = read()
    assert vendor.info.lookup.settle.total_seconds() == 30  # type: ignore[union-attr]
    assert isinstance(vendor.info.lookup, Strong)
    assert Cap.COMMENT_PUBLIC | Cap.SET_STATE | Cap.POLL in vendor.info.caps
    assert not (Cap.ATTACH | Cap.SET_PRIORITY | Cap.WEBHOOK | Cap.COMMENT_PRIVATE) & vendor.info.caps
    assert Cap.ETAG in vendor.info.caps
    late = read(BLOCK.replace('kind = "strong"', 'kind = "lagging", delay_seconds = 9'))
    assert isinstance(late.info.lookup, Lagging)
    key = read(BLOCK.replace("link =", 'idempotency = { header = "Idempotency-Key", minutes = 5 }\nlink ='))
    assert isinstance(key.info.idempotency, Native)
    assert Desk().rest.info == vendor.info


# What goes out, and what a broken line leaves


async def test_a_message_is_made_first_and_then_linked(desk: Desk) -> None:
    desk.says("POST /notes", {"id": "n1"})
    desk.says("POST /tickets", {"id": 12, "number": "T-12", "ok": True})
    op_id = op()
    ref = await desk.rest.create(draft(op_id, 'a "quoted" {{ title }}'))
    assert ref == Ref(id="12", key="T-12", url="https://acme.example/t/T-12")
    note, ticket = (json.loads(one.content) for one in desk.asked)
    assert note == {"text": sign("It drips.", op_id)}
    assert ticket == {"title": 'a "quoted" {{ title }}', "ref": op_id, "notes": ["n1"], "priority": "High"}
    assert {one.headers["x-key"] for one in desk.asked} == {"Key geheim-1234"}


@pytest.mark.parametrize(
    ("note", "ticket", "kind"),
    [
        (httpx.ReadError("cut"), None, Failure),  # nobody sees a note: it may be made again
        ({"id": "n1"}, httpx.ReadError("cut"), Ambiguous),
        ({"id": "n1"}, httpx.ConnectError("no"), NotSent),
        ({"id": "n1"}, httpx.Response(503), Ambiguous),
        ({"id": "n1"}, httpx.Response(429), RateLimited),
        ({"id": "n1"}, httpx.Response(409, json={"why": "bad"}), Rejected),
        ({"id": "n1"}, httpx.Response(200, json={"ok": False, "why": "closed"}), Rejected),
        ({"id": "n1"}, httpx.Response(200, json={"ok": True}), Ambiguous),  # no id: it may be there
        ({"id": "n1"}, httpx.Response(200, content=b'{"ok": tr'), Ambiguous),
    ],
)
async def test_a_line_that_breaks_between_two_requests_leaves_no_second_ticket(
    desk: Desk, note: Any, ticket: Any, kind: type[Failure]
) -> None:
    desk.says("POST /notes", note)
    if ticket is not None:
        desk.says("POST /tickets", ticket)
    with pytest.raises(kind) as failure:
        await desk.rest.create(draft(op()))
    assert isinstance(failure.value, Ambiguous) is (kind is Ambiguous)
    assert "geheim" not in str(failure.value)
    assert desk.lines().count("POST /tickets") == (ticket is not None)


async def test_a_key_of_theirs_makes_no_create_repeatable_for_ever() -> None:
    """They know it for a while: whether that is over the engine minds, and none who tries again and again."""
    desk = Desk(BLOCK.replace("link =", 'idempotency = { header = "X-Once", minutes = 5 }\nlink ='))
    desk.says("POST /notes", {"id": "n1"})
    desk.says("POST /tickets", httpx.ReadError("cut"))
    op_id = op()
    with pytest.raises(Ambiguous):
        await desk.rest.create(draft(op_id))
    assert [one.headers.get("x-once") for one in desk.asked] == [None, op_id]


async def test_what_goes_wrong_after_the_request_that_counts_leaves_it_in_doubt() -> None:
    more = """
[[vendor.acme.create]]
path = "/tickets/{{ made.id }}"
gives = { id = "id" }
"""
    block = BLOCK.replace("[[vendor.acme.find]]", f"{more}\n[[vendor.acme.find]]").replace(
        'method = "POST"\npath = "/tickets"', 'name = "made"\nmethod = "POST"\npath = "/tickets"'
    )
    desk = Desk(block)
    desk.says("POST /notes", {"id": "n1"})
    desk.says("POST /tickets", {"id": 12, "number": "T-12", "ok": True})
    desk.says("GET /tickets/12", httpx.Response(429))
    with pytest.raises(Ambiguous):
        await desk.rest.create(draft(op()))


async def test_what_is_neither_text_nor_number_is_no_reference_and_no_account(desk: Desk) -> None:
    """As where a block has a list, and means what is in it."""
    op_id = op()
    desk.says("GET /tickets", {"items": [{"id": 3, "ref": [op_id]}]}, {"items": [{"id": [3], "ref": op_id}]})
    for _ in range(2):
        assert isinstance(await desk.rest.find(op_id, SINCE), CannotTell)
    desk.says("GET /me", {"login": ["muster"]})
    with pytest.raises(Rejected, match="does not say who we are there"):
        await desk.rest.whoami()


async def test_only_what_carries_our_reference_is_found_and_nothing_proves_nothing_to_nobody(
    desk: Desk,
) -> None:
    op_id = op()
    desk.says("GET /me", {"login": "muster"}, httpx.Response(401))
    desk.says(
        "GET /tickets",
        {"items": []},
        {"items": []},
        {"items": [{"id": 3, "ref": "another"}]},
        httpx.Response(
            200,
            json={"items": [{"id": 3, "ref": op_id}]},
            headers={"Link": '<https://acme.example/api/tickets?ref=x&page=2>; rel="next"'},
        ),
        {"items": [{"id": 4, "ref": op_id}, {"id": 5, "ref": "another"}]},
        {"rows": []},
    )
    assert await desk.rest.find(op_id, SINCE) == Absent()
    with pytest.raises(AuthFailed):
        await desk.rest.find(op_id, SINCE)
    assert isinstance(await desk.rest.find(op_id, SINCE), CannotTell)
    found = await desk.rest.find(op_id, SINCE)
    assert isinstance(found, Found)
    assert [ref.id for ref in found.refs] == ["3", "4"]
    assert str(desk.asked[-1].url) == "https://acme.example/api/tickets?ref=x&page=2"
    with pytest.raises(Failure, match="gave no list"):
        await desk.rest.find(op_id, SINCE)


async def test_a_link_to_somewhere_else_is_not_followed(desk: Desk) -> None:
    away = {"Link": '<https://elsewhere.example/api/tickets?page=2>; rel="next"'}
    desk.says("GET /tickets", httpx.Response(200, json={"items": [{"id": 3, "ref": "x"}]}, headers=away))
    with pytest.raises(Rejected):
        await desk.rest.find(op(), SINCE)
    assert {one.url.host for one in desk.asked} == {"acme.example"}


async def test_words_go_on_the_version_that_was_just_seen_and_again_where_it_moved(desk: Desk) -> None:
    for etag in ('"v1"', '"v2"'):
        desk.says("GET /tickets/12", {}, ETag=etag)
    desk.says("PATCH /tickets/12", httpx.Response(412), {"note": 77})
    done = await desk.rest.apply(Ref(id="12", key="T-12"), Comment(op(), "any news?"))
    assert done.change_ids == ("comment:77",)
    assert [one.headers.get("if-match") for one in desk.asked] == [None, '"v1"', None, '"v2"']
    desk.answers["PATCH /tickets/12"] = [httpx.Response(412)]
    with pytest.raises(Conflict):
        await desk.rest.apply(Ref(id="12", key="T-12"), Comment(op(), "any news?"))


async def test_a_state_goes_out_by_its_code_and_comes_back_by_its_word(desk: Desk) -> None:
    told = {"title": "x", "state": 5, "updated": "2026-11-28T10:00:00+01:00"}
    desk.says("PATCH /tickets/12", {})
    desk.says("GET /tickets/12", told, ETag='"v3"')
    done = await desk.rest.apply(Ref(id="12", key="T-12"), Transition(op(), Theirs.CLOSED), '"v2"')
    assert json.loads(desk.asked[0].content) == {"state": 5}
    assert desk.asked[0].headers["if-match"] == '"v2"'
    assert (done.ticket.raw_state, done.ticket.state, done.ticket.version) == ("Done", Theirs.CLOSED, '"v3"')
    assert done.ticket.updated_at == datetime(2026, 11, 28, 9, tzinfo=UTC)
    desk.answers["PATCH /tickets/12"] = [httpx.Response(412)]
    with pytest.raises(Conflict):
        await desk.rest.apply(Ref(id="12", key="T-12"), Transition(op(), Theirs.CLOSED), '"v2"')
    with pytest.raises(Rejected, match="nothing was sent"):
        await desk.rest.apply(Ref(id="12", key="T-12"), Transition(op(), Theirs.REFUSED))


async def test_a_ticket_that_is_not_there_is_gone(desk: Desk) -> None:
    desk.says("GET /tickets/99", httpx.Response(404))
    with pytest.raises(Gone):
        await desk.rest.get(Ref(id="99", key="99"))


def feed_answers(desk: Desk, notes: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [{"id": n, "number": f"T-{n}", "updated": now} for n in (1, 2, 3)]
    desk.answers.pop("GET /tickets", None)
    desk.says("GET /me", {"login": "muster"})
    desk.answers["GET /tickets"] = [
        answer
        for _ in range(9)
        for answer in (
            httpx.Response(200, json={"items": rows[:2]}),
            httpx.Response(200, json={"items": rows[2:]}),
        )
    ]
    desk.answers["GET /tickets/1/notes"] = [httpx.Response(200, json={"notes": notes})]
    for n in (2, 3):
        desk.answers[f"GET /tickets/{n}/notes"] = [httpx.Response(200, json={"notes": []})]


async def test_the_feed_tells_each_change_once_and_sets_aside_what_it_cannot_read(desk: Desk) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    old = {"id": 1, "at": now, "by": "lena", "text": "before", "public": True}
    feed_answers(desk, [old])
    start = await desk.rest.changes(None)
    assert (start.changes, start.done) == ((), True)
    assert json.loads(json.dumps(start.next)) == start.next
    mine = {"id": 2, "at": now, "by": "muster", "text": sign("ours", op()), "public": False}
    feed_answers(desk, [old, mine, {"id": 3, "at": "yesterday", "by": "lena", "text": "odd"}])
    page = await desk.rest.changes(start.next)
    (told,) = page.changes
    assert (told.change_id, told.body, told.public, told.by_our_account) == ("comment:2", "ours", False, True)
    assert told.marker is not None
    assert told.kind is ChangeKind.COMMENT
    (odd,) = page.unread
    assert (odd.change_id, odd.ticket) == ("1:comment:3", "1")
    again = await desk.rest.changes(page.next)
    assert again.changes == ()
    offsets = [one.url.params["from"] for one in desk.asked if one.url.path == "/api/tickets"]
    assert offsets == ["0", "2"] * 3


async def test_a_state_that_is_set_within_the_second_in_which_another_was_read_is_heard() -> None:
    desk = Desk(
        BLOCK.replace('updated = "updated" }\npaging', 'updated = "updated", state = "state" }\npaging')
    )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets/1/notes", {"notes": []})
    cursor, heard = None, []
    for state in ("Open", "Busy", "Busy", "Done"):
        row = {"id": 1, "number": "T-1", "updated": now, "state": state}
        desk.answers["GET /tickets"] = [httpx.Response(200, json={"items": [row]})]
        page = await desk.rest.changes(cursor)
        cursor = page.next
        heard += [change.state for change in page.changes]
    assert heard == [Theirs.WORKING, Theirs.CLOSED]
    desk.answers["GET /tickets"] = [httpx.Response(200, json={"items": [{**row, "state": ["Open"]}]})]
    (odd,) = (await desk.rest.changes(cursor)).unread
    assert odd.ticket == "1"


async def test_what_stands_at_the_beginning_of_a_list_is_not_read_at_each_poll(desk: Desk) -> None:
    """Lists begin with a whole second, and some tell finer times: it was forgotten, and read anew."""
    newest = SINCE.replace(microsecond=500_000)
    edge = newest - timedelta(seconds=120, milliseconds=300)
    items = [
        {"id": number, "number": f"T-{number}", "updated": at.isoformat()}
        for number, at in ((1, newest), (2, edge))
    ]
    now = {"date": format_datetime(datetime.now(UTC), usegmt=True)}  # long after, by their clock
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets", *[{"items": items}, {"items": []}] * 5, **now)
    for number in (1, 2):
        desk.says(f"GET /tickets/{number}/notes", {"notes": []}, **now)
    times = {"newest": newest, "begin": edge - timedelta(days=1), "floor": edge}
    cursor = {**{name: at.isoformat() for name, at in times.items()}, "seen": {}, "todo": []}
    for _ in range(5):
        cursor = (await desk.rest.changes(cursor)).next
    assert desk.lines().count("GET /tickets/2/notes") == desk.lines().count("GET /tickets/1/notes") <= 2


async def test_a_feed_that_shows_nothing_asks_whether_we_are_somebody(desk: Desk) -> None:
    feed_answers(desk, [])
    start = await desk.rest.changes(None)
    desk.answers["GET /tickets"] = [httpx.Response(200, json={"items": []})]
    desk.answers["GET /me"] = [httpx.Response(401)]
    with pytest.raises(AuthFailed):
        await desk.rest.changes(start.next)


async def test_a_key_in_the_query_goes_along_and_is_shown_by_nobody() -> None:
    block = BLOCK.replace(
        '{ kind = "header", name = "X-Key", prefix = "Key " }', '{ kind = "query", name = "key" }'
    )
    desk = Desk(block)
    desk.says("GET /me", {"login": "muster"})
    assert await desk.rest.whoami() == "muster"
    assert desk.asked[0].url.params["key"] == "geheim-1234"
    assert not any("geheim" in value for value in desk.asked[0].headers.values())
    assert desk.rest.http.masked(str(desk.asked[0].url)) == "https://acme.example/api/me?key=•••"


async def test_a_check_says_what_is_wrong(desk: Desk) -> None:
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets", {"items": []})
    assert [one.ok for one in (await desk.rest.check()).checks] == [True] * 4
    desk.answers["GET /tickets"] = [httpx.Response(200, json={"items": [{"id": 1, "ref": "any"}]})]
    lines = {one.name: one for one in (await desk.rest.check()).checks}
    assert "its filter is ignored" in lines["look-up"].todo


def test_webhooks_are_proved_by_the_scheme_of_the_block() -> None:
    block = BLOCK.replace("link =", 'webhook = { scheme = "hex", header = "X-Signature" }\nlink =')
    vendor = read(block)
    assert Cap.WEBHOOK in vendor.info.caps
    import hashlib
    import hmac

    proof = Rest.hooks(vendor.config, ["hook-secret"])  # type: ignore[arg-type] # it is of its kind
    signature = hmac.new(b"hook-secret", b"{}", hashlib.sha256).hexdigest()
    assert proof.verify_and_parse({"x-signature": f"sha256={signature}"}, b"{}", SINCE).delivery


def test_the_block_of_the_page_is_whole() -> None:
    (one,) = read_vendors(page_block(), "docs/rest.md").values()
    assert Cap.CREATE | Cap.COMMENT_PUBLIC | Cap.POLL in one.info.caps


def test_the_blocks_of_real_systems_can_be_read() -> None:
    for path in sorted((Path(__file__).parent.parent / "described").glob("*.toml")):
        (one,) = read_vendors(path.read_text(), path.name).values()
        assert isinstance(one.info.lookup, Strong)
