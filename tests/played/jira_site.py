"""A Jira site in memory: its issues, what happens on them, and an index that lies behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.markup.adf import adf_of, text_of_adf
from integrations.markup.wiki import text_of_jira

USER = "muster@customer.example"
TOKEN = "token-0123456789abcdef"
WE, LENA = "5b10a2844c20165700ede21g", "5b10ac8d82e05b22cc7d4ef5"
NAMES = {WE: "Muster", LENA: "Lena"}
STATUSES = {
    "1": ("To Do", "new"),
    "3": ("In Progress", "indeterminate"),
    "4": ("Waiting for customer", "indeterminate"),
    "5": ("Done", "done"),
    "6": ("With the field team", "indeterminate"),
}
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
OPTION = "customfield_10050"
FORM = ["summary", "description", "priority"]
SCREEN = {"project", "issuetype", "summary", "description", "labels", "priority", "components", OPTION}
LIMIT = 32_767
Json = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int = 400, says: str = "", **errors: str) -> None:
        super().__init__(says)
        self.status = status
        self.told = {"errorMessages": [says] if says else [], "errors": errors}


class Site:
    """Issues, what was said on them, their changes. Its clock is its own, and goes on by what happens."""

    def __init__(self, *, cloud: bool = True) -> None:
        self.cloud = cloud
        self.issues: dict[str, Json] = {}
        self.files: dict[str, bytes] = {}
        self.index: dict[str, list[tuple[datetime, Json]]] = {}
        self.lag = timedelta(seconds=5)
        self.hurry = True  # the index catches up before each search
        self.known = True  # our credential is
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.required: set[str] = set()  # on the screen of Done
        self.screen = True  # whether Done has one
        self.blocked: set[str] = set()  # statuses that no step leads to
        self.without: set[str] = set()  # fields that are on no screen, or on no form
        self.form = [*FORM]
        self.internal = False  # what we say on a request becomes internal
        self.comes_along = 100  # comments, changes that an issue brings
        self.rule: Callable[[Json], None] | None = None
        self._number = 10_000

    # What happens there

    def number(self) -> str:
        self._number += 1
        return str(self._number)

    def tick(self, seconds: float = 1) -> str:
        self.now += timedelta(seconds=seconds)
        return stamp(self.now)

    def person(self, who: str) -> Json:
        told = {"displayName": NAMES[who], "emailAddress": USER if who == WE else None, "active": True}
        return told | ({"accountId": who} if self.cloud else {"name": NAMES[who].lower(), "key": who})

    def text(self, said: str) -> Any:
        """Words as they are kept: their people's own."""
        return adf_of(said) if self.cloud else said

    def read(self, kept: Any) -> str:
        return text_of_adf(kept) if self.cloud else text_of_jira(kept)

    def made(self, who: str, key: str, summary: str, description: Any, **more: Any) -> Json:
        number, at = self.number(), self.tick()
        priority = {"id": "3", "name": "Medium"}
        fields = {
            "summary": summary,
            "description": description,
            "status": self.status("1"),
            "priority": priority,
            "labels": [],
            "assignee": None,
            "creator": self.person(who),
            "reporter": self.person(who),
            "project": {"key": key},
            "created": at,
            "updated": at,
            "attachment": [],
            "issuelinks": [],
            OPTION: None,
            **more,
        }
        count = 1 + sum(one["key"].startswith(f"{key}-") for one in self.issues.values())
        issue = {"id": number, "key": f"{key}-{count}", "fields": fields}
        self.issues[number] = issue | {"comments": [], "histories": [], "properties": {}}
        self.touch(self.issues[number], at)
        return self.issues[number]

    def status(self, number: str) -> Json:
        name, category = STATUSES[number]
        return {"id": number, "name": name, "statusCategory": {"id": 2, "key": category, "name": category}}

    def touch(self, issue: Json, at: str | None = None) -> str:
        """It changed: now, or at an instant of others. The index will know some time later."""
        at = at or self.tick()
        issue["fields"]["updated"] = at
        fields = issue["fields"]
        kept = {name: deepcopy(fields[name]) for name in ("labels", "description", "project", "reporter")}
        kept |= {"updated": at, "key": issue["key"]}
        self.index.setdefault(issue["id"], []).append((datetime.fromisoformat(at), kept))
        return at

    def says(
        self, issue: Json, who: str, body: Any, *, public: bool = True, at: str | None = None, **more: Any
    ) -> Json:
        at = self.touch(issue, at)
        told = {"id": self.number(), "author": self.person(who), "body": body, "created": at, "updated": at}
        if self.cloud:
            told["jsdPublic"] = public
        issue["comments"].append(told | more)
        return told | more

    def changes(self, issue: Json, who: str, *items: Json) -> Json:
        at = self.touch(issue)
        told = {"id": self.number(), "author": self.person(who), "created": at, "items": list(items)}
        issue["histories"].append(told)
        return told

    def sets(self, issue: Json, who: str, number: str) -> None:
        before = issue["fields"]["status"]
        issue["fields"]["status"] = self.status(number)
        self.changes(issue, who, item("status", before, self.status(number)))

    def ranks(self, issue: Json, who: str, name: str) -> None:
        before, now = issue["fields"]["priority"], ranked(name)
        issue["fields"]["priority"] = now
        self.changes(issue, who, item("priority", before, now))

    def moves(self, issue: Json, who: str, key: str) -> None:
        """To another project: its key is another, its id stays."""
        count = 1 + sum(one["key"].startswith(f"{key}-") for one in self.issues.values())
        before, issue["key"] = issue["key"], f"{key}-{count}"
        issue["fields"]["project"] = {"key": key}
        self.changes(
            issue,
            who,
            {"field": "Key", "from": None, "fromString": before, "to": None, "toString": issue["key"]},
        )


