"""GitHub's REST API of issues as its documentation describes it, in memory, and the world that the rules see.

Lists come in pages of at most 100 with a Link header. Labels of who may not push are dropped without a word,
a reason is ignored where nothing is closed, a pull request is an issue, and 404 hides what is not ours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.github.config import GitHubConfig
from integrations.systems.github import GitHub
from register.incident import Priority

TOKEN = "github_pat_sample"
US, LENA = "muster-bot", "lena"
REASONS = ("completed", "not_planned", "duplicate", "reopened")
CREATE = {"title", "body", "labels"}
PATCH = {"title", "body", "state", "state_reason", "labels"}


class PlayedGitHub:
    """Issues by number, each with its timeline. triage: whether our account may set labels and close."""

    def __init__(self) -> None:
        self.issues: dict[int, dict[str, Any]] = {}
        self.timelines: dict[int, list[dict[str, Any]]] = {}
        self.labels = ["bug", "question", "in progress", "P1", "P2", "P3", "P4", "P5"]
        self.token, self.triage, self.answers = TOKEN, True, list[Response]()
        self._ticks = self._ids = 0
        issue = "/repos/{owner}/{repo}/issues/{number:int}"
        routes = [
            ("/user", self.user, ["GET"]),
            ("/repos/{owner}/{repo}", self.repository, ["GET"]),
            ("/repos/{owner}/{repo}/labels", self.labels_of, ["GET"]),
            ("/repos/{owner}/{repo}/issues", self.listed, ["GET"]),
            ("/repos/{owner}/{repo}/issues", self.created, ["POST"]),
            (issue, self.one, ["GET"]),
            (issue, self.patched, ["PATCH"]),
            (f"{issue}/comments", self.comments, ["GET"]),
            (f"{issue}/comments", self.commented, ["POST"]),
            (f"{issue}/timeline", self.timeline, ["GET"]),
        ]
        self.app = Starlette(routes=[Route(at, self._signed(do), methods=how) for at, do, how in routes])

    def now(self) -> datetime:
        self._ticks += 1
        return datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(seconds=self._ticks)

    def event(
        self, number: int, kind: str, who: str, at: datetime | None = None, **more: Any
    ) -> dict[str, Any]:
        self._ids += 1
        told = _stamp(at or self.now())
        row = {"id": 9_000 + self._ids, "event": kind, "actor": {"login": who}, "created_at": told, **more}
        if kind == "commented":
            row["user"] = row["actor"]
        self.timelines[number].append(row)
        self.issues[number]["updated_at"] = told
        return row

    def make(self, title: str, body: str, who: str, labels: list[str]) -> dict[str, Any]:
        number, at = len(self.issues) + 1, self.now()
        self.issues[number] = {
            "id": 70_000 + number,
            "number": number,
            "title": title,
            "body": body,
            "user": {"login": who},
            "state": "open",
            "state_reason": None,
            "labels": [],
            "assignee": None,
            "locked": False,
            "html_url": f"https://github.example/acme/desk/issues/{number}",
            "created_at": _stamp(at),
            "updated_at": _stamp(at),
        }
        self.timelines[number] = []
        self.label(number, labels, who, at)
        return self.issues[number]

    def label(self, number: int, names: list[str], who: str, at: datetime | None = None) -> None:
        """Replace all labels."""
        issue, at = self.issues[number], at or self.now()
        before = [one["name"] for one in issue["labels"]]
        for name in before:
            if name not in names:
                self.event(number, "unlabeled", who, at, label={"name": name})
        for name in names:
            if name not in before:
                self.event(number, "labeled", who, at, label={"name": name})
        issue["labels"] = [{"name": name} for name in names]

    def set_state(self, number: int, to: str, reason: str | None, who: str) -> None:
        issue = self.issues[number]
        if to != issue["state"]:
            closed = to == "closed"
            issue["state_reason"] = (reason or "completed") if closed else "reopened"
            issue["state"] = to
            self.event(number, "closed" if closed else "reopened", who, state_reason=issue["state_reason"])

    def _signed(self, answer: Any) -> Any:
        async def signed(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self.token}":
                return JSONResponse({"message": "Bad credentials", "status": "401"}, 401)
            if not request.headers.get("user-agent"):
                return JSONResponse({"message": "Request forbidden by administrative rules"}, 403)
            if self.answers:
                return self.answers.pop(0)
            if (
                request.path_params.get("owner", "acme") != "acme"
                or request.path_params.get("repo") == "none"
            ):
                return _missing()
            number = request.path_params.get("number")
            if number is not None and number not in self.issues:
                return _missing()
            answered: Response = await answer(request)
            answered.headers["x-ratelimit-remaining"] = "4999"
            answered.headers["x-ratelimit-reset"] = str(int(datetime.now(UTC).timestamp()) + 3_000)
            return answered

        return signed

    def _paged(self, request: Request, rows: list[Any]) -> Response:
        asked = request.query_params
        size, page = min(int(asked.get("per_page", 30)), 100), int(asked.get("page", 1))
        answer = JSONResponse(rows[(page - 1) * size : page * size])
        if page * size < len(rows):
            answer.headers["link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
        return answer

    async def user(self, request: Request) -> Response:
        return JSONResponse({"login": US, "id": 1, "type": "User"})

    async def repository(self, request: Request) -> Response:
        rights = {"admin": False, "push": False, "triage": self.triage, "pull": True}
        return JSONResponse({"full_name": "acme/desk", "has_issues": True, "permissions": rights})

    async def labels_of(self, request: Request) -> Response:
        return self._paged(request, [{"name": name} for name in self.labels])

    async def listed(self, request: Request) -> Response:
        asked = request.query_params
        known = {"state", "creator", "sort", "direction", "since", "per_page", "page"}
        assert set(asked) <= known
        rows = list(self.issues.values())
        if asked.get("state", "open") != "all":
            rows = [one for one in rows if one["state"] == asked.get("state", "open")]
        if "creator" in asked:
            rows = [one for one in rows if one["user"]["login"] == asked["creator"]]
        if "since" in asked:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", asked["since"])
            rows = [one for one in rows if one["updated_at"] >= asked["since"]]
        by = {"created": "created_at", "updated": "updated_at"}[asked.get("sort", "created")]
        rows.sort(key=lambda one: (one[by], one["number"]), reverse=asked.get("direction", "desc") == "desc")
        return self._paged(request, rows)

    async def created(self, request: Request) -> Response:
        told = await request.json()
        if not isinstance(told, dict) or not told.get("title") or set(told) - CREATE:
            return _invalid()
        labels = told.get("labels", []) if self.triage else []
        return JSONResponse(self.make(told["title"], told["body"], US, labels), 201)

    async def one(self, request: Request) -> Response:
        return JSONResponse(self.issues[request.path_params["number"]])

    async def patched(self, request: Request) -> Response:
        told, number = await request.json(), request.path_params["number"]
        if set(told) - PATCH or told.get("state_reason", "completed") not in REASONS:
            return _invalid()
        if not self.triage and self.issues[number]["user"]["login"] != US:
            return JSONResponse({"message": "Must have admin rights to Repository."}, 403)
        if "labels" in told and self.triage:
            self.label(number, told["labels"], US)
        if "state" in told:
            self.set_state(number, told["state"], told.get("state_reason"), US)
        return JSONResponse(self.issues[number])

    async def comments(self, request: Request) -> Response:
        rows = self.timelines[request.path_params["number"]]
        return self._paged(request, [one for one in rows if one["event"] == "commented"])

    async def commented(self, request: Request) -> Response:
        told, number = await request.json(), request.path_params["number"]
        if set(told) != {"body"} or not told["body"]:
            return _invalid()
        if self.issues[number]["locked"]:
            return JSONResponse({"message": "Unable to create comment because issue is locked."}, 403)
        return JSONResponse(self.event(number, "commented", US, body=told["body"]), 201)

    async def timeline(self, request: Request) -> Response:
        return self._paged(request, self.timelines[request.path_params["number"]])


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _missing() -> Response:
    return JSONResponse({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, 404)


def _invalid() -> Response:
    return JSONResponse({"message": "Validation Failed", "errors": [{"field": "title"}]}, 422)


def shown(markdown: str) -> str:
    """What people read of our Markdown, which uses hard breaks, escapes, entities and fences."""
    text = re.sub(r"<!--.*?-->", "", markdown).rstrip()
    text = re.sub(r"^(`{3,})\n(.*?)\n\1$", lambda found: found[2], text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<(https?://[^>]*)>", r"\1", text.replace("  \n", "\n"))
    return unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


class GitHubWorld(World):
    """GitHub, reached in this process."""

    system: ClassVar[Any] = GitHub
    url = "https://api.github.example"
    secret = TOKEN

    def __init__(self) -> None:
        self.played = PlayedGitHub()
        self.config = GitHubConfig.model_validate(
            {
                "repository": "acme/desk",
                "states": {
                    "open": "new",
                    "in progress": "working",
                    "question": "waits_for_us",
                    "completed": "fixed",
                    "not_planned": "refused",
                },
            }
        )

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    async def tickets(self, op_id: str) -> int:
        return sum(f"[muster:{op_id}]" in one["body"] for one in self.played.issues.values())

    async def said(self, ref: Ref) -> list[Said]:
        rows = [one for one in self.played.timelines[int(ref.id)] if one["event"] == "commented"]
        first = Said(shown(self.played.issues[int(ref.id)]["body"]))
        return [first, *(Said(shown(one["body"])) for one in rows)]

    async def says(self, ref: Ref, text: str) -> None:
        self.played.event(int(ref.id), "commented", LENA, body=text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        number, raw = int(ref.id), str(self.config.raw_state(to))
        if raw in REASONS:
            self.played.set_state(number, "closed", raw, LENA)
        else:
            kept = [one["name"] for one in self.played.issues[number]["labels"]]
            self.played.label(number, [*kept, raw], LENA)

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.played.event(int(ref.id), "commented", US, body=text)

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.played.now()
        for number in range(count):
            self.played.event(int(ref.id), "commented", LENA, at, body=str(number))

    async def urges(self, ref: Ref, to: Priority) -> None:
        number = int(ref.id)
        kept = [one["name"] for one in self.played.issues[number]["labels"] if one["name"][0] != "P"]
        self.played.label(number, [*kept, f"P{to.value}"], LENA)

    async def expires(self) -> None:
        self.played.token = "another"
