"""Files that Zendesk and Freshservice keep at other hosts, on played accounts: fetched with nothing of ours.

Their files' host refuses whoever brings a credential besides the signed address, as S3 does; what is more, no
request to it may have one, whatever a supplier sends us on to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from engine_kit import Engine, practice_file
from starlette.responses import RedirectResponse, Response

from integrations import exchange
from integrations.conformance.line import Line
from integrations.connector import ChangeKind, Draft, Fetches, Ref
from integrations.errors import AuthFailed, Conflict, Failure, Gone, Rejected
from integrations.http import Http
from integrations.outcomes import MOST_CONFLICTS
from integrations.systems.freshservice import Freshservice
from integrations.systems.zendesk import Zendesk
from register.core import new_id
from register.incident import Priority
from register.store import Store, files, outbox
from register.topics.fetching import FetchFile, SupplierFile
from register.topics.files import safe_name
from tests.played.freshservice import FIELD, OURS
from tests.played.freshservice import LENA as FRESH_LENA
from tests.played.freshservice_world import FreshserviceWorld
from tests.played.zendesk import LENA, USER
from tests.played.zendesk_world import ZendeskWorld

NAME = "../../dump ü 100%\x1b[31m?#.bin"
LOG = b"\x00\xff" * 500
Worlds = ZendeskWorld | FreshserviceWorld
Desk = Zendesk | Freshservice
MADE: dict[str, Callable[[], Worlds]] = {"zendesk": ZendeskWorld, "freshservice": FreshserviceWorld}


@pytest.fixture(params=sorted(MADE))
def world(request: pytest.FixtureRequest) -> Worlds:
    return MADE[request.param]()


@pytest.fixture
def wire(world: Worlds) -> Line:
    return Line(world.transport())


@pytest.fixture
async def desk(world: Worlds, wire: Line) -> AsyncIterator[Desk]:
    kind: Any = world.system
    headers = kind.headers(world.config, world.secret)
    async with Http(world.url + kind.root, headers, name="acme", transport=wire) as http:
        yield kind(http, world.config)


def say(world: Worlds, ticket: int, content: bytes, name: str) -> Any:
    """Their people write, with a file; what they have of it."""
    if isinstance(world, FreshserviceWorld):
        said = world.desk.say(ticket, FRESH_LENA, "see there", files=[(name, content)])
        return said["attachments"][0]
    file = world.desk.kept(name, content)
    words = world.desk.comment(LENA, "<p>see there</p>", files=[file])
    world.desk.audit(world.desk.tickets[ticket], LENA, [words])
    return file


async def put(desk: Desk, world: Worlds, content: bytes = LOG, name: str = NAME) -> tuple[Ref, str, Any]:
    """A file of theirs on a ticket of ours; the ticket, its place as it was told, what they have of it."""
    ref = await desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.HIGH))
    file = say(world, int(ref.id), content, name)
    (told,) = [one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.FILE]
    assert told.size == len(content)
    assert told.body
    return ref, told.place, file


async def refused(desk: Desk, ref: Ref, place: str, most: int = 1_000) -> Failure:
    assert isinstance(desk, Fetches)
    with pytest.raises(Failure) as raised:
        await desk.fetch(ref, place, most)
    assert "ignature" not in raised.value.why
    assert "token" not in raised.value.why
    return raised.value


def away(wire: Line, world: Worlds) -> list[Any]:
    """What was asked of any host that is not the supplier's own."""
    return [one for one in wire.asked if one.url.host != world.url.removeprefix("https://")]


def harmless(wire: Line, world: Worlds) -> None:
    """No request to another host had anything of ours: no header, no cookie, no word of the secret."""
    for one in away(wire, world):
        assert not {"authorization", "cookie", "referer", "origin"} & set(one.headers)
        assert world.secret not in str(one.url) + repr(one.headers.raw) + one.content.decode("latin-1")


async def test_a_file_comes_whole_and_our_credential_stays_at_home(
    desk: Desk, world: Worlds, wire: Line
) -> None:
    ref, place, _ = await put(desk, world)
    assert isinstance(desk, Fetches)
    assert await desk.fetch(ref, place, 1_000) == LOG
    assert [one.url.host for one in away(wire, world)] == [world.desk.cdn.host]
    assert all("authorization" in one.headers for one in wire.asked if one.url.host != world.desk.cdn.host)
    harmless(wire, world)
    assert len(world.desk.cdn.asked) == 1


