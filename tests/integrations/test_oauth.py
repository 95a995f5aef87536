"""OAuth 2.0: tokens from a real authorization server (Authlib's) over a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import keyring
import pytest
from engine_kit import TOP
from keyring.backend import KeyringBackend

from integrations import exchange, secrets
from integrations.conformance.line import answer
from integrations.errors import AuthFailed, AuthTrouble, Failure, NoToken, RateLimited, Unavailable
from integrations.http import Http, Limits
from integrations.oauth import chain as chains
from integrations.oauth.chain import Chain
from integrations.oauth.config import OAuth2
from integrations.oauth.endpoint import TokenEndpoint
from integrations.oauth.given import Given, as_line, read
from integrations.oauth.tokens import Tokens
from integrations.practice.moods import (
    AnswerHtml,
    CommitThenDrop,
    Hang,
    RateLimit,
    Refuse500,
    TruncatedJson,
)
from integrations.practice.oauth import CLIENT_ID
from integrations.practice.server import Practice, running_practice
from integrations.vendors import VendorsFileError, connector_for, read_vendors

SECRET = "client-s3cret-of-acme"
BASIC = base64.b64encode(f"muster-client:{SECRET}".encode()).decode()
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
QUICK = Limits(connect=5, read=5, total=10)


class Held(KeyringBackend):
    """A keyring in a dict. breaks: how many of the next writes fail, after having lost what stood there."""

    priority: ClassVar[float] = -2  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, str] = {}
        self.breaks = 0

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held.pop(username, None)
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError(f"no room for {password}")
        self.held[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[username]


@pytest.fixture
def ring() -> Iterator[Held]:
    before, held = keyring.get_keyring(), Held()
    keyring.set_keyring(held)
    yield held
    keyring.set_keyring(before)
    chains._UNKEPT.clear()


@pytest.fixture
def supplier() -> Iterator[Practice]:
    with running_practice(oauth=SECRET) as running:
        yield running


@pytest.fixture
def env(tmp_path: Path) -> Mapping[str, str]:
    return {"MUSTER_HOME": str(tmp_path)}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def about(url: str, **more: Any) -> OAuth2:
    return OAuth2(token_url=f"{url}/oauth/token", client_id=CLIENT_ID, **more)


def bearer(access: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {access}"}


@asynccontextmanager
async def client(
    supplier: Practice,
    chain: Chain | None = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    fault: Callable[[str], None] = lambda point: None,
    limits: Limits = QUICK,
    secret: str = SECRET,
    **more: Any,
) -> AsyncIterator[tuple[Http, Tokens]]:
    """A client of the supplier's API whose credential is a token."""
    endpoint = TokenEndpoint(about(supplier.url, **more), "acme", Given(secret), limits)
    tokens = Tokens(endpoint, chain, bearer, patience=limits.total, clock=clock, fault=fault)
    async with Http(supplier.url, credential=tokens, name="acme", limits=limits) as http:
        yield http, tokens


async def fails(kind: type[Failure], asked: Any, *hidden: str) -> str:
    with pytest.raises(kind) as raised:
        await asked
    assert type(raised.value) is kind or issubclass(type(raised.value), AuthFailed)
    told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    for secret in (SECRET, *hidden):
        assert secret not in told
    return raised.value.why


# Client credentials


async def test_a_token_is_got_once_and_goes_with_each_request(supplier: Practice) -> None:
    async with client(supplier) as (http, tokens):
        answers = await asyncio.gather(*(http.get("/whoami") for _ in range(5)))
        assert [answer.json()["account"] for answer in answers] == ["muster"] * 5
        assert supplier.tokens is not None
        assert supplier.tokens.given == 1
        assert tokens.held["Authorization"].split()[1] not in repr(tokens) + repr(http)


async def test_what_is_kept_of_a_sending_has_no_token_and_no_request_for_one(supplier: Practice) -> None:
    for how in ("basic", "post"):
        kept = exchange.begin()
        async with client(supplier, client_auth=how) as (http, tokens):
            await http.post("/tickets", json={"title": "x"})
            access = tokens.held["Authorization"].split()[1]
        told = exchange.told(kept)
        assert [one["url"] for one in json.loads(told)] == [f"{supplier.url}/tickets"]
        assert not any(secret in told for secret in (access, SECRET, BASIC))


@pytest.mark.parametrize("how", ["basic", "post"])
async def test_the_client_secret_is_told_in_either_way(supplier: Practice, how: str) -> None:
    async with client(supplier, client_auth=how, scope="tickets") as (http, _):
        assert (await http.get("/whoami")).status == 200


