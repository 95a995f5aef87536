"""GitLab's REST API of issues as its documentation and its source describe it, in memory, below a sub-path.

A note moves the time of its issue once a minute at most. A line that begins with a slash is carried out and
taken away, in code too: what GitLab takes for code can be fooled, so none of it is believed here. Labels, and
that a note is internal, are dropped without a word where our role is too low. 404 hides what is not ours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import HTTP
from html import unescape
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.gitlab.config import CLOSED, OPENED, GitLabConfig
from integrations.systems.gitlab import GitLab
from register.incident import Priority

TOKEN = "glpat-sample"
US, LENA = {"id": 7, "username": "muster-bot"}, {"id": 8, "username": "lena"}
HOME, OTHER, HIDDEN = "acme/support/desk", "acme/backlog", "acme/secret"
GUEST, PLANNER = 10, 15
CREATE = {"title", "description", "labels", "issue_type", "confidential"}
UPDATE = {"title", "description", "state_event", "add_labels", "remove_labels", "labels", "confidential"}
NOTE = {"body", "internal", "confidential", "created_at"}
LIST = {
    "author_id",
    "scope",
    "state",
    "order_by",
    "sort",
    "updated_after",
    "created_after",
    "per_page",
    "page",
}
MINUTE = timedelta(minutes=1)
COMMAND = re.compile(r"^/(\w+)(?: ([^\n]*))?(?:\s*\n|$)", re.MULTILINE)
FILE = re.compile(r"\[[^\]]*\]\(/uploads/([0-9a-f]{32})/([^)]+)\)")
Issue = dict[str, Any]


class PlayedGitLab:
    """Issues by project and number, with what happened on each. level: our role. carried_out: quick actions.
    rows: how many issues each list had.

    old: a GitLab before 15.5, which knows `confidential` notes and no `internal` ones.
    """

    def __init__(self) -> None:
        self.issues: dict[tuple[str, int], Issue] = {}
        self.notes: dict[tuple[str, int], list[dict[str, Any]]] = {}
        self.events: dict[tuple[str, int], list[tuple[str, dict[str, Any]]]] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.labels = ["bug", "Doing", "Waiting", "wontfix", "P1", "P2", "P3", "P4", "P5"]
        self.token, self.level, self.old, self.archived = TOKEN, PLANNER, False, False
        self.projects = {HOME, OTHER}
        self.answers: list[Response] = []
        self.carried_out: list[str] = []
        self.rows: list[int] = []
        self.clock = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self._ids = 0
        issue = "/projects/{project}/issues/{number:int}"
        routes = [
            ("/user", self.user, ["GET"]),
            ("/projects/{project}", self.project, ["GET"]),
            ("/projects/{project}/labels", self.labels_of, ["GET"]),
            ("/projects/{project}/issues", self.listed, ["GET"]),
            ("/projects/{project}/issues", self.created, ["POST"]),
            ("/projects/{project}/uploads", self.uploaded, ["POST"]),
            ("/projects/{project}/uploads/{secret}/{name}", self.upload, ["GET"]),
            (issue, self.one, ["GET"]),
            (issue, self.updated, ["PUT"]),
            (f"{issue}/notes", self.notes_of, ["GET"]),
            (f"{issue}/notes", self.noted, ["POST"]),
            (f"{issue}/notes/{{note:int}}", self.unnoted, ["DELETE"]),
            (f"{issue}/resource_state_events", self.events_of("state"), ["GET"]),
            (f"{issue}/resource_label_events", self.events_of("label"), ["GET"]),
        ]
        api = [Route(at, self._signed(do), methods=how) for at, do, how in routes]
        self._api = Starlette(routes=[Mount("/gitlab/api/v4", routes=api)])

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """A project's path stays one part of the address: its slashes are written %2F."""
        if scope["type"] == "http":
            scope = scope | {"path": scope["raw_path"].decode("ascii")}
        await self._api(scope, receive, send)

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1, microseconds=1_500)
        return self.clock

    def id(self) -> int:
        self._ids += 1
        return 9_000 + self._ids

    def make(self, project: str, title: str, body: str, who: dict[str, Any], labels: list[str]) -> Issue:
        number, at = 1 + sum(one == project for one, _ in self.issues), self.now()
        key = (project, number)
        self.notes[key], self.events[key] = [], []
        issue = self.issues[key] = {
            "id": 70_000 + self.id(),
            "iid": number,
            "title": title,
            "description": self.quick(key, body),
            "author": who,
            "state": OPENED,
            "labels": [],
            "assignees": [],
            "confidential": False,
            "discussion_locked": None,
            "issue_type": "issue",
            "moved_to_id": None,
            "user_notes_count": 0,
            "web_url": f"https://git.acme.example/gitlab/{project}/-/issues/{number}",
            "created_at": at,
            "updated_at": at,
            "closed_at": None,
        }
        self.label(key, labels, [], who, at)
        return issue

    def touch(self, key: tuple[str, int], at: datetime) -> None:
        issue = self.issues[key]
        if at - issue["updated_at"] > MINUTE:
            issue["updated_at"] = at

    def quick(self, key: tuple[str, int], text: str) -> str:
        """Carry quick actions out, as they are found in the text; what is left of it."""
        text = text.replace("\r", "")
        self.carried_out += [found[0].strip() for found in COMMAND.finditer(text)]
        return COMMAND.sub("", text).rstrip()

    def note(
        self,
        key: tuple[str, int],
        body: str,
        who: dict[str, Any],
        at: datetime | None = None,
        *,
        internal: bool = False,
        system: bool = False,
    ) -> dict[str, Any]:
        at = at or self.now()
        names = ("confidential",) if self.old else ("confidential", "internal")
        told = {"id": self.id(), "body": body, "author": who, "created_at": at, "system": system}
        row = told | dict.fromkeys(names, internal)
        self.notes[key].append(row)
        self.issues[key]["user_notes_count"] += not system
        self.touch(key, at)
        return row

    def label(
        self,
        key: tuple[str, int],
        add: list[str],
        remove: list[str],
        who: dict[str, Any],
        at: datetime | None = None,
    ) -> None:
        """Added ones are written down first, all in one instant (change_labels_service.rb)."""
        issue, at = self.issues[key], at or self.now()
        added = [one for one in dict.fromkeys(add) if one not in issue["labels"]]
        removed = [one for one in dict.fromkeys(remove) if one in issue["labels"]]
        for action, names in (("add", added), ("remove", removed)):
            for name in names:
                row = {"id": self.id(), "user": who, "created_at": at, "label": {"name": name}}
                self.events[key].append(("label", row | {"action": action}))
        issue["labels"] = sorted({*issue["labels"], *added} - set(removed))
        if added or removed:
            self.touch(key, at)

    def set_state(self, key: tuple[str, int], closes: bool, who: dict[str, Any]) -> None:
        issue, at = self.issues[key], self.now()
        if closes is (issue["state"] == CLOSED):
            return
        issue |= {
            "state": CLOSED if closes else OPENED,
            "closed_at": at if closes else None,
            "updated_at": at,
        }
        told = "closed" if closes else "reopened"
        row = {"id": self.id(), "user": who, "created_at": at, "state": told}
        self.events[key].append(("state", row))

    def move(self, key: tuple[str, int], to: str) -> Issue:
        """By its issues/move_service.rb: notes are copied, the old one is closed without an event."""
        old = self.issues[key]
        new = self.make(to, old["title"], old["description"], old["author"], old["labels"])
        there = (to, new["iid"])
        for note in self.notes[key]:
            self.notes[there].append(note | {"id": self.id()})
        new["user_notes_count"] = old["user_notes_count"]
        self.note(there, f"moved from {key[0]}#{key[1]}", LENA, system=True)
        self.note(key, f"moved to {to}#{new['iid']}", LENA, system=True)
        at = self.now()
        old |= {"state": CLOSED, "closed_at": at, "updated_at": at, "moved_to_id": new["id"]}
        return new

    def _signed(self, answer: Any) -> Any:
        async def signed(request: Request) -> Response:
            if request.headers.get("private-token") != self.token:
                return JSONResponse({"message": "401 Unauthorized"}, 401)
            if self.answers:
                return self.answers.pop(0)
            project, number = request.path_params.get("project"), request.path_params.get("number")
            if project is not None:
                project = request.path_params["project"] = unquote(project)
                if project not in self.projects:
                    return _missing("Project")
            if number is not None and (project, number) not in self.issues:
                return _missing("Issue")
            request.scope["key"] = (project, number)
            if self.archived and request.method != "GET":
                return JSONResponse({"message": "403 Forbidden"}, 403)
            answered: Response = await answer(request)
            answered.headers["ratelimit-remaining"] = "1999"
            answered.headers["ratelimit-reset"] = str(int(datetime.now(UTC).timestamp()) + 50)
            return answered

        return signed

    def _paged(self, request: Request, rows: list[Any]) -> Response:
        asked = request.query_params
        size, page = min(int(asked.get("per_page", 20)), 100), int(asked.get("page", 1))
        answer = _json(rows[(page - 1) * size : page * size])
        if page * size < len(rows):
            answer.headers["link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
        return answer

    async def user(self, request: Request) -> Response:
        return JSONResponse({**US, "name": "Muster", "state": "active"})

    async def project(self, request: Request) -> Response:
        access = {"project_access": {"access_level": self.level}, "group_access": None}
        told = {"path_with_namespace": request.path_params["project"], "issues_enabled": True}
        more = {"archived": self.archived, "visibility": "private", "permissions": access}
        return JSONResponse({**told, **more})

    async def labels_of(self, request: Request) -> Response:
        return self._paged(request, [{"name": name} for name in self.labels])

    async def listed(self, request: Request) -> Response:
        asked = request.query_params
        assert set(asked) <= LIST
        assert asked.get("scope") == "all"
        rows = [one for (project, _), one in self.issues.items() if project == request.path_params["project"]]
        if "author_id" in asked:
            rows = [one for one in rows if one["author"]["id"] == int(asked["author_id"])]
        for name, key in (("updated_after", "updated_at"), ("created_after", "created_at")):
            if name in asked:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", asked[name])
                rows = [one for one in rows if one[key] >= datetime.fromisoformat(asked[name])]
        by = asked.get("order_by", "created_at")
        rows.sort(key=lambda one: (one[by], one["id"]), reverse=asked.get("sort", "desc") == "desc")
        self.rows.append(len(rows))
        return self._paged(request, rows)

    async def created(self, request: Request) -> Response:
        told = await request.json()
        if not isinstance(told, dict) or not told.get("title"):
            return JSONResponse({"error": "title is missing"}, 400)
        assert set(told) <= CREATE
        labels = [one for one in told.get("labels", "").split(",") if one] if self.level >= PLANNER else []
        issue = self.make(request.path_params["project"], told["title"], told["description"], US, labels)
        issue |= {name: told[name] for name in ("confidential", "issue_type") if name in told}
        return _json(issue, 201)

    async def one(self, request: Request) -> Response:
        return _json(self.issues[request.scope["key"]])

    async def updated(self, request: Request) -> Response:
        told, key = await request.json(), request.scope["key"]
        if not told:
            return JSONResponse({"error": "title, description, … are missing, at least one is required"}, 400)
        assert set(told) <= UPDATE
        if event := told.get("state_event"):
            if event not in ("close", "reopen"):
                return JSONResponse({"error": "state_event does not have a valid value"}, 400)
            self.set_state(key, event == "close", US)
        if self.level >= PLANNER:
            add, remove = (told.get(name, "").split(",") for name in ("add_labels", "remove_labels"))
            self.label(key, [one for one in add if one], remove, US)
        return _json(self.issues[key])

    async def notes_of(self, request: Request) -> Response:
        assert request.query_params.get("sort") == "asc"
        rows = sorted(self.notes[request.scope["key"]], key=lambda one: (one["created_at"], one["id"]))
        return self._paged(request, rows)

    async def noted(self, request: Request) -> Response:
        told, key = await request.json(), request.scope["key"]
        if not told.get("body"):
            return JSONResponse({"error": "body is missing"}, 400)
        assert set(told) <= NOTE
        if self.issues[key]["discussion_locked"]:
            return JSONResponse({"message": "403 Forbidden"}, 403)
        body = self.quick(key, told["body"])
        if not body:
            return JSONResponse({"commands_changes": {}, "summary": ["Closed this issue."]}, 202)
        flags = ("confidential",) if self.old else ("internal", "confidential")
        internal = self.level >= PLANNER and any(told.get(name) for name in flags)
        return _json(self.note(key, body, US, internal=internal), 201)

    async def unnoted(self, request: Request) -> Response:
        key, number = request.scope["key"], request.path_params["note"]
        self.notes[key] = [one for one in self.notes[key] if one["id"] != number]
        self.issues[key]["user_notes_count"] -= 1
        return Response(status_code=204)

    def events_of(self, kind: str) -> Any:
        async def events(request: Request) -> Response:
            rows = [row for what, row in self.events[request.scope["key"]] if what == kind]
            return self._paged(request, rows)

        return events

    async def uploaded(self, request: Request) -> Response:
        head = f"Content-Type: {request.headers['content-type']}\n\n".encode()
        parts = message_from_bytes(head + await request.body(), policy=HTTP).get_payload()
        (file,) = [one for one in parts if one.get_param("name", header="content-disposition") == "file"]
        secret, name = f"{self.id():032x}", re.sub(r"[^\w.-]", "_", file.get_filename() or "")
        self.uploads[secret] = (name, file.get_payload(decode=True))
        url = f"/uploads/{secret}/{name}"
        return JSONResponse({"id": self.id(), "alt": name, "url": url, "markdown": f"[{name}]({url})"}, 201)

    async def upload(self, request: Request) -> Response:
        name, content = self.uploads.get(request.path_params["secret"], ("", b""))
        if name != unquote(request.path_params["name"]):
            return _missing("Upload")
        return Response(content, media_type="application/octet-stream")


def _json(told: Any, status: int = 200) -> Response:
    return JSONResponse(_told(told), status)


def _told(value: Any) -> Any:
    """Times to the millisecond, as GitLab tells them: it keeps them finer."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items()}
    return [_told(one) for one in value] if isinstance(value, list) else value


def _missing(what: str) -> Response:
    return JSONResponse({"message": f"404 {what} Not Found"}, 404)


def shown(markdown: str) -> str:
    """What people read of our Markdown, which uses hard breaks, escapes, entities, fences and <pre>."""
    text = re.sub(r"<!--.*?-->", "", markdown).rstrip()
    text = re.sub(r"^(`{3,})\n(.*?)\n\1$", lambda found: found[2], text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"</?(?:pre|code)>", "", text)
    text = re.sub(r"<(https?://[^>]*)>", r"\1", text.replace("  \n", "\n"))
    return unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


class GitLabWorld(World):
    """GitLab, reached in this process. also: a second project that is listened to."""

    system: ClassVar[Any] = GitLab
    url = "https://git.acme.example/gitlab"
    secret = TOKEN

    def __init__(self, also: str = OTHER) -> None:
        self.played = PlayedGitLab()
        self.config = GitLabConfig.model_validate(
            {
                "project": HOME,
                "also": [also] if also else [],
                "internal_comments": True,
                "states": {
                    "opened": "new",
                    "Doing": "working",
                    "Waiting": "waits_for_us",
                    "closed": "fixed",
                    "wontfix": "refused",
                },
            }
        )

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    @staticmethod
    def key(ref: Ref) -> tuple[str, int]:
        project, _, number = ref.id.rpartition("#")
        return project or HOME, int(number)

    async def tickets(self, op_id: str) -> int:
        return sum(f"[muster:{op_id}]" in one["description"] for one in self.played.issues.values())

    async def said(self, ref: Ref) -> list[Said]:
        key = self.key(ref)
        rows = [one for one in self.played.notes[key] if not one["system"]]
        first = Said(shown(self.played.issues[key]["description"]))
        return [first, *(Said(shown(one["body"]), not one["confidential"]) for one in rows)]

    async def files(self, ref: Ref) -> list[bytes]:
        rows = self.played.notes[self.key(ref)]
        found = [file for one in rows for file in FILE.findall(one["body"])]
        return [self.played.uploads[secret][1] for secret, _ in found]

    async def says(self, ref: Ref, text: str) -> None:
        self.played.note(self.key(ref), text, LENA)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        key, raw = self.key(ref), str(self.config.raw_state(to))
        if raw in (OPENED, CLOSED):
            self.played.set_state(key, raw == CLOSED, LENA)
        else:
            self.played.label(key, [raw], [], LENA)

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.played.note(self.key(ref), text, US)

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.played.now()
        for number in range(count):
            self.played.note(self.key(ref), str(number), LENA, at)

    async def merges(self, ref: Ref) -> Ref:
        new = self.played.move(self.key(ref), OTHER)
        return Ref(id=f"{OTHER}#{new['iid']}", key=f"{OTHER}#{new['iid']}", url=new["web_url"])

    async def urges(self, ref: Ref, to: Priority) -> None:
        ranks = [f"P{one.value}" for one in Priority]
        self.played.label(
            self.key(ref), [f"P{to.value}"], [one for one in ranks if one[1:] != str(to.value)], LENA
        )

    async def expires(self) -> None:
        self.played.token = "another"