async def test_it_is_told_by_a_name_that_is_one_files_in_one_folder(desk: Desk, world: Worlds) -> None:
    ref, _, _ = await put(desk, world)
    (told,) = [one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.FILE]
    assert not set("/\\\x1b") & set(safe_name(told.body))


async def test_its_address_is_asked_for_anew_each_time(desk: Desk, world: Worlds) -> None:
    ref, place, _ = await put(desk, world)
    world.desk.tick(30 * 24 * 3_600)
    assert await desk.fetch(ref, place, 1_000) == LOG


@pytest.mark.parametrize("how", ["larger", "not told"])
async def test_one_that_is_too_large_is_not_asked_for(
    desk: Desk, world: Worlds, wire: Line, how: str
) -> None:
    ref, place, file = await put(desk, world)
    file["size"] = 1_001 if how == "larger" else None
    assert "1,000 is the most" in (await refused(desk, ref, place)).why
    assert away(wire, world) == []


@pytest.mark.parametrize("content", [b"<html>Sign in</html>", LOG + b"x", b""])
async def test_another_file_than_was_told_of_is_none(desk: Desk, world: Worlds, content: bytes) -> None:
    ref, place, _ = await put(desk, world)
    world.desk.cdn.instead = lambda _: Response(content)
    assert isinstance(await refused(desk, ref, place, 2_000), Rejected)


async def test_more_than_may_be_taken_is_cut_off(desk: Desk, world: Worlds) -> None:
    ref, place, _ = await put(desk, world)
    world.desk.cdn.instead = lambda _: Response(b"x" * 5_000)
    assert "more than 1,000 bytes" in (await refused(desk, ref, place)).why


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/steal",
        "https://zendesk.com.evil.example/",
        "http://p18.zdusercontent.com/a",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/a",
        "//[",  # no address at all
    ],
)
async def test_whoever_sends_us_elsewhere_is_not_followed(
    desk: Desk, world: Worlds, wire: Line, to: str
) -> None:
    ref, place, _ = await put(desk, world)
    world.desk.cdn.instead = lambda _: Response(status_code=302, headers={"location": to})
    assert isinstance(await refused(desk, ref, place), Rejected)
    assert [one.url.host for one in away(wire, world)] == [world.desk.cdn.host]
    harmless(wire, world)


async def test_sent_back_home_we_come_without_our_credential(desk: Desk, world: Worlds, wire: Line) -> None:
    """Else whoever answers for a file could have us ask for whatever he likes with it."""
    ref, place, _ = await put(desk, world)
    world.desk.cdn.instead = lambda _: RedirectResponse(f"{world.url}/api/v2/users/me?x={LENA}", 302)
    before = len(wire.asked)
    assert isinstance(await refused(desk, ref, place), Rejected)
    at_home = [one for one in wire.asked[before:] if "x=" in str(one.url)]
    assert all("authorization" not in one.headers for one in at_home)
    assert len(at_home) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Rejected), (403, Rejected), (404, Rejected), (429, Conflict), (503, Conflict)]
)
async def test_trouble_at_the_other_host_is_none_of_the_suppliers(
    desk: Desk, world: Worlds, status: int, kind: type[Failure]
) -> None:
    """It stops nothing that goes to the supplier: no AuthFailed, no wait, nothing that trips a breaker."""
    ref, place, _ = await put(desk, world)
    world.desk.cdn.instead = lambda _: Response("no", status, {"Retry-After": "3600"})
    failure = await refused(desk, ref, place)
    assert type(failure) is kind
    assert world.desk.cdn.host in failure.why


async def test_a_host_that_is_not_there_is_asked_again_a_little_later(desk: Desk, world: Worlds) -> None:
    ref, place, _ = await put(desk, world)
    del world.hosts.apps[world.desk.cdn.host]
    assert isinstance(await refused(desk, ref, place), Conflict)


async def test_a_host_that_vendors_toml_names_is_asked_too(desk: Desk, world: Worlds, wire: Line) -> None:
    ref, place, file = await put(desk, world)
    world.hosts.apps["files.acme.example"] = world.desk.cdn.app
    world.desk.cdn.host = "files.acme.example"
    if isinstance(world, ZendeskWorld):
        file["content_url"] = "https://files.acme.example/a"
    failure = await refused(desk, ref, place)
    assert "files.acme.example" in failure.why
    assert "`file_hosts` in vendors.toml" in failure.why
    world.desk.cdn.instead = lambda _: Response(LOG)
    config = world.config.model_copy(update={"file_hosts": ("acme.example",)})
    named: Any = type(desk)(desk.http, config)
    assert await named.fetch(ref, place, 1_000) == LOG
    harmless(wire, world)


