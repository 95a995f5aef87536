"""Acknowledging by a page's link: over real HTTP, once, as whoever was paged, by no mail scanner."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from ack_kit import ANSWERED, KEY, TOKEN, AckStage, ack_stage
from page_kit import BEN, MATRIX
from sqlalchemy import select

from integrations.acks.key import Keys, made, put
from integrations.acks.tokens import fresh, is_ours, tokens_in
from integrations.acks.using import Became, Standing, acknowledge, looked_at
from integrations.errors import AuthFailed
from register.core import Policy, Principal, Role
from register.incident import Impact, ResolutionCode, Urgency
from register.store import RegisterAway, Store, ack_links
from register.store import tables as t
from register.store.page_tables import ack_link
from register.topics.ending import WithTheirs
from register.topics.escalate import Unacknowledge
from register.topics.intake import Log
from register.topics.ownership import Acknowledge
from register.topics.resolution import Resolve
from register.topics.sight import Restrict
from register.verify import verify
from register.watch import tick

EVA = Principal("eva", Role.COORDINATOR, "test")
ADMIN = Principal("boss", Role.ADMIN, "test")


@pytest.fixture
async def at(store: Store, policy: Policy, clock: Any, tmp_path: Path) -> AsyncIterator[AckStage]:
    async with ack_stage(store, policy, clock, tmp_path) as made:
        yield made
        assert verify(store).faults == []
    told = " ".join(made.told)
    assert KEY not in told
    assert not list(tokens_in(told))


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


async def test_the_button_acknowledges_as_whoever_was_paged(at: AckStage) -> None:
    number, token = await at.page()
    shown = await at.ask("GET", token)
    assert shown.status_code == 200
    assert f"{number}, P1: Checkout answers 500" in shown.text
    assert at.acknowledged(number) == []
    pressed = await at.ask("POST", token)
    assert pressed.status_code == 200
    assert f"{number} is yours to look after: you have it." in pressed.text
    assert at.acknowledged(number) == [("ben", "link")]


async def test_the_page_runs_nothing_loads_nothing_and_is_kept_nowhere(at: AckStage) -> None:
    _, token = await at.page(title='<script>alert(1)</script> & "quotes"')
    for answer in [await at.ask("GET", token), await at.ask("POST", token), await at.ask("GET", "a" * 48)]:
        head = answer.headers
        assert head["cache-control"] == "no-store"
        assert head["referrer-policy"] == "no-referrer"
        assert "noindex" in head["x-robots-tag"]
        assert "default-src 'none'" in head["content-security-policy"]
        assert "frame-ancestors 'none'" in head["content-security-policy"]
        outline = Outline(answer.text)
        assert not [tag for tag, _ in outline.tags if tag in ("script", "img", "link", "iframe", "a")]
        assert outline.of("html") == [{"lang": "en"}]
        assert outline.of("h1")
        assert outline.of("title")
        assert outline.of("main")
        assert len(outline.of("button")) <= 1
        assert token not in answer.text


async def test_a_mail_scanner_changes_nothing_however_often_it_looks(at: AckStage) -> None:
    number, token = await at.page()
    before = at.store.seq()
    for method in ("GET", "HEAD", "GET", "GET", "HEAD"):
        answer = await at.ask(method, token)
        assert answer.status_code == 200
        assert (answer.text == "") == (method == "HEAD")
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        assert (await at.ask(method, token)).status_code == 405
    assert at.store.seq() == before
    link = ack_links.find(at.store, hashlib.sha256(token.encode()).hexdigest())
    assert link is not None
    assert link.used_at is None
    assert "you have it" in (await at.ask("POST", token)).text
    assert at.acknowledged(number) == [("ben", "link")]


async def test_it_is_used_once(at: AckStage) -> None:
    number, token = await at.page()
    await at.ask("POST", token)
    before = at.store.seq()
    again = await at.ask("POST", token)
    assert again.status_code == 200
    assert "you have it" in again.text
    assert "nothing to do" in again.text
    assert "<button" not in (await at.ask("GET", token)).text
    assert at.store.seq() == before
    assert len(at.acknowledged(number)) == 1


async def test_of_many_who_press_at_once_one_acknowledges(at: AckStage) -> None:
    number, token = await at.page()
    answers = await asyncio.gather(*(at.ask("POST", token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert all("you have it" in answer.text for answer in answers)
    assert at.acknowledged(number) == [("ben", "link")]


async def test_what_was_taken_back_is_not_acknowledged_anew_by_the_same_token(
    store: Store, policy: Policy, clock: Any, tmp_path: Path
) -> None:
    """Not even by whoever looked at it before it was used: it is used up under the head's lock."""
    plan = '[policies.all]\nsteps = [{ to = "person:ben", wait = "5m" }]\n'
    first = 'default_policy = "all"\n'
    async with ack_stage(store, policy, clock, tmp_path, ANSWERED + plan, first) as at:
        number = at.desk.do(EVA, Log(title="x", impact=Impact.HIGH, urgency=Urgency.HIGH)).number or ""
        at.desk.do(BEN, Log(title="for ben is met"))
        tick(at.desk, clock.passes(seconds=1))
        await at.send()
        (token,) = [
            found[1] for one in at.got if (found := TOKEN.search(one[2].body)) and number in one[2].title
        ]
        looked = looked_at(at.desk, token, clock())
        assert isinstance(looked, Standing)
        assert acknowledge(at.desk, looked, "link", clock()).became is Became.YOURS
        at.desk.do(BEN, Unacknowledge(target=number))
        assert acknowledge(at.desk, looked, "link", clock()).became is Became.USED
        answer = await at.ask("POST", token)
        assert answer.status_code == 410
        assert "nobody has it now" in answer.text
        assert len(at.acknowledged(number)) == 1


