"""GitHub's JSON as we read it: fields bear GitHub's names."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import BaseModel, RootModel

from integrations.answers import lost
from integrations.errors import Rejected
from integrations.http import Http
from integrations.markup.formats import TextFormat, plain, signed
from integrations.reading import read
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.marker import marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

PAGE: Final = 100
"""Rows of a list. GitHub gives no more."""
MOST: Final = 100
"""Pages of one list that are read."""
_HIDDEN: Final = re.compile(r"\s*<!-- muster:([0-9A-Z]{26}) -->\s*$")


class Account(BaseModel):
    login: str


class Label(BaseModel):
    name: str = ""


class Labels(RootModel[tuple[Label, ...]]):
    pass


class Issue(BaseModel):
    number: int
    title: str
    body: str | None = None
    html_url: str = ""
    user: Account | None = None
    state: str
    state_reason: str | None = None
    labels: tuple[Label | str, ...] = ()
    assignee: Account | None = None
    locked: bool = False
    pull_request: dict[str, Any] | None = None
    created_at: TheirTime
    updated_at: TheirTime

    @property
    def names(self) -> set[str]:
        """The names of its labels."""
        return {one if isinstance(one, str) else one.name for one in self.labels}

    @property
    def ref(self) -> TicketRef:
        return TicketRef(id=str(self.number), key=f"#{self.number}", url=self.html_url)


class Issues(RootModel[tuple[Issue, ...]]):
    pass


class Rows(RootModel[tuple[dict[str, Any], ...]]):
    pass


class Comment(BaseModel):
    id: int
    body: str | None = None
    user: Account | None = None
    created_at: TheirTime


class Comments(RootModel[tuple[Comment, ...]]):
    pass


class Event(BaseModel):
    """One row of an issue's timeline, of the kinds that are told."""

    id: int
    event: str
    actor: Account | None = None
    user: Account | None = None
    body: str | None = None
    created_at: TheirTime
    state_reason: str | None = None
    label: Label | None = None


class Rights(BaseModel):
    admin: bool = False
    push: bool = False
    triage: bool = False


class Repository(BaseModel):
    full_name: str = ""
    has_issues: bool = True
    archived: bool = False
    permissions: Rights | None = None


Rooted = RootModel[tuple[Any, ...]]


async def listed(http: Http, path: str, model: type[RootModel[tuple[Any, ...]]], **asked: Any) -> list[Any]:
    """All rows of a list, page by page, as its Link header says that there are more."""
    rows: list[Any] = []
    for page in range(1, MOST + 1):
        answer = await http.get(path, {**asked, "per_page": PAGE, **({"page": page} if page > 1 else {})})
        rows += read(model, answer).root
        if 'rel="next"' not in answer.headers.get("link", ""):
            return rows
    raise lost(http.name, f"has more than {PAGE * MOST:,} rows where few were asked for", True)


def number_of(ref: TicketRef) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal()):
        raise Rejected(f"{one_line(ref.id)} is no issue number of GitHub: nothing was sent.")
    return int(ref.id)


def written(text: str, op_id: str) -> str:
    """Our words, signed as everywhere, and once more where nobody sees it, or takes it away."""
    return f"{signed(text, op_id, TextFormat.MARKDOWN)}\n\n<!-- muster:{op_id} -->"


def said(body: str | None) -> tuple[str, str | None]:
    """Words of an issue as they are shown, and the operation id under them, if there is one."""
    text = body or ""
    hidden = _HIDDEN.search(text)
    shown = plain(text[: hidden.start()] if hidden else text, TextFormat.MARKDOWN)
    marker = marker_of(shown) or (hidden[1] if hidden else None)
    return clip(unsigned(shown).strip(), MAX_TEXT), marker
