"""Jira as its documentation describes it, in memory: Cloud's v3, Data Center's v2, and a service desk.

It keeps to what developer.atlassian.com says: texts are documents in v3, a search goes on by tokens and lies
behind, transitions have screens, a field that is on no screen is refused, uploads need X-Atlassian-Token.
Its clock is its own, and goes on by what happens; so does the lag of its index.
"""

from __future__ import annotations

import base64
import email.policy
from collections.abc import Awaitable, Callable
from email.parser import BytesParser
from email.utils import format_datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.markup.adf import adf_of
from integrations.markup.wiki import text_of_jira
from tests.played.jira_files import file_routes
from tests.played.jira_site import (
    LIMIT,
    OPTION,
    PRIORITIES,
    SCREEN,
    STATUSES,
    TOKEN,
    USER,
    WE,
    Json,
    Refused,
    Site,
    holds,
    is_document,
    ranked,
)

Handler = Callable[[Request], Awaitable[Response]]


class PlayedJira(Site):
    """A site: issues, what was said on them, their changes, and an index that lies behind."""

    def __init__(self, *, cloud: bool = True) -> None:
        self.api = "/rest/api/3" if cloud else "/rest/api/2"
        super().__init__(cloud=cloud)
        a, d = self.api, "/rest/servicedeskapi"
        search = f"{a}/search/jql" if cloud else f"{a}/search"
        self.app = Starlette(
            routes=[
                self._route(f"{a}/myself", self.myself, "GET"),
                self._route(f"{a}/mypermissions", self.rights, "GET"),
                self._route(f"{a}/priority", self.priorities, "GET"),
                self._route(f"{a}/project/{{key}}/statuses", self.statuses, "GET"),
                self._route(search, self.search, "GET", anybody=True),
                self._route(search, self.search, "POST", anybody=True),
                self._route(f"{a}/issue", self.create, "POST"),
                self._route(f"{a}/issue/{{id}}", self.show, "GET"),
                self._route(f"{a}/issue/{{id}}", self.edit, "PUT"),
                self._route(f"{a}/issue/{{id}}/comment", self.comments, "GET"),
                self._route(f"{a}/issue/{{id}}/comment", self.comment, "POST"),
                self._route(f"{a}/issue/{{id}}/changelog", self.changelog, "GET"),
                self._route(f"{a}/issue/{{id}}/transitions", self.steps, "GET"),
                self._route(f"{a}/issue/{{id}}/transitions", self.step, "POST"),
                self._route(f"{a}/issue/{{id}}/attachments", self.attach, "POST"),
                *file_routes(self, a, self._route),
                self._route(f"{d}/servicedesk/{{desk}}/requesttype/{{kind}}/field", self.fields, "GET"),
                self._route(f"{d}/request", self.request, "POST"),
                self._route(f"{d}/request/{{id}}/comment", self.reply, "POST"),
            ]
        )

    # What is asked of it

    def _route(self, path: str, handler: Handler, method: str, *, anybody: bool = False) -> Route:
        async def guarded(request: Request) -> Response:
            self.tick()
            known = self.knows(request)
            if not known and not anybody:
                answer: Response = JSONResponse({"message": "Client must be authenticated"}, 401)
            else:
                try:
                    answer = await handler(request)
                except Refused as refused:
                    answer = JSONResponse(refused.told, refused.status)
            answer.headers["Date"] = format_datetime(self.now, usegmt=True)
            if known:
                answer.headers["X-AACCOUNTID" if self.cloud else "X-AUSERNAME"] = WE
            elif not self.cloud:
                answer.headers["X-AUSERNAME"] = "anonymous"
            return answer

        return Route(path, guarded, methods=[method])

    def knows(self, request: Request) -> bool:
        pair = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        wanted = f"Basic {pair}" if self.cloud else f"Bearer {TOKEN}"
        return self.known and request.headers.get("authorization") == wanted

    def _of(self, request: Request) -> Json:
        asked = request.path_params["id"]
        for issue in self.issues.values():
            if asked in (issue["id"], issue["key"]):
                return issue
        raise Refused(404, "Issue does not exist or you do not have permission to see it.")

    async def myself(self, request: Request) -> Response:
        return JSONResponse(self.person(WE))

    async def rights(self, request: Request) -> Response:
        if self.cloud and "permissions" not in request.query_params:
            raise Refused(400, "The 'permissions' query parameter is required.")
        names = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "EDIT_ISSUES")
        rights = {name: {"havePermission": True} for name in (*names, "CREATE_ATTACHMENTS")}
        return JSONResponse({"permissions": rights})

    async def priorities(self, request: Request) -> Response:
        return JSONResponse([ranked(name) for name in PRIORITIES])

    async def statuses(self, request: Request) -> Response:
        return JSONResponse([{"name": "Task", "statuses": [self.status(one) for one in STATUSES]}])

    async def search(self, request: Request) -> Response:
        """Nobody is refused: whoever is not known sees what everybody may see, which is nothing."""
        asked = orjson.loads(await request.body()) if request.method == "POST" else dict(request.query_params)
        if self.cloud and set(asked) - {
            "jql",
            "maxResults",
            "fields",
            "nextPageToken",
            "properties",
            "expand",
        }:
            raise Refused(400, "Invalid request payload.")
        if not self.cloud and "properties" in asked:
            raise Refused(400, "Unrecognized field properties")
        if not self.knows(request):
            return JSONResponse(
                {"issues": [], "isLast": True} if self.cloud else {"issues": [], "total": 0, "startAt": 0}
            )
        if self.hurry:
            self.now += self.lag
        clause, _, order = str(asked["jql"]).partition(" ORDER BY ")
        if self.cloud and not clause.strip():
            raise Refused(400, "Unbounded JQL queries are not allowed here.")
        rows = [one for one in self._indexed() if holds(clause.strip(), one)]
        by = "updated" if order.startswith("updated") else "created"
        rows.sort(key=lambda one: (one["updated"] if by == "updated" else int(one["id"]), one["key"]))
        size = min(int(asked.get("maxResults", 50)), 100)
        first = (
            int(base64.b64decode(asked["nextPageToken"]))
            if asked.get("nextPageToken")
            else int(asked.get("startAt", 0))
        )
        page, fields = rows[first : first + size], asked.get("fields") or []
        fields = fields.split(",") if isinstance(fields, str) else fields
        told: Json = {"issues": [self._row(one["id"], fields, asked.get("properties")) for one in page]}
        if not self.cloud:
            return JSONResponse(told | {"startAt": first, "maxResults": size, "total": len(rows)})
        if first + size < len(rows):
            told["nextPageToken"] = base64.b64encode(str(first + size).encode()).decode()
        return JSONResponse(told | {"isLast": first + size >= len(rows)})

    def _indexed(self) -> list[Json]:
        """Each issue as the index has it: as it was a lag ago, or not at all."""
        found = []
        for number, versions in self.index.items():
            seen = [kept for at, kept in versions if at <= self.now - self.lag]
            if seen:
                found.append({**seen[-1], "id": number})
        return found

    def _row(self, number: str, fields: list[str], properties: Any) -> Json:
        issue = self.issues[number]
        told: Json = {"id": number}
        if not self.cloud or fields:
            told |= {"key": issue["key"], "self": f"https://acme.atlassian.net{self.api}/issue/{number}"}
            told["fields"] = {name: issue["fields"][name] for name in fields}
        if properties:
            told["properties"] = issue["properties"]
        return told

    async def create(self, request: Request) -> Response:
        told = orjson.loads(await request.body())
        fields = told["fields"]
        self._fit(fields, SCREEN)
        for name in ("project", "issuetype", "summary"):
            if not fields.get(name):
                raise Refused(**{name: f"{name} is required."})
        self._worded(fields.get("description"), "description")
        more = {name: fields[name] for name in ("labels", OPTION) if name in fields}
        if "priority" in fields:
            more["priority"] = ranked(fields["priority"]["name"])
        issue = self.made(WE, fields["project"]["key"], fields["summary"], fields.get("description"), **more)
        issue["properties"] = {one["key"]: one["value"] for one in told.get("properties", ())}
        return JSONResponse({"id": issue["id"], "key": issue["key"], "self": ""}, 201)

    def _fit(self, fields: Json, screen: set[str]) -> None:
        strange = sorted(set(fields) - (screen - self.without))
        if strange:
            says = "cannot be set. It is not on the appropriate screen."
            raise Refused(**{name: f"Field '{name}' {says}" for name in strange})
        if any(" " in label for label in fields.get("labels", ())):
            raise Refused(labels="The label contains spaces which is invalid.")
        if OPTION in fields and not isinstance(fields[OPTION], dict):
            raise Refused(**{OPTION: "Specify a valid 'id' or 'name' for this field"})
        if "priority" in fields and fields["priority"].get("name") not in PRIORITIES:
            raise Refused(priority="Specify the Priority (name) in string format")

    def _worded(self, body: Any, field: str) -> None:
        if self.cloud and not is_document(body):
            raise Refused(
                **{field: "Operation value must be an Atlassian Document (see the Atlassian Document Format)"}
            )
        if not self.cloud and not isinstance(body, str):
            raise Refused(**{field: "Operation value must be a string"})
        if len(self.read(body) if self.cloud else body) > LIMIT:
            raise Refused(
                **{field: "The entered text is too long. It exceeds the allowed limit of 32,767 characters."}
            )

    async def show(self, request: Request) -> Response:
        issue, asked = self._of(request), request.query_params
        wanted = asked.get("fields", "").split(",")
        fields = {name: value for name, value in issue["fields"].items() if name in wanted}
        if "comment" in wanted:
            given, total = issue["comments"][: self.comes_along], len(issue["comments"])
            fields["comment"] = {"comments": given, "total": total, "maxResults": len(given), "startAt": 0}
        told = {"id": issue["id"], "key": issue["key"], "fields": fields}
        if "changelog" in asked.get("expand", ""):
            newest = issue["histories"][::-1][: self.comes_along]
            told["changelog"] = {
                "histories": newest,
                "total": len(issue["histories"]),
                "maxResults": len(newest),
            }
        return JSONResponse(told)

    async def edit(self, request: Request) -> Response:
        issue, told = self._of(request), orjson.loads(await request.body())
        self._fit(told["fields"], SCREEN)
        name = told["fields"].get("priority", {}).get("name")
        if name is not None and name != issue["fields"]["priority"]["name"]:
            self.ranks(issue, WE, name)
        if OPTION in told["fields"]:
            issue["fields"][OPTION] = told["fields"][OPTION]
        return Response(status_code=204)

    async def comments(self, request: Request) -> Response:
        issue, asked = self._of(request), request.query_params
        rows = issue["comments"][::-1] if asked.get("orderBy") == "-created" else issue["comments"]
        first, size = int(asked.get("startAt", 0)), min(int(asked.get("maxResults", 100)), 100)
        return JSONResponse(
            {"comments": rows[first : first + size], "total": len(rows), "startAt": first, "maxResults": size}
        )

    async def comment(self, request: Request) -> Response:
        issue, told = self._of(request), orjson.loads(await request.body())
        self._worded(told["body"], "comment")
        more = {"visibility": told["visibility"]} if "visibility" in told else {}
        return JSONResponse(self.says(issue, WE, told["body"], **more), 201)

    async def changelog(self, request: Request) -> Response:
        issue, asked = self._of(request), request.query_params
        first, size = int(asked.get("startAt", 0)), min(int(asked.get("maxResults", 100)), 100)
        rows = issue["histories"]
        return JSONResponse(
            {"values": rows[first : first + size], "total": len(rows), "isLast": first + size >= len(rows)}
        )

    def _steps(self, issue: Json) -> list[Json]:
        now = issue["fields"]["status"]["id"]
        there = [one for one in STATUSES if one != now and STATUSES[one][0] not in self.blocked]
        return [
            {
                "id": f"{one}1",
                "name": f"Set {STATUSES[one][0]}",
                "to": self.status(one),
                "fields": self._screen() if one == "5" and self.screen else {},
            }
            for one in there
        ]

    def _screen(self) -> Json:
        values = [{"id": "1", "name": "Fixed"}, {"id": "2", "name": "Won't Do"}]
        resolution = {
            "required": "resolution" in self.required,
            "name": "Resolution",
            "hasDefaultValue": False,
            "schema": {"type": "resolution", "system": "resolution"},
            "allowedValues": values,
            "operations": ["set"],
        }
        comment = {
            "required": False,
            "name": "Comment",
            "schema": {"type": "comments-page"},
            "operations": ["add"],
        }
        return {"resolution": resolution, "comment": comment}

    async def steps(self, request: Request) -> Response:
        rows = self._steps(self._of(request))
        if "transitions.fields" not in request.query_params.get("expand", ""):
            rows = [{name: value for name, value in one.items() if name != "fields"} for one in rows]
        return JSONResponse({"transitions": rows})

    async def step(self, request: Request) -> Response:
        issue, told = self._of(request), orjson.loads(await request.body())
        number = told["transition"]["id"]
        if not isinstance(number, str):
            raise Refused(400, "Can not deserialize transition.id")
        step = next((one for one in self._steps(issue) if one["id"] == number), None)
        if step is None:
            raise Refused(
                400, "It seems that you have tried to perform a workflow operation that is not valid."
            )
        fields = told.get("fields", {})
        for name in fields:
            if name not in step["fields"]:
                raise Refused(**{name: f"Field '{name}' cannot be set. It is not on the appropriate screen."})
        for name, screen in step["fields"].items():
            if screen["required"] and name not in fields:
                raise Refused(**{name: f"{screen['name']} is required."})
        for one in told.get("update", {}).get("comment", ()) if "comment" in step["fields"] else ():
            self._worded(one["add"]["body"], "comment")
            self.says(issue, WE, one["add"]["body"])
        self.sets(issue, WE, number[:-1])
        if self.rule is not None:
            self.rule(issue)
        return Response(status_code=204)

    async def attach(self, request: Request) -> Response:
        issue = self._of(request)
        if request.headers.get("x-atlassian-token") != "no-check":
            return Response("XSRF check failed", 403)
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        form = BytesParser(policy=email.policy.HTTP).parsebytes(head + await request.body())
        made = []
        for part in form.iter_parts():
            if part.get_param("name", header="content-disposition") != "file":
                raise Refused(400, "No file named 'file'")
            number, content = self.number(), part.get_payload(decode=True)
            assert isinstance(content, bytes)
            self.files[number] = content
            file = {"id": number, "filename": part.get_filename(), "size": len(content)}
            issue["fields"]["attachment"].append(file)
            change = {"field": "Attachment", "from": None, "fromString": None, "to": number}
            self.changes(issue, WE, change | {"toString": part.get_filename()})
            made.append(file)
        return JSONResponse(made)

    # The service desk

    async def fields(self, request: Request) -> Response:
        rows = [{"fieldId": one, "name": one.title(), "required": one != "priority"} for one in self.form]
        return JSONResponse({"requestTypeFields": rows, "canRaiseOnBehalfOf": False})

    async def request(self, request: Request) -> Response:
        told = orjson.loads(await request.body())
        if set(told) - {"serviceDeskId", "requestTypeId", "requestFieldValues"}:
            raise Refused(400, "Unrecognized field")
        values = told["requestFieldValues"]
        self._fit(values, set(self.form))
        if not isinstance(values["description"], str):
            raise Refused(description="Operation value must be a string")
        if len(values["description"]) > LIMIT:
            raise Refused(description="The entered text is too long.")
        more = {"priority": ranked(values["priority"]["name"])} if "priority" in values else {}
        issue = self.made(WE, "OPS", values["summary"], self._wiki(values["description"]), **more)
        return JSONResponse({"issueId": issue["id"], "issueKey": issue["key"]}, 201)

    async def reply(self, request: Request) -> Response:
        issue, told = self._of(request), orjson.loads(await request.body())
        if set(told) - {"body", "public"} or not isinstance(told["body"], str):
            raise Refused(400, "Unrecognized field")
        public = bool(told["public"]) and not self.internal
        more = (
            {}
            if self.cloud or public
            else {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
        )
        made = self.says(issue, WE, self._wiki(told["body"]), public=public, **more)
        return JSONResponse({"id": made["id"], "body": told["body"], "public": public}, 201)

    def _wiki(self, said: str) -> Any:
        """Wiki marks, as a service desk takes them, are kept as a document in Cloud."""
        return adf_of(text_of_jira(said)) if self.cloud else said
