"""Zammad as its documentation and its source have it, in memory, and the world that the rules see it as."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.systems.zammad import Zammad
from integrations.zammad.config import ZammadConfig
from register.incident import Priority
from register.marker import unsigned

TOKEN = "zammad-token-0123456789"
FIELD = "muster_ref"
STATES = ("new", "open", "pending reminder", "closed", "merged", "pending close")
PRIORITIES = ("1 low", "2 normal", "3 high")
US, LENA = 7, 3
LOGINS = {US: "muster@example.com", LENA: "lena@supplier.example"}
_KNOWN = {"title", "group", "customer_id", "priority", "state", "pending_time", FIELD}
"""What a ticket has; anything else is dropped without a word."""
_NAMED = {"state", "priority", "owner", "group", "type", "created_by"}
"""What is told by its name where `expand` is asked for, and elsewhere by its number alone."""


class PlayedZammad:
    """Tickets, articles and history by ticket. agent: whether our account is one, or a customer's."""

    def __init__(self) -> None:
        self.tickets: dict[int, dict[str, Any]] = {}
        self.articles: dict[int, list[dict[str, Any]]] = {}
        self.history: dict[int, list[dict[str, Any]]] = {}
        self.files: dict[int, bytes] = {}
        self.broken: set[int] = set()  # tickets whose articles it cannot read itself
        self.hidden: set[int] = set()  # tickets that are not for our account
        self.token, self.agent = TOKEN, True
        self._ticks = self._ids = 0
        api = "/api/v1"
        routes: tuple[tuple[str, Callable[[Request], Any], str], ...] = (
            ("/users/me", self.me, "GET"),
            ("/ticket_states", self.states, "GET"),
            ("/ticket_priorities", self.priorities, "GET"),
            ("/tickets/search", self.search, "GET"),
            ("/tickets", self.create, "POST"),
            ("/tickets/{id:int}", self.show, "GET"),
            ("/tickets/{id:int}", self.update, "PUT"),
            ("/ticket_articles", self.write, "POST"),
            ("/ticket_articles/by_ticket/{id:int}", self.by_ticket, "GET"),
            ("/ticket_history/{id:int}", self.story, "GET"),
            ("/ticket_attachment/{ticket}/{article}/{id:int}", self.file, "GET"),
        )
        self.app = Starlette(routes=[Route(api + p, self._signed(f), methods=[m]) for p, f, m in routes])

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def now(self) -> datetime:
        self._ticks += 1
        return datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(milliseconds=self._ticks)

    def wait(self, gap: timedelta) -> None:
        """Nothing happens for so long."""
        self._ticks += int(gap / timedelta(milliseconds=1))

    def bring(self, number: int, who: int, **told: Any) -> None:
        """An article that was imported: no line of history is written for one."""
        lines = list(self.history[number])
        self.say(number, who, **told)
        self.history[number] = lines

    def say(self, number: int, who: int, at: datetime | None = None, **told: Any) -> dict[str, Any]:
        """An article, which touches its ticket."""
        at = at or self.now()
        internal = bool(told.get("internal")) and (who != US or self.agent)
        article = {
            "id": self.next_id(),
            "ticket_id": number,
            "body": told["body"],
            "content_type": told.get("content_type", "text/plain"),
            "type": told.get("type", "note"),
            "internal": internal,
            "created_by_id": who,
            "created_by": LOGINS[who],
            "created_at": _stamp(at),
            "attachments": [self._kept(one) for one in told.get("attachments", ())],
        }
        self.articles[number].append(article)
        self.tickets[number]["updated_at"] = _stamp(at)
        about = {"object": "Ticket::Article", "o_id": article["id"], "related_o_id": number}
        self._line(number, who, _stamp(at), "created", **about, related_object="Ticket")
        return article

    def _kept(self, told: dict[str, Any]) -> dict[str, Any]:
        number, content = self.next_id(), base64.b64decode(told["data"], validate=True)
        self.files[number] = content
        return {"id": number, "filename": told["filename"], "size": str(len(content)), "preferences": {}}

    def set(self, number: int, who: int, **told: Any) -> None:
        """Change a ticket; what differs stands in its history."""
        ticket, at = self.tickets[number], _stamp(self.now())
        for name, value in told.items():
            if name not in _KNOWN or ticket.get(name) == value:
                continue
            self._line(
                number, who, at, "updated", attribute=name, value_to=value, value_from=ticket.get(name)
            )
            ticket |= {name: value, "updated_at": at}

    def _line(self, number: int, who: int, at: str, kind: str, **more: Any) -> None:
        line = {"id": self.next_id(), "type": kind, "object": "Ticket", "o_id": number, "created_by_id": who}
        self.history[number].append({**line, "created_at": at, **more})

    def make(self, who: int, told: dict[str, Any]) -> int:
        number, at = self.next_id(), _stamp(self.now())
        self.tickets[number] = {
            "id": number,
            "number": f"22{number:03d}",
            "state": "new",
            "priority": "2 normal",
            "owner": "-",
            "created_at": at,
            "updated_at": at,
            **{name: value for name, value in told.items() if name in _KNOWN},
        }
        self.articles[number], self.history[number] = [], []
        self._line(number, who, at, "created")
        self.say(number, who, **told["article"])
        return number

    def merge(self, number: int, into: int) -> None:
        """As Ticket#merge_to: the articles move, and their lines in the history do not.

        The line of the merge bears the time at which the ticket had changed before, not that of the merge.
        """
        self.articles[into] += [one | {"ticket_id": into} for one in self.articles[number]]
        self.articles[number] = []
        at = _stamp(self.now())
        told = {"id_from": number, "id_to": into}
        self._line(into, LENA, at, "received_merge", **told)
        self._line(number, LENA, self.tickets[number]["updated_at"], "merged_into", **told)
        self.say(number, LENA, body="merged")
        self.set(number, LENA, state="merged")
        self.tickets[into]["updated_at"] = _stamp(self.now())

    def _signed(self, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def signed(request: Request) -> Response:
            if request.headers.get("authorization") != f"Token token={self.token}":
                return JSONResponse({"error": "Invalid token", "error_human": "Invalid token"}, 401)
            if "ticket_history" in request.url.path and not self.agent:  # before it looks for the ticket
                return JSONResponse({"error": "Not authorized", "error_human": "Not authorized"}, 403)
            number = request.path_params.get("id")
            if number is not None and "attachment" not in request.url.path and number not in self.tickets:
                return JSONResponse({"error": f"Couldn't find Ticket with 'id'={number}"}, 404)
            if number in self.hidden:
                return JSONResponse({"error": "Not authorized", "error_human": "Not authorized"}, 403)
            answered: Response = await answer(request)
            return answered

        return signed

    async def me(self, request: Request) -> Response:
        return JSONResponse({"id": US, "login": LOGINS[US]})

    async def states(self, request: Request) -> Response:
        return JSONResponse([{"id": number, "name": name} for number, name in enumerate(STATES)])

    async def priorities(self, request: Request) -> Response:
        return JSONResponse([{"id": number, "name": name} for number, name in enumerate(PRIORITIES)])

    async def search(self, request: Request) -> Response:
        """By condition alone: a query would go to the search index."""
        asked = request.query_params
        assert "query" not in asked
        name = next(key for key in asked if key.endswith("[operator]")).split("[")[1].rstrip("]")
        how, value = asked[f"condition[{name}][operator]"], asked[f"condition[{name}][value]"]
        field = name.removeprefix("ticket.")
        if name == "article.body" and how == "contains":
            texts = (
                (one, article["body"])
                for number, one in self.tickets.items()
                for article in self.articles[number]
            )
            hits = {one["id"]: one for one, text in texts if value in text}
            return JSONResponse([self._shown(number) for number in hits])
        if field not in _KNOWN | {"updated_at"}:
            return JSONResponse({"error": f"PG::UndefinedColumn: column tickets.{field} does not exist"}, 422)
        fits = {
            "is": lambda one: str(one.get(field)).lower() == value.lower(),  # as MySQL compares
            "after (absolute)": lambda one: one[field] >= _stamp(datetime.fromisoformat(value)),
        }[how]
        rows = [one for one in self.tickets.values() if fits(one)]
        rows.sort(key=lambda one: one[asked["sort_by"]], reverse=asked["order_by"] == "desc")
        page, size = int(asked.get("page", 1)), min(int(asked.get("per_page", 50)), 200)
        return JSONResponse([self._shown(one["id"]) for one in rows[(page - 1) * size : page * size]])

    async def create(self, request: Request) -> Response:
        told = await request.json()
        if told.get("group") != "Support":
            return JSONResponse({"error": "Group can't be blank"}, 422)
        if fault := _fault(told):
            return _unprocessable(fault)
        return JSONResponse(self._shown(self.make(US, told)), 201)

    async def show(self, request: Request) -> Response:
        return JSONResponse(self._shown(request.path_params["id"]))

    async def update(self, request: Request) -> Response:
        number, told = request.path_params["id"], await request.json()
        state, till = told.get("state", self.tickets[number]["state"]), told.get("pending_time")
        if not state.startswith("pending"):
            told["pending_time"] = None
        elif not till and not self.tickets[number].get("pending_time"):
            return _unprocessable("Missing required value for field 'pending_time'!")
        if fault := _fault(told):
            return _unprocessable(fault)
        self.set(number, US, **told)
        if "article" in told:
            self.say(number, US, **told["article"])
        return JSONResponse(self._shown(number))

    async def write(self, request: Request) -> Response:
        told = await request.json()
        if told.get("ticket_id") not in self.tickets:
            return JSONResponse({"error": "Couldn't find Ticket"}, 404)
        return JSONResponse(self.say(told.pop("ticket_id"), US, **told), 201)

    def _shown(self, number: int) -> dict[str, Any]:
        """A ticket with all its articles' numbers, internal ones too (issue 5957 of Zammad's)."""
        return {**self.tickets[number], "article_ids": [one["id"] for one in self.articles[number]]}

    async def by_ticket(self, request: Request) -> Response:
        if request.path_params["id"] in self.broken:
            return _broken()
        seen = self.articles[request.path_params["id"]]
        return JSONResponse([one for one in seen if self.agent or not one["internal"]])

    async def story(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number in self.broken:
            return _broken()
        return JSONResponse({"history": self.history[number], "assets": self.assets(number)})

    def assets(self, number: int) -> dict[str, Any]:
        """What the lines of a ticket's history are about, as it is now and wherever that is."""
        lines = self.history[number]
        told = {line["o_id"] for line in lines if line["object"] == "Ticket::Article"}
        every = (one for articles in self.articles.values() for one in articles)
        assets: dict[str, dict[str, Any]] = {
            "User": {str(user): {"id": user, "login": login} for user, login in LOGINS.items()},
            "TicketArticle": {str(one["id"]): _by_number(one) for one in every if one["id"] in told},
        }
        if lines:
            assets["Ticket"] = {str(number): _by_number(self._shown(number))}
        return assets

    async def file(self, request: Request) -> Response:
        content = self.files.get(request.path_params["id"])
        return Response(status_code=404) if content is None else Response(content)


def _fault(told: dict[str, Any]) -> str:
    if told.get("state", "new") not in STATES or told.get("priority", "1 low") not in PRIORITIES:
        return "No lookup value found"
    return ""


def _by_number(told: dict[str, Any]) -> dict[str, Any]:
    """As assets have it (attributes_with_association_ids): no names of what has a number of its own."""
    return {name: value for name, value in told.items() if name not in _NAMED}


def _broken() -> Response:
    return JSONResponse({"error": "Error ID 1: Please contact your administrator."}, 500)


def _unprocessable(fault: str) -> Response:
    return JSONResponse({"error": fault, "error_human": fault}, 422)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ZammadWorld(World):
    """Zammad, reached in this process."""

    system: ClassVar[Any] = Zammad
    url = "https://desk.supplier.example"
    secret = TOKEN

    def __init__(self) -> None:
        self.played = PlayedZammad()
        levels = {1: "3 high", 2: "2 normal", 3: "2 normal", 4: "1 low", 5: "1 low"}
        told = {"group": "Support", "reference_field": FIELD, "internal_comments": True, "priorities": levels}
        self.config = ZammadConfig.model_validate(told)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    async def tickets(self, op_id: str) -> int:
        return sum(one.get(FIELD) == op_id for one in self.played.tickets.values())

    async def said(self, ref: Ref) -> list[Said]:
        return [Said(one["body"], not one["internal"]) for one in self.played.articles[int(ref.id)]]

    async def says(self, ref: Ref, text: str) -> None:
        self.played.say(int(ref.id), LENA, body=text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        self.played.set(int(ref.id), LENA, state=self.config.raw_state(to))

    async def files(self, ref: Ref) -> list[bytes]:
        articles = self.played.articles[int(ref.id)]
        return [self.played.files[one["id"]] for article in articles for one in article["attachments"]]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.played.say(int(ref.id), US, body=unsigned(text))

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.played.now()
        for number in range(count):
            self.played.say(int(ref.id), LENA, at, body=str(number))

    async def merges(self, ref: Ref) -> Ref:
        into = self.played.make(LENA, {"title": "Collected", "group": "Support", "article": {"body": "-"}})
        self.played.merge(int(ref.id), into)
        return Ref(id=str(into), key=f"#22{into:03d}")

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.played.set(int(ref.id), LENA, priority=self.config.priorities[to])

    async def expires(self) -> None:
        self.played.token = "another-token"
