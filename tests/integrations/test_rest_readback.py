"""What answers to a `rest` block do not say is read back; what its last `when` does not allow is not done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from integrations.connector import Absent, Attach, CannotTell, Comment, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Ambiguous, Rejected
from integrations.vendors import VendorsFileError
from register.incident import Priority
from register.marker import sign
from tests.integrations.rest_kit import BLOCK, Desk, draft, op, read

REF = Ref(id="12", key="T-12")
UNTOLD = BLOCK.replace('gives = { id = "note" }\n', "")
PRIORITY = """
[[vendor.acme.priority]]
method = "PATCH"
path = "/tickets/{{ ticket.id }}"
body = { priority = "{{ priority }}" }
"""
TELLS = """
[[vendor.acme.history.tells]]
kind = "priority"
rows = "ranks"
id = "id"
at = "at"
author = "by"
value = "to"
"""


def block(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return text


def note(op_id: str, *, by: str = "muster", public: bool = True, number: int = 7) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"id": number, "at": at, "by": by, "text": sign("any news?", op_id), "public": public}


def answered(text: str, notes: list[dict[str, Any]] | Exception) -> Desk:
    """A ticket that takes words without a word of its own, and on which these stand afterwards."""
    desk = Desk(text)
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets/12", {}, ETag='"v1"')
    desk.says("PATCH /tickets/12", {})
    desk.says("GET /tickets/12/notes", notes if isinstance(notes, Exception) else {"notes": notes})
    return desk


async def test_words_whose_answer_has_no_id_are_read_back() -> None:
    op_id = op()
    desk = answered(UNTOLD, [note(op(), number=6), note(op_id, by="lena"), note(op_id, number=8)])
    done = await desk.rest.apply(REF, Comment(op_id, "any news?"))
    assert done.change_ids == ("comment:8",), "what somebody else quotes is not ours"


async def test_words_whose_answer_has_no_plain_id_are_in_doubt() -> None:
    """They are there; as where a block has a list, and means what is in it."""
    desk = answered(BLOCK, [])
    desk.answers["PATCH /tickets/12"] = [httpx.Response(200, json={"note": [7]})]
    with pytest.raises(Ambiguous, match="neither text nor number"):
        await desk.rest.apply(REF, Comment(op(), "any news?"))


async def test_words_of_ours_that_seem_somebody_elses_are_not_sent_again() -> None:
    """Where `me` tells a login and `author` a name, nothing of ours would ever be known again."""
    op_id = op()
    desk = answered(UNTOLD, [note(op_id, by="Bridge Connector")])
    with pytest.raises(Rejected, match=r"in words of 'Bridge Connector', and `me`.*no second time"):
        await desk.rest.apply(REF, Comment(op_id, "any news?"))
    found = await desk.rest.find_comment(REF, op_id)
    assert isinstance(found, CannotTell), "not Absent: that would send them again"
    assert "its account must be what author tells of us there" in found.why
    assert await desk.rest.find_comment(REF, op()) == Absent()


@pytest.mark.parametrize("operation", ["priority", "attach"])
async def test_what_a_block_does_not_describe_is_not_sent_and_said(operation: str) -> None:
    update = {
        "priority": Reprioritise(op(), Priority.HIGH),
        "attach": Attach(op(), "a.txt", "text/plain", "", b"x"),
    }[operation]
    with pytest.raises(Rejected, match=rf"Write \[\[vendor\.acme\.{operation}\]\]"):
        await Desk().rest.apply(REF, update)


async def test_a_person_has_a_name_where_the_author_is_a_number() -> None:
    text = block(BLOCK, ('author = "by"\n', 'author = "by"\nname = "who"\n'))
    desk = answered(text, [note(op()) | {"who": "Bridge"}, note(op(), by="lena") | {"who": None}])
    told = (await desk.rest.history(REF)).changes
    assert [(one.author, one.by_our_account) for one in told] == [("Bridge", True), ("lena", False)]


async def test_words_that_are_not_there_afterwards_were_refused() -> None:
    with pytest.raises(Rejected, match="said yes and wrote nothing on T-12"):
        await answered(UNTOLD, [note(op())]).rest.apply(REF, Comment(op(), "any news?"))


@pytest.mark.parametrize("notes", [httpx.ReadTimeout("late"), [{"id": 1, "at": "yesterday", "by": "lena"}]])
async def test_words_that_cannot_be_read_back_are_in_doubt(notes: Any) -> None:
    op_id = op()
    with pytest.raises(Ambiguous) as failure:
        await answered(UNTOLD, notes).rest.apply(REF, Comment(op_id, "any news?"))
    assert failure.value.op_id == op_id


async def test_words_that_a_late_index_does_not_show_are_in_doubt() -> None:
    late = block(UNTOLD, ('kind = "strong"', 'kind = "lagging", delay_seconds = 9'))
    with pytest.raises(Ambiguous, match="does not show it so far"):
        await answered(late, []).rest.apply(REF, Comment(op(), "any news?"))


@pytest.mark.parametrize("text", [BLOCK, UNTOLD])
async def test_a_private_note_that_became_public_is_told(text: str) -> None:
    """Whether its answer told an id or not: who sees it stands in their history alone."""
    text, op_id = block(text, ("link =", "internal_comments = true\nlink =")), op()
    desk = answered(text, [note(op_id)])
    desk.answers["PATCH /tickets/12"] = [httpx.Response(200, json={"note": 7})]
    with pytest.raises(Rejected, match="made our private note on T-12 public"):
        await desk.rest.apply(REF, Comment(op_id, "any news?", public=False))
    desk.answers["GET /tickets/12/notes"] = [httpx.Response(200, json={"notes": [note(op_id, public=False)]})]
    done = await desk.rest.apply(REF, Comment(op_id, "any news?", public=False))
    assert done.change_ids == ("comment:7",)


async def test_a_priority_is_proved_and_known_as_ours_when_it_comes_back() -> None:
    text = block(BLOCK, ('updated = "updated", ', 'updated = "updated", priority = "priority", '))
    desk = Desk(text + PRIORITY + TELLS)
    at = datetime.now(UTC).isoformat()
    told = {"title": "x", "state": 2, "updated": at, "priority": "Top"}
    desk.says("GET /me", {"login": "muster"})
    desk.says("PATCH /tickets/12", {})
    desk.says("GET /tickets/12", told, told, told | {"priority": "Low"}, ETag='"v1"')
    ranks = [("muster", "Top"), ("lena", "Low"), ("muster", "Top"), ("lena", "Top")]
    rows = [{"id": n, "at": at, "by": by, "to": to} for n, (by, to) in enumerate(ranks)]
    desk.says("GET /tickets/12/notes", {"notes": [], "ranks": rows})
    done = await desk.rest.apply(REF, Reprioritise(op(), Priority.CRITICAL))
    assert done.change_ids == ("priority:2",)
    with pytest.raises(Rejected, match="said yes and did not set T-12 to High"):
        await desk.rest.apply(REF, Reprioritise(op(), Priority.HIGH))


# The last request's `when`


ALLOWED = block(
    BLOCK,
    (
        '[[vendor.acme.transition]]\nmethod = "PATCH"\n',
        '[[vendor.acme.transition]]\nname = "now"\npath = "/tickets/{{ ticket.id }}"\n'
        'gives = { allowed = "allowed" }\n\n'
        '[[vendor.acme.transition]]\nwhen = "{{ state_code in now.allowed }}"\nmethod = "PATCH"\n',
    ),
)


async def test_what_its_last_when_does_not_allow_is_not_sent_and_said() -> None:
    desk = Desk(ALLOWED)
    told = {"title": "x", "state": 2, "updated": "2026-11-28T10:00:00Z", "allowed": [1, 2]}
    desk.says("GET /tickets/12", told, ETag='"v1"')
    desk.says("PATCH /tickets/12", {})
    with pytest.raises(Rejected, match=r"`transition` in vendors.toml is made only when .*now\.allowed"):
        await desk.rest.apply(REF, Transition(op(), Theirs.CLOSED))
    assert desk.lines() == ["GET /tickets/12"]
    assert (await desk.rest.apply(REF, Transition(op(), Theirs.WORKING))).ticket.state is Theirs.WORKING


async def test_a_create_that_is_not_made_is_refused_and_not_in_doubt() -> None:
    never = block(BLOCK, ('path = "/tickets"\nbody', 'path = "/tickets"\nwhen = "{{ impact }}"\nbody'))
    desk = Desk(never)
    desk.says("POST /notes", {"id": "n1"})
    with pytest.raises(Rejected, match=r"`create` in vendors.toml is made only when \{\{ impact \}\}"):
        await desk.rest.create(draft(op()))


# The list


async def test_a_ticket_that_stands_on_two_pages_is_looked_at_once() -> None:
    desk = Desk()
    at = datetime.now(UTC).isoformat()
    pages = [{"items": [{"id": 1, "number": "T-1", "updated": at}] * 2}, {"items": []}]
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets", *(httpx.Response(200, json=pages[n % 2]) for n in range(8)))
    desk.says("GET /tickets/1/notes", {"notes": []})
    start = await desk.rest.changes(None)
    before = desk.lines().count("GET /tickets/1/notes")
    await desk.rest.changes(start.next)
    assert (before, desk.lines().count("GET /tickets/1/notes")) == (1, 2)


# The check


CHECKED = (
    ("", "", {}),
    ('rows = "items"\ngives = { id = "id", reference', 'rows = "rows"\ngives = { id = "id", reference',
     {"look-up": "gave no list at 'rows', where `find` in vendors.toml"}),
    ('account = "login"', 'account = "user.id"', {"identity": "gave no account at 'user.id', where `me`"}),
    ("link =", 'read_format = "%Y"\nlink =', {"feed": "say how they write it in `read_format`"}),
    ('at = "at"', 'at = "when"', {"history": "of T-1, 0 changes are read, and 1 cannot be: "}),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), CHECKED)
async def test_a_check_names_what_is_to_be_mended(old: str, new: str, says: dict[str, str]) -> None:
    desk = Desk(block(BLOCK, (old, new)) if old else BLOCK)
    row = {"id": 1, "number": "T-1", "updated": datetime.now(UTC).isoformat()}
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets", {"items": []}, {"items": [row]})
    desk.says("GET /tickets/1/notes", {"notes": [note(op())]})
    if "look-up" in says:
        desk.answers["GET /tickets"].pop(0)
    bad = {one.name: one for one in (await desk.rest.check()).checks if not one.ok}
    assert bad.keys() == says.keys()
    for name, words in says.items():
        assert words in bad[name].says
        assert "in vendors.toml" in bad[name].todo


async def test_a_check_tells_a_list_whose_filter_is_ignored() -> None:
    desk = Desk()
    desk.says("GET /me", {"login": "muster"})
    row = {"id": 1, "number": "T-1", "updated": "2020-02-03T10:00:00Z"}
    desk.says("GET /tickets", {"items": []}, {"items": [row]})
    (bad,) = [one for one in (await desk.rest.check()).checks if not one.ok]
    assert (bad.name, bad.todo) == ("feed", "mend `changes` in vendors.toml: its filter is ignored")
    assert "2020-02-03" in bad.says


# What a block may say


def test_private_words_need_a_template_that_takes_public() -> None:
    lacks = block(BLOCK, ("link =", "internal_comments = true\nlink ="), (', public = "{{ public }}"', ""))
    with pytest.raises(VendorsFileError) as error:
        read(lacks)
    (fault,) = error.value.faults
    assert fault.startswith("vendors.toml line 9, vendor.acme.internal_comments: ")
    assert "no template of `comment` takes public" in fault


def test_their_own_key_for_a_token_is_no_credential_where_it_is_filled_in() -> None:
    """Some call what an upload is known by a token."""
    upload = block(
        BLOCK,
        ('body = { text = "{{ text }}" }\ngives = { id = "id" }', "body = { text = \"{{ text }}\" }\n"
         'gives = { id = "id", token = "upload.token" }'),
        ('notes = ["{{ note.id }}"]', 'token = "{{ note.token }}"'),
    )  # fmt: skip
    assert read(upload)
    for value in ("hunter22", "{{ 'hunter22' }}", "x{{ note.token }}"):
        with pytest.raises(VendorsFileError, match="looks like a credential") as error:
            read(block(upload, ("{{ note.token }}", value)))
        assert "hunter22" not in str(error.value)


async def test_a_read_that_is_not_made_reads_nothing() -> None:
    desk = Desk(block(BLOCK, ("[[vendor.acme.get]]\n", '[[vendor.acme.get]]\nwhen = "{{ ticket.url }}"\n')))
    with pytest.raises(Rejected, match=r"`get` in vendors.toml is made only when"):
        await desk.rest.get(REF)
    assert desk.lines() == []