async def test_it_is_renewed_ahead_of_its_end(supplier: Practice) -> None:
    assert supplier.tokens is not None
    clock = Clock()
    async with client(supplier, clock=clock) as (http, tokens):
        await http.get("/whoami")
        first, ends = tokens.held, tokens.ends
        assert ends == NOW + timedelta(hours=1)
        clock.now = ends - timedelta(seconds=61)
        await http.get("/whoami")
        assert tokens.held == first
        clock.now = ends - timedelta(seconds=59)
        await http.get("/whoami")
        assert tokens.held != first
        assert supplier.tokens.given == 2


async def test_while_it_holds_a_token_endpoint_that_is_down_holds_nothing_up(supplier: Practice) -> None:
    clock = Clock()
    async with client(supplier, clock=clock) as (http, _):
        await http.get("/whoami")
        supplier.mood = Refuse500(on="token")
        clock.now = NOW + timedelta(hours=1, seconds=-30)
        assert (await http.get("/whoami")).status == 200
        clock.now = NOW + timedelta(hours=1, seconds=-4)  # our clocks may differ by so much
        why = await fails(NoToken, http.get("/whoami"))
        assert "token endpoint of acme has trouble" in why


@pytest.mark.parametrize(
    ("mood", "kind", "says"),
    [
        (Refuse500(on="token"), NoToken, "has trouble"),
        (CommitThenDrop(on="token"), NoToken, "cut the connection"),
        (AnswerHtml(on="token"), NoToken, "web page"),
        (TruncatedJson(on="token"), NoToken, "without a token"),
        (Hang(on="token"), NoToken, "in time"),
        (RateLimit(on="token", retry_after=7), RateLimited, "asks us to wait"),
    ],
    ids=lambda one: getattr(one, "name", None),
)
async def test_what_keeps_the_endpoint_from_answering_is_waited_for(
    supplier: Practice, mood: Any, kind: type[Failure], says: str
) -> None:
    supplier.mood = mood
    async with client(supplier, limits=Limits(0.5, 0.5, 1)) as (http, _):
        why = await fails(kind, http.post("/tickets", json={"title": "x"}))
        assert says in why
    assert supplier.desk.tickets == ()


async def test_an_endpoint_that_is_not_there_is_waited_for(supplier: Practice) -> None:
    endpoint = TokenEndpoint(about("http://127.0.0.1:1"), "acme", Given(SECRET), QUICK)
    async with Http(supplier.url, credential=Tokens(endpoint, None, bearer, patience=5)) as http:
        why = await fails(NoToken, http.get("/whoami"))
    assert "cannot be reached" in why
    assert "nothing was sent to acme" in why


@pytest.mark.parametrize(
    ("more", "trouble", "says"),
    [
        ({"secret": "wrong-one-of-acme"}, AuthTrouble.REFUSED, "muster vendors login acme"),
        ({"scope": "everything"}, AuthTrouble.FORBIDDEN, "`scope` in vendors.toml"),
    ],
)
async def test_a_refusal_says_what_to_do(
    supplier: Practice, more: dict[str, str], trouble: AuthTrouble, says: str
) -> None:
    async with client(supplier, **more) as (http, _):
        with pytest.raises(AuthFailed) as refused:
            await http.get("/whoami")
        assert refused.value.trouble is trouble
        assert says in refused.value.why
        assert "wrong-one-of-acme" not in refused.value.why


def echo(request: httpx.Request) -> httpx.Response:
    return says(400, {"error": "invalid_client", "error_description": all_of(request)})


def said_back(status: int, request: httpx.Request) -> httpx.Response:
    return says(status, {"message": all_of(request)})


def all_of(request: httpx.Request) -> str:
    return " ".join([request.headers.get("authorization", ""), request.content.decode()])


def says(status: int, body: object, **headers: str) -> httpx.Response:
    return answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), **headers)