@pytest.mark.parametrize("place", ["../users/1", "", "1/2", "x", "9" * 30, "1?x=2"])
async def test_a_place_that_is_none_is_asked_of_nobody(
    desk: Desk, world: Worlds, wire: Line, place: str
) -> None:
    ref, _, _ = await put(desk, world)
    before = len(wire.asked)
    assert "is no file of acme" in (await refused(desk, ref, place)).why
    assert len(wire.asked) == before


async def test_no_address_that_opens_it_is_kept_in_a_record(desk: Desk, world: Worlds) -> None:
    ref, place, _ = await put(desk, world)
    kept = exchange.begin()
    assert isinstance(desk, Fetches)
    await desk.fetch(ref, place, 1_000)
    said = exchange.told(kept)
    exchange.KEPT.set(None)
    path = next(iter(world.desk.cdn.files))
    for secret in (world.desk.cdn.signature(path)[1], "opens", world.secret):
        assert secret not in said
    assert world.desk.cdn.host in said
    last = orjson.loads(said)[-1]
    assert (last["status"], last["answer_headers"], last["answer"]) == (200, {}, "")


# Through the engine

BLOCKS: dict[str, dict[str, object]] = {
    "zendesk": {"user": USER},
    "freshservice": {"requester": OURS, "reference_field": FIELD},
}


@pytest.fixture
async def engine(world: Worlds, own_store: Store, tmp_path: Path) -> AsyncIterator[Engine]:
    kind = world.system.info.kind
    more = {"connector": kind, "url": world.url, "auth": "keyring", "deadline_seconds": 10}
    file = practice_file(tmp_path, **{**more, **BLOCKS[kind]})
    made = Engine.over(own_store, file, secret=world.secret, transport=world.transport())
    yield made
    await made.close()
    made.hand.close()


async def offered(engine: Engine, world: Worlds) -> str:
    """An incident on whose ticket they have put a file, and that we have heard of it."""
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.courier.until_quiet()
    (ticket,) = world.desk.tickets.values()
    say(world, ticket["id"], LOG, NAME)
    for _ in range(3):
        await engine.collector.poll()
    return number


async def test_the_engine_brings_it_under_a_harmless_name(engine: Engine, world: Worlds) -> None:
    number = await offered(engine, world)
    (told,) = [one.event for one in engine.store.timeline(number) if isinstance(one.event, SupplierFile)]
    engine.do(FetchFile(target=number, file=told.change_id))
    await engine.settle_all()
    with engine.store.read() as connection:
        (file,) = files.files_of(connection, number)
    assert files.content_of(engine.store, file) == LOG
    assert not set("/\\\x1b") & set(file.name)


async def test_trouble_there_is_a_persons_matter_soon_and_stops_nothing_else(
    engine: Engine, world: Worlds
) -> None:
    number = await offered(engine, world)
    del world.hosts.apps[world.desk.cdn.host]
    (told,) = [one.event for one in engine.store.timeline(number) if isinstance(one.event, SupplierFile)]
    engine.do(FetchFile(target=number, file=told.change_id))
    await engine.settle_all()
    (row,) = outbox.unfinished(engine.store)
    assert (row.state, row.tries) == ("dead", MOST_CONFLICTS)
    assert f"{world.desk.cdn.host} cannot be reached" in row.why
    assert engine.courier.standing.failures == 0
    engine.engaged("disk full")
    await engine.settle_all()
    assert len(world.desk.tickets) == 2


# Zendesk's own


of_zendesk = pytest.mark.parametrize("world", ["zendesk"], indirect=True)


@of_zendesk
async def test_files_for_everybody_come_too(desk: Zendesk, world: ZendeskWorld) -> None:
    world.desk.secure = False
    ref, place, _ = await put(desk, world)
    assert await desk.fetch(ref, place, 1_000) == LOG


@of_zendesk
async def test_another_brands_file_is_asked_for_without_our_credential(
    desk: Zendesk, world: ZendeskWorld, wire: Line
) -> None:
    """Each brand has a subdomain of its own, where our credential was not stored for."""
    world.desk.secure = False
    ref, place, file = await put(desk, world)
    world.hosts.apps["pumps.zendesk.com"] = world.desk.app
    file["content_url"] = file["content_url"].replace("acme.", "pumps.")
    assert await desk.fetch(ref, place, 1_000) == LOG
    assert [one.url.host for one in away(wire, world)] == ["pumps.zendesk.com", world.desk.cdn.host]
    harmless(wire, world)