def holds(clause: str, issue: Json) -> bool:
    """Whether an issue fits a clause of JQL: joined by AND, or OR within brackets."""
    clause = clause.strip()
    if " AND " in clause:
        return all(holds(one, issue) for one in clause.split(" AND "))
    if clause.startswith("(") and " OR " in clause:
        return any(holds(one, issue) for one in clause[1:-1].split(" OR "))
    if clause == "reporter = currentUser()":
        reporter = issue["reporter"]
        return WE in (reporter.get("accountId"), reporter.get("key"))
    if found := re.fullmatch(r'project = "([A-Z0-9_]+)"', clause):
        return bool(issue["project"]["key"] == found[1])
    if found := re.fullmatch(r'labels = "([^"]+)"', clause):
        return found[1] in issue["labels"]
    if found := re.fullmatch(r'description ~ "(\w+)"', clause):
        return found[1].lower() in re.findall(r"\w+", str(issue["description"]).lower())
    if found := re.fullmatch(r"updated >= (\d{12,15})", clause):
        return datetime.fromisoformat(issue["updated"]).timestamp() * 1_000 >= int(found[1])
    raise Refused(400, f"Error in the JQL Query: {clause}")


def is_document(body: Any) -> bool:
    """Whether a text is a document as ADF's schema has it: as far as plain words need it."""
    if not isinstance(body, dict) or (body.get("type"), body.get("version")) != ("doc", 1):
        return False
    if set(body) != {"type", "version", "content"}:
        return False
    for block in body["content"]:
        inline = block.get("content", [])
        if block["type"] not in ("paragraph", "codeBlock"):
            return False
        if not all(one["type"] == "hardBreak" or (one["type"] == "text" and one["text"]) for one in inline):
            return False
        if block["type"] == "codeBlock" and any(one["type"] != "text" for one in inline):
            return False
    return True


def item(field: str, before: Json, after: Json) -> Json:
    told = {"field": field, "fieldtype": "jira", "from": before["id"], "fromString": before["name"]}
    return told | {"to": after["id"], "toString": after["name"]}


def ranked(name: str) -> Json:
    return {"id": str(1 + PRIORITIES.index(name)), "name": name}


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1_000:03}+0000"