@pytest.mark.parametrize(
    ("told", "kind", "sentence"),
    [
        (echo, AuthFailed, "•••"),
        ((200, ["no", "object"]), NoToken, "without a token"),
        ((200, {"access_token": "a\nb", "token_type": "bearer"}), NoToken, "without a token"),
        ((200, {"access_token": "abc", "token_type": "mac"}), AuthFailed, "bearer"),
        ((302, {}), NoToken, "redirect"),
        ((200, b"x" * 100_000), NoToken, "65,536 bytes"),
        ((400, {"error": 7}), NoToken, "without a reason"),
        ((400, b"no"), NoToken, "`token_url`"),
        ((404, {}), NoToken, "Is `token_url` right? Without a token nothing was sent to acme"),
        ((400, {"error": "\x1b[2Jodd"}), AuthFailed, "said no"),
        (lambda request: said_back(500, request), NoToken, "has trouble"),
        (lambda request: said_back(429, request), RateLimited, "asks us to wait"),
        (lambda request: said_back(422, request), NoToken, "said no"),
    ],
)
async def test_whatever_an_endpoint_answers_no_secret_is_told(told: Any, kind: Any, sentence: str) -> None:
    answers = told if callable(told) else lambda request: says(*told)
    given, way = Given(SECRET, "refresh-me-1"), httpx.MockTransport(answers)
    for how in ("basic", "post"):
        config = about("https://login.example", client_auth=how, grant="refresh_token")
        endpoint = TokenEndpoint(config, "acme", given, QUICK, way)
        why = await fails(kind, endpoint.refreshed("refresh-me-1"), "refresh-me-1", BASIC)
        assert sentence in why
        assert "\x1b" not in why
        await endpoint.aclose()


@pytest.mark.parametrize(
    ("told", "holds"), [(60, 60), ("60", 60), (0, None), (-1, None), ("soon", None), (True, None)]
)
async def test_how_long_a_token_holds_is_believed_where_it_can_be(told: object, holds: int | None) -> None:
    body = {"access_token": "abc", "token_type": "Bearer", "expires_in": told, "refresh_expires_in": "90"}
    way = httpx.MockTransport(lambda request: says(200, body))
    endpoint = TokenEndpoint(about("https://login.example"), "acme", Given(SECRET), QUICK, way)
    token = await endpoint.client_credentials()
    assert token.holds == (None if holds is None else timedelta(seconds=holds))
    assert token.refresh_holds == timedelta(seconds=90)
    await endpoint.aclose()


# A token that is over before its time


async def test_a_refused_token_is_renewed_and_the_request_made_once_more(supplier: Practice) -> None:
    assert supplier.tokens is not None
    async with client(supplier) as (http, _):
        await asyncio.create_task(http.get("/whoami"))
        supplier.tokens.end_all()
        body = {"title": "Pump leaks", "reference": "R1"}
        assert (await asyncio.create_task(http.post("/tickets", json=body))).status == 201
        assert supplier.tokens.given == 2
    assert len(supplier.desk.with_reference("R1")) == 1


async def test_one_that_is_refused_anew_is_a_refusal_and_is_not_tried_for_ever(supplier: Practice) -> None:
    assert supplier.tokens is not None
    supplier.tokens.holds = 0  # over before it can be used
    async with client(supplier) as (http, _):
        why = await fails(AuthFailed, http.get("/whoami"))
        assert "HTTP 401" in why
        assert supplier.tokens.given == 3