async def test_of_two_people_the_second_is_told_who_has_it(at: AckStage) -> None:
    number, token = await at.page()
    at.desk.do(EVA, Acknowledge(target=number))
    shown = await at.ask("GET", token)
    assert f"eva has {number} since" in shown.text
    assert "too" in shown.text
    pressed = await at.ask("POST", token)
    assert pressed.status_code == 200
    assert f"eva has {number} since" in pressed.text
    assert "you have it" not in pressed.text
    assert at.acknowledged(number) == [("eva", "test"), ("ben", "link")]


async def test_one_that_was_acknowledged_by_them_elsewhere_is_theirs(at: AckStage) -> None:
    number, token = await at.page()
    at.desk.do(BEN, Acknowledge(target=number))
    assert f"You have {number}" in (await at.ask("GET", token)).text
    pressed = await at.ask("POST", token)
    assert pressed.status_code == 200
    assert "you have it" in pressed.text


async def test_an_incident_that_is_over_says_so_and_keeps_the_late_word(at: AckStage) -> None:
    number, token = await at.page()
    at.desk.do(
        BEN, Resolve(target=number, code=ResolutionCode.FIXED, notes="restarted", theirs=WithTheirs.LEAVE)
    )
    shown = await at.ask("GET", token)
    assert f"{number} is resolved already" in shown.text
    assert "<button" not in shown.text
    state = at.store.incident(number)
    pressed = await at.ask("POST", token)
    assert f"{number} is resolved already" in pressed.text
    assert at.acknowledged(number) == [("ben", "link")]
    after = at.store.incident(number)
    assert state is not None
    assert after is not None
    assert after.state is state.state
    assert after.acknowledged_by is None


async def test_it_counts_for_a_day(at: AckStage) -> None:
    number, token = await at.page()
    at.clock.passes(hours=24, minutes=1)
    before = at.store.seq()
    for method in ("GET", "POST"):
        answer = await at.ask(method, token)
        assert answer.status_code == 410
        assert f"muster ack {number}" in answer.text
        assert "<button" not in answer.text
    assert at.store.seq() == before


