"""A played supplier in a process of its own, over real HTTP (email: SMTP and IMAP) on a port of loopback.

    python -m tests.played.serving '{"kind": "zendesk", "seed": 7, "hold": 0.2}'

It prints one line: what vendors.toml has to say of it, its credential, and where it tells whoever tests what
is in its memory. Its answers are held (`tests.played.held`), and its clock is the real one.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations import quiet_server
from integrations.conformance.world import World
from integrations.connector import Ref
from tests.played.email import EmailWorld
from tests.played.held import App, HeldApp, HeldMail, Hold, Receive, Scope, Send

BY_MAIL: Final = "email"
APPS: Final[Mapping[str, str]] = {
    "aws_support": "aws_support:AwsSupportWorld",
    "freshservice": "freshservice_world:FreshserviceWorld",
    "github": "github:GitHubWorld",
    "gitlab": "gitlab:GitLabWorld",
    "jira": "jira_world:JiraWorld",
    "opsgenie": "opsgenie:OpsgenieWorld",
    "pagerduty": "pagerduty:PagerDutyWorld",
    "rest": "roundup:RoundupWorld",
    "servicenow": "servicenow_world:ServiceNowWorld",
    "statuspage": "statuspage:StatuspageWorld",
    "zammad": "zammad:ZammadWorld",
    "zendesk": "zendesk_world:ZendeskWorld",
}
"""Kind → where in tests.played the world around its app is."""
KINDS: Final = (*APPS, BY_MAIL)
CONTROL: Final = "/~played"
LAG: Final = timedelta(seconds=1)
"""How far an index lies behind, where one does."""


def world_of(kind: str) -> World:
    """A new supplier of that kind, on the real clock: most have one of their own, which tests move on."""
    module, _, name = APPS[kind].partition(":")
    world: World = getattr(importlib.import_module(f"tests.played.{module}"), name)()
    for played in played_in(world):
        if isinstance(vars(played).get("now"), datetime):
            on_time = {"now": property(lambda _: datetime.now(UTC), lambda _, at: None)}
            played.__class__ = type("OnTime", (played.__class__,), on_time)
        elif hasattr(played, "now") and _is_far(told := played.now()):
            played.now = _written if isinstance(told, str) else lambda: datetime.now(UTC)
        if hasattr(played, "lag"):
            played.lag = LAG
    return world


def _is_far(told: datetime | str) -> bool:
    at = datetime.fromisoformat(told) if isinstance(told, str) else told
    return abs(at - datetime.now(UTC)) > timedelta(days=1)


def _written() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def played_in(world: World) -> list[Any]:
    """What in a world is the system itself."""
    return [one for one in vars(world).values() if hasattr(one, "app")]


class Control:
    """What a test asks of the supplier's memory, and has it do. `app` passes on whatever else is asked."""

    def __init__(self, world: World, hold: Hold, supplier: App) -> None:
        self._world, self._hold, self._supplier = world, hold, supplier
        self._app = Starlette(
            routes=[Route(CONTROL, self.told, methods=["POST"]), Route(CONTROL, self.state, methods=["GET"])]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._app if scope["path"] == CONTROL else self._supplier)(scope, receive, send)

    async def state(self, request: Request) -> Response:
        return JSONResponse({"under_way": self._hold.under_way, "stopped": self._hold.stopped})

    async def told(self, request: Request) -> Response:
        """tickets: operation ids → how many. said: [id, key] each → texts. stop: what is stopped next.

        go: whether what was stopped is done all the same; if not, it never arrived.
        """
        asked, hold = orjson.loads(await request.body()), self._hold
        if "stop" in asked:
            hold.stops, hold.stopped = tuple(asked["stop"]), False
        if "go" in asked and hold.goes_on is not None:
            hold.goes_on.set_result(asked["go"])
        return JSONResponse(
            {
                "tickets": {one: await self._world.tickets(one) for one in asked.get("tickets", ())},
                "said": [
                    [said.body for said in await self._world.said(Ref(id=name, key=key))]
                    for name, key in asked.get("said", ())
                ],
            }
        )


class _Server(uvicorn.Server):
    """Tells where it listens, and of what vendors.toml is to say."""

    def __init__(self, world: World, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._world = world

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        world, at = self._world, f"http://{host}:{port}"
        for played in [one for one in played_in(world) if hasattr(one, "host")]:
            played.host = f"{host}:{port}"  # a signature is over it
        told = {
            "url": "" if isinstance(world, EmailWorld) else at + urlsplit(world.url).path,
            "zone": world.zone,
            "secret": world.secret,
            "config": world.config.model_dump(mode="json", exclude_defaults=True),
            "control": at + CONTROL,
        }
        print(orjson.dumps(told).decode(), flush=True)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(status_code=404)(scope, receive, send)  # it is spoken to by mail


async def serve(kind: str, seed: int, hold: float) -> None:
    holds, supplier = Hold(seed, hold), _nothing
    if kind == BY_MAIL:
        mail = HeldMail(holds)
        await mail.start()
        world: World = EmailWorld(mail)
    else:
        world = world_of(kind)
        (played,) = played_in(world)
        supplier = HeldApp(played.app, holds)
    app: Any = Control(world, holds, supplier)
    await _Server(world, quiet_server.config_of(app, quiet_server.Protocol, host="127.0.0.1", port=0)).serve()


if __name__ == "__main__":
    asyncio.run(serve(**orjson.loads(sys.argv[1])))