async def test_one_that_is_ended_while_its_request_is_on_its_way_is_no_refusal_of_us(
    supplier: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some end a token when they give the next one out; here another process takes one just then."""
    tokens = supplier.tokens
    assert tokens is not None
    gave, body = tokens.gave, {"title": "Pump leaks", "reference": "R1"}

    def gave_and_ended(token: dict[str, Any], before: Any) -> None:
        gave(token, before)
        if tokens.given == 2:
            tokens.end_all()

    monkeypatch.setattr(tokens, "gave", gave_and_ended)
    async with client(supplier) as (http, _):
        await asyncio.create_task(http.get("/whoami"))
        tokens.end_all()
        assert (await asyncio.create_task(http.post("/tickets", json=body))).status == 201
        assert tokens.given == 3
    assert len(supplier.desk.with_reference("R1")) == 1


async def test_what_was_read_with_a_token_that_was_over_is_not_believed(supplier: Practice) -> None:
    """Some tell nothing instead of no: then "who am I" would be answered under another token."""
    assert supplier.tokens is not None

    async def looked_up(http: Http) -> None:
        await http.get("/tickets", {"reference": "R1"})
        supplier.tokens.end_all()  # type: ignore[union-attr]
        await http.get("/whoami")

    async def after_another(http: Http) -> None:
        await http.get("/tickets", {"reference": "R1"})
        supplier.tokens.end_all()  # type: ignore[union-attr]
        await asyncio.create_task(http.get("/about"))  # renews, for itself, and had read nothing
        await http.get("/whoami")

    async with client(supplier) as (http, _):
        for reads in (looked_up, after_another):
            why = await fails(Unavailable, asyncio.create_task(reads(http)))
            assert "over before its time" in why


async def test_many_that_are_refused_at_once_renew_once(supplier: Practice) -> None:
    assert supplier.tokens is not None
    async with client(supplier) as (http, _):
        await asyncio.create_task(http.get("/whoami"))
        supplier.tokens.end_all()
        await asyncio.gather(*(http.get("/whoami") for _ in range(8)))
        assert supplier.tokens.given == 2


# Refresh tokens


def chain_of(supplier: Practice, env: Mapping[str, str]) -> Chain:
    assert supplier.tokens is not None
    return Chain("acme", supplier.tokens.first, env)


async def used(supplier: Practice, env: Mapping[str, str], **more: Any) -> None:
    """A process that begins, asks, and ends."""
    async with client(supplier, chain_of(supplier, env), grant="refresh_token", **more) as (http, _):
        await http.get("/whoami")


async def test_each_refresh_token_is_used_once_and_the_next_is_kept(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    for _ in range(5):
        await used(supplier, env)
    links = [json.loads(text) for text in ring.held.values()]
    assert len(links) == 2
    assert all(SECRET not in text for text in ring.held.values())


async def test_one_that_is_good_for_ever_goes_on(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    assert supplier.tokens is not None
    supplier.tokens.rotates = False
    for _ in range(2):
        await used(supplier, env)
    assert chain_of(supplier, env).now().token == supplier.tokens.first


class Died(BaseException):
    """A kill: nothing runs after it."""


@pytest.mark.parametrize("point", ["asking", "given", "kept"])
@pytest.mark.parametrize("forgives", [True, False])
async def test_death_at_any_point_loses_no_chain(
    supplier: Practice, ring: Held, env: Mapping[str, str], point: str, forgives: bool
) -> None:
    """What was given and never reached the keyring is the supplier's to forgive, and a person's to mend."""
    assert supplier.tokens is not None
    supplier.tokens.forgives = forgives
    await used(supplier, env)

    def fault(at: str) -> None:
        if at == point:
            raise Died

    with pytest.raises(Died):
        await used(supplier, env, fault=fault)
    if point == "given" and not forgives:
        why = await fails(AuthFailed, used(supplier, env))
        assert "muster vendors login acme" in why
    else:
        await used(supplier, env)
        await used(supplier, env)


async def test_a_keyring_that_cannot_be_written_is_found_out_before_a_token_is_spent(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    assert supplier.tokens is not None
    await used(supplier, env)
    ring.breaks = 1
    with pytest.raises(AuthFailed) as failure:
        await used(supplier, env)
    assert failure.value.trouble is AuthTrouble.MISSING
    assert "a keyring that can be written is needed" in failure.value.why
    assert supplier.tokens.given == 1
    await used(supplier, env)


async def test_what_the_keyring_does_not_take_is_held_until_it_does(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    assert supplier.tokens is not None

    def fault(at: str) -> None:
        if at == "given":
            ring.breaks = 2

    with pytest.raises(AuthFailed) as failure:
        await used(supplier, env, fault=fault)
    assert "do not end this process" in failure.value.why
    assert failure.value.trouble is AuthTrouble.MISSING
    assert "next-" not in failure.value.why
    with pytest.raises(AuthFailed):
        await used(supplier, env)
    assert supplier.tokens.given == 1, "nothing is asked for while one is held in memory"
    await used(supplier, env)
    chains._UNKEPT.clear()  # another process
    await used(supplier, env)


async def test_a_new_login_begins_another_chain(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    assert supplier.tokens is not None
    await used(supplier, env)
    supplier.tokens.take_back()
    why = await fails(AuthFailed, used(supplier, env), supplier.tokens.first)
    assert "does not take the refresh token any more" in why
    assert chain_of(supplier, env).now().count
    assert Chain("acme", "another one", env).now().token == "another one"


async def test_the_one_before_is_tried_where_only_that_is_known(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    """The supplier lost what it had given last, as after a restore."""
    assert supplier.tokens is not None
    supplier.tokens.forgives = True
    await used(supplier, env)
    last = chain_of(supplier, env).now()
    supplier.tokens._refresh[last.token].dead = True
    await used(supplier, env)


async def test_whoever_gives_up_waiting_does_not_end_the_renewal(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    assert supplier.tokens is not None
    async with client(supplier, chain_of(supplier, env), grant="refresh_token") as (http, tokens):
        waiting = asyncio.create_task(http.get("/whoami"))
        while tokens._renewal is None:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert chain_of(supplier, env).now().token != supplier.tokens.first


PROCESS = """
import asyncio, json, sys
from integrations.http import Http, Limits
from integrations.oauth.chain import Chain
from integrations.oauth.config import OAuth2
from integrations.oauth.endpoint import TokenEndpoint
from integrations.oauth.given import Given
from integrations.oauth.tokens import Tokens
about = json.loads(sys.argv[1])
config = OAuth2(token_url=about["url"] + "/oauth/token", client_id="muster-client", grant="refresh_token")

async def run():
    for _ in range(2):
        endpoint = TokenEndpoint(config, "acme", Given(about["secret"]), Limits(10, 10, 60))
        chain = Chain("acme", about["first"], about["env"])
        tokens = Tokens(endpoint, chain, lambda access: {"Authorization": "Bearer " + access}, patience=60)
        async with Http(about["url"], credential=tokens, limits=Limits(10, 60, 120)) as http:
            await http.get("/whoami")

asyncio.run(run())
"""


@pytest.mark.kills
@pytest.mark.timeout(120)
def test_two_processes_at_once_take_turns(supplier: Practice, tmp_path: Path) -> None:
    """Over the encrypted file: one that used what the other had used would end the whole family."""
    assert supplier.tokens is not None
    (tmp_path / "muster-key").write_text("a key that is long enough\n")
    env = {"MUSTER_HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    told = {"url": supplier.url, "secret": SECRET, "first": supplier.tokens.first, "env": env}
    asked = [sys.executable, "-c", PROCESS, json.dumps(told)]
    processes = [subprocess.Popen(asked, cwd=TOP, stderr=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        assert process.communicate(timeout=100)[1] == b""
        assert process.returncode == 0
    assert supplier.tokens.given == 4


# What a person stores, and what vendors.toml says


def test_what_a_person_stores_is_one_line() -> None:
    both = about("http://127.0.0.1:1", grant="refresh_token")
    line = as_line(both.asks, [" s1 ", "r1\n"])
    assert "\n" not in line
    assert read("acme", line, both) == Given("s1", "r1")
    alone = about("http://127.0.0.1:1")
    assert read("acme", as_line(alone.asks, ["s1"]), alone) == Given("s1")
    public = about("http://127.0.0.1:1", grant="refresh_token", client_auth="none")
    assert read("acme", as_line(public.asks, ["r1"]), public) == Given("", "r1")
    with pytest.raises(ValueError, match="client secret, then refresh token"):
        as_line(both.asks, ["s1"])
    for stored in ("s1", '{"client_secret": "s1"}', '["s1"]', '{"client_secret": 1, "refresh_token": "r"}'):
        with pytest.raises(AuthFailed) as failure:
            read("acme", stored, both)
        assert failure.value.trouble is AuthTrouble.MISSING
        assert "s1" not in failure.value.why


BLOCK = """
[vendor.acme]
connector = "practice"
title = "Acme"
url = "{url}"
environment = "test"
auth = "oauth2"

[vendor.acme.oauth2]
token_url = "{url}/oauth/token"
client_id = "muster-client"
"""


async def test_a_block_makes_a_connector_that_gets_its_own_tokens(
    supplier: Practice, ring: Held, env: Mapping[str, str]
) -> None:
    assert supplier.tokens is not None
    text = BLOCK.format(url=supplier.url)
    for more, stored in (
        ("", SECRET),
        (
            'grant = "refresh_token"\n',
            as_line(("client_secret", "refresh_token"), [SECRET, supplier.tokens.first]),
        ),
    ):
        vendor = read_vendors(text + more)["acme"]
        secrets.store("acme", stored, env)
        connector = connector_for(vendor, lambda name: secrets.resolve(name, env), env=env)
        assert (await connector.check()).ok
        await connector.http.aclose()
    assert set(ring.held) == {"acme", "acme.1", "acme.2"}
    assert secrets.forget("acme", env)
    assert ring.held == {}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{url}/oauth/token", "http://login.acme.example/token", "unencrypted"),
        ("{url}/oauth/token", "https://login.acme.example", "the whole address"),
        ('client_id = "muster-client"', "", "client_id"),
        (
            'client_id = "muster-client"',
            'client_id = "a"\nclient_secret = "abc"',
            "muster vendors login acme",
        ),
        ('auth = "oauth2"', 'auth = "keyring"', "go together"),
        ('connector = "practice"', 'connector = "rt"\nqueue = "q"\nreference_field = "f"', "takes no OAuth"),
    ],
)
def test_a_block_that_cannot_be_is_told(old: str, new: str, says: str) -> None:
    with pytest.raises(VendorsFileError) as error:
        read_vendors(BLOCK.replace(old, new).format(url="http://127.0.0.1:1"))
    assert any(says in fault for fault in error.value.faults), error.value.faults