@of_zendesk
async def test_one_that_we_may_not_see_stops_nothing_else(
    desk: Zendesk, world: ZendeskWorld, wire: Line
) -> None:
    ref, place, file = await put(desk, world)
    file["content_url"] = f"{world.url}/api/v2/incremental/tickets/cursor?start_time=1"
    world.desk.role = "agent"
    failure = await refused(desk, ref, place)
    assert not isinstance(failure, AuthFailed)
    assert "whether our account may see files" in failure.why
    assert away(wire, world) == []


@of_zendesk
async def test_sent_to_where_one_signs_in_we_do_not(desk: Zendesk, world: ZendeskWorld, wire: Line) -> None:
    """What it sends us on to, at home or not, is asked for without our credential."""
    ref, place, _ = await put(desk, world)
    world.desk.hides = True
    failure = await refused(desk, ref, place)
    assert isinstance(failure, Rejected)
    assert "a page that asks to sign in" in failure.why
    assert wire.asked[-1].url.path == "/access/unauthenticated"
    assert "authorization" not in wire.asked[-1].headers


@of_zendesk
@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"deleted": True}, "deleted"),
        ({"malware_scan_result": "malware_found"}, "malware"),
        ({"content_url": None}, "does not tell where"),
    ],
)
async def test_one_that_is_not_to_be_had_is_said_to_be_so(
    desk: Zendesk, world: ZendeskWorld, wire: Line, told: dict[str, Any], says: str
) -> None:
    ref, place, file = await put(desk, world)
    file |= told
    before = len(wire.asked)
    assert says in (await refused(desk, ref, place)).why
    assert len(wire.asked) == before + 1


@of_zendesk
async def test_one_that_was_let_out_is_fetched(desk: Zendesk, world: ZendeskWorld) -> None:
    ref, place, file = await put(desk, world)
    file |= {"malware_scan_result": "malware_found", "malware_access_override": True}
    assert await desk.fetch(ref, place, 1_000) == LOG


@of_zendesk
async def test_one_that_is_gone_is_said_to_be_gone(desk: Zendesk, world: ZendeskWorld) -> None:
    ref, place, _ = await put(desk, world)
    world.desk.attachments.clear()
    assert isinstance(await refused(desk, ref, place), Gone)


# Freshservice's own


of_freshservice = pytest.mark.parametrize("world", ["freshservice"], indirect=True)


@of_freshservice
async def test_one_that_came_with_the_ticket_is_fetched(desk: Freshservice, world: FreshserviceWorld) -> None:
    ref = await desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.HIGH))
    world.desk.with_ticket[int(ref.id)] = [world.desk.kept("trace.log", LOG)]
    (told,) = [one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.FILE]
    assert await desk.fetch(ref, told.place, 1_000) == LOG


@of_freshservice
async def test_one_that_they_took_away_is_said_to_be_gone(
    desk: Freshservice, world: FreshserviceWorld
) -> None:
    ref, place, _ = await put(desk, world)
    assert isinstance(await refused(desk, ref, "ticket/7"), Gone)
    world.desk.said[int(ref.id)].clear()
    assert isinstance(await refused(desk, ref, place), Gone)


@of_freshservice
async def test_an_address_over_its_day_is_refused_there(
    desk: Freshservice, world: FreshserviceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The played host is as strict as the real one: else the test of asking anew would prove nothing."""
    ref, place, _ = await put(desk, world)
    old = world.desk.cdn.signature
    said = old(next(iter(world.desk.cdn.files)))
    monkeypatch.setattr(world.desk.cdn, "signature", lambda _: said)
    world.desk.tick(2 * 24 * 3_600)
    assert "HTTP 403" in (await refused(desk, ref, place)).why


async def test_the_other_host_refuses_a_credential(world: Worlds) -> None:
    """As S3 does; what the tests above say of headers does not hang on it."""
    cdn = world.desk.cdn
    until, proof = cdn.signature("/a")
    address = f"{cdn.put('/a', b'x')}?token={until}.{proof}"
    async with httpx.AsyncClient(transport=world.transport()) as client:
        assert (await client.get(address)).content == b"x"
        assert (await client.get(address, headers={"Authorization": "Basic x"})).status_code == 400