async def test_what_is_over_is_swept_and_said_to_be_old(at: AckStage) -> None:
    _, token = await at.page()
    at.clock.passes(hours=24, minutes=1)
    await at.page(title="Another")
    with at.store.read() as connection:
        kept = connection.execute(select(ack_link)).mappings().all()
    assert len(kept) == 1
    answer = await at.ask("POST", token)
    assert answer.status_code == 410
    assert "muster ack NUMBER" in answer.text


async def test_the_register_keeps_no_token(at: AckStage) -> None:
    _, token = await at.page()
    with at.store.read() as connection:
        for table in t.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert token not in str(row)


async def test_a_forged_one_is_refused_before_the_register_is_asked(
    at: AckStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, token = await at.page()

    def asked(*about: object) -> None:
        raise AssertionError("the register was asked")

    monkeypatch.setattr(ack_links, "find", asked)
    first, last = (("b" if one == "a" else "a") for one in (token[0], token[-1]))
    forged = [token[:-1] + last, first + token[1:], token[:-1], token + "a", "a" * 48, "x", "", "..%2f", "é"]
    forged += [fresh(b"another key", at.store.register_id), fresh(KEY.encode(), "another register")]
    for one in forged:
        for method in ("GET", "POST"):
            answer = await at.ask(method, one)
            assert answer.status_code == 404, one
            assert number not in answer.text
    assert [one for one in at.told if "signature is wrong" in one]
    assert at.acknowledged(number) == []


async def test_a_restricted_one_shows_its_number_alone(at: AckStage) -> None:
    number, token = await at.page(title="Payroll of the board leaked")
    at.desk.do(BEN, Restrict(target=number))
    for method in ("GET", "POST"):
        answer = await at.ask(method, token)
        assert answer.status_code == 200
        assert number in answer.text
        assert "Payroll" not in answer.text


async def test_whoever_may_not_see_it_any_more_acknowledges_nothing(at: AckStage) -> None:
    """Eva was paged for it, say by a rota; then it was restricted, and she is not among those who see it."""
    await at.page(EVA, title="Something of hers")
    number, token = await at.page(title="Payroll of the board leaked")
    with at.store.rows_only() as connection:
        eva = connection.execute(select(t.person.c.id).where(t.person.c.login == "eva")).scalar_one()
        connection.execute(ack_link.update().where(ack_link.c.incident == number).values(person=eva))
    at.desk.do(BEN, Restrict(target=number))
    answer = await at.ask("POST", token)
    assert answer.status_code == 403
    assert f"{number} is restricted" in answer.text
    assert "Payroll" not in answer.text
    assert at.acknowledged(number) == []


async def test_whoever_is_none_of_ours_any_more_acknowledges_nothing(at: AckStage) -> None:
    number, token = await at.page()
    with at.store.rows_only() as connection:
        connection.execute(t.person.update().where(t.person.c.login == "ben").values(login="gone"))
    answer = await at.ask("POST", token)
    assert answer.status_code == 403
    assert "no more" in answer.text
    assert at.acknowledged(number) == []


async def test_a_viewer_is_refused_in_the_registers_words(at: AckStage) -> None:
    number, token = await at.page()
    at.desk.policy = Policy(matrix=_with_viewer())
    at.desk._given = at.desk.policy
    answer = await at.ask("POST", token)
    assert answer.status_code == 403
    assert "This takes the role responder; you are viewer" in answer.text
    assert at.acknowledged(number) == []
    assert "<button" in (await at.ask("GET", token)).text  # it is not used up


def _with_viewer() -> Any:
    from register.matrix_toml import read_matrix

    return read_matrix(MATRIX.replace('role = "coordinator"\nzone', 'role = "viewer"\nzone'))


async def test_a_body_that_does_not_end_is_not_read(at: AckStage) -> None:
    number, token = await at.page()
    assert (await at.ask("POST", token, content=b"x" * 2_000)).status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"y" * 64

    with contextlib.suppress(httpx.TransportError):  # it is hung up on while it drips
        assert (await at.ask("POST", token, content=drip())).status_code == 413
    assert at.acknowledged(number) == []
    assert (await at.ask("POST", token, content=b"pressed=1")).status_code == 200


async def test_while_the_register_is_away_it_says_so(at: AckStage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = await at.page()

    def away(*about: object) -> None:
        raise RegisterAway("The register is away.")

    monkeypatch.setattr(ack_links, "find", away)
    answer = await at.ask("POST", token)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    monkeypatch.undo()
    assert "you have it" in (await at.ask("POST", token)).text


async def test_webhooks_come_in_by_the_same_door(at: AckStage) -> None:
    where = f"http://{at.address[0]}:{at.address[1]}"
    assert (await at.client.post(f"{where}/hooks/nobody", content=b"{}")).status_code == 401
    assert (await at.client.get(f"{where}/ack")).status_code == 404
    assert (await at.client.get(f"{where}/")).status_code == 404


async def test_without_a_key_a_page_goes_out_without_a_link(
    store: Store, policy: Policy, clock: Any, tmp_path: Path
) -> None:
    async with ack_stage(store, policy, clock, tmp_path) as at:
        (tmp_path / "muster-page.key").unlink()
        number, token = await at.page()
        (_, _, words) = at.got[-1]
        assert token == ""
        assert f"muster ack {number}" in words.body
        assert words.as_mail() == words
        assert any("Pages carry no link" in one for one in at.told)


async def test_without_settings_no_key_is_made(
    store: Store, policy: Policy, clock: Any, tmp_path: Path
) -> None:
    async with ack_stage(store, policy, clock, tmp_path, more="") as at:
        (tmp_path / "muster-page.key").unlink()
        number, token = await at.page()
        assert token == ""
        assert at.told == []
        assert f"muster ack {number}" in at.got[-1][2].body


async def test_each_page_has_its_own_token_and_a_mail_can_be_answered(at: AckStage) -> None:
    first = await at.page()
    second = await at.page(title="Another")
    assert first[1] != second[1]
    number, token = second
    words = at.got[-1][2]
    mail = words.as_mail()
    assert f"[{number} ack {token}]" in mail.title
    assert f"[{number} ack {token}]" in mail.body
    assert "answer this mail" not in words.body
    assert token not in words.title
    assert mail.body.splitlines()[-1] == words.body.splitlines()[-1]


def test_a_token_is_of_one_key_and_one_register() -> None:
    token = fresh(b"key", "R1")
    assert is_ours(token, b"key", "R1")
    assert not is_ours(token, b"kez", "R1")
    assert not is_ours(token, b"key", "R2")
    assert not is_ours(token.upper(), b"key", "R1")
    assert list(tokens_in(f"> see [INC-7 ack {token.upper()}], {token}")) == [token]
    assert len({fresh(b"key", "R1") for _ in range(500)}) == 500


async def test_a_key_that_was_changed_is_seen(tmp_path: Path, clock: Any) -> None:
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path), "MUSTER_KEYRING": "keyring.backends.fail.Keyring"}
    with pytest.raises(AuthFailed):
        made(env)
    (tmp_path / "muster-page.key").write_text("one" * 20)
    keys = Keys(env, print, clock)
    assert await keys.signing() == b"one" * 20
    (tmp_path / "muster-page.key").write_text("two" * 20)
    token = fresh(b"two" * 20, "R1")
    assert not await keys.proves(token, "R1")  # so soon nobody looks again
    clock.passes(seconds=3)
    assert await keys.proves(token, "R1")
    with pytest.raises(ValueError, match="32 characters"):
        put("short", env)
