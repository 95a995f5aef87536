"""One request of an operation, and what is taken from its answer, as vendors.toml says them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from integrations.connector import ChangeKind
from integrations.mapping import wrong
from integrations.rest.paths import Path, Take, Taken
from integrations.rest.templates import checked, checked_path, compiled

Template = Annotated[str, AfterValidator(checked)]
PathTemplate = Annotated[str, AfterValidator(checked_path)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,80}$")]
_DEEP: Final = 12


def _checked_structure(body: Any, deep: int = 0) -> Any:
    """A body whose every text is a template; what is no JSON is refused by its type."""
    if isinstance(body, str):
        return checked(body)
    if deep > _DEEP or not isinstance(body, dict | list | tuple | int | float | bool):
        raise ValueError("must be made of tables, lists, texts, numbers, true and false")
    for one in body.values() if isinstance(body, dict) else body if isinstance(body, list | tuple) else ():
        _checked_structure(one, deep + 1)
    return body


class Outcome(StrEnum):
    """What an answer means whose status alone does not say it."""

    OK = "ok"
    REJECTED = "rejected"
    GONE = "gone"
    CONFLICT = "conflict"
    WAIT = "wait"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"


def _status(given: object) -> object:
    return int(given) if isinstance(given, str) and given.isascii() and given.isdecimal() else given


class Paging(BaseModel, frozen=True, extra="forbid"):
    """How a long list comes in pages."""

    kind: Annotated[
        Literal["page", "offset", "cursor", "link"],
        Field(
            description='"page" counts pages, "offset" rows; "cursor" is in the answer, "link" in its header'
        ),
    ]
    param: Annotated[str, Field(description="in which part of the query the place goes")] = ""
    first: Annotated[int, Field(strict=True, ge=0, description="where counting begins")] = 0
    size_param: Annotated[str, Field(description="in which part of the query the size goes")] = ""
    size: Annotated[int, Field(strict=True, ge=1, le=1_000, description="rows of a page")] = 100
    next: Annotated[
        Path | None, Field(description="cursor: JMESPath to the next one, nothing at the end")
    ] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind != "link" and not self.param:
            raise wrong("param", "is missing: say in which part of the query the place goes", self)
        if self.kind == "cursor" and self.next is None:
            raise wrong("next", "is missing: say where the next cursor stands in the answer", self)
        return self


class Tells(BaseModel, frozen=True, extra="forbid"):
    """Changes of one kind that stand in an answer of `history`."""

    kind: Annotated[
        Literal[ChangeKind.COMMENT, ChangeKind.STATE, ChangeKind.PRIORITY, ChangeKind.FILE],
        Field(description="comment, state, priority or file"),
    ]
    rows: Annotated[Path, Field(description="JMESPath to the list of them")]
    id: Annotated[Take, Field(description="what each is known by there, for ever")]
    at: Annotated[Take, Field(description="when it was")]
    author: Annotated[Take | None, Field(description="who it was, told as `me` tells us")] = None
    name: Annotated[
        Take | None, Field(description="who it was, as people read it, where `author` is a number")
    ] = None
    text: Annotated[Take | None, Field(description="comment: the words; file: its name")] = None
    public: Annotated[Take | None, Field(description="comment: whether the customer sees it")] = None
    value: Annotated[Take | None, Field(description="state or priority: the new one")] = None
    size: Annotated[Take | None, Field(description="file: bytes")] = None

    @model_validator(mode="after")
    def _has_what_it_tells(self) -> Self:
        key = "text" if self.kind in (ChangeKind.COMMENT, ChangeKind.FILE) else "value"
        if getattr(self, key) is None:
            raise wrong(key, f"is missing: a {self.kind} has one", self)
        return self


class Step(BaseModel, frozen=True, extra="forbid"):
    """One request. Later ones see what its `gives` took, under its name."""

    name: Annotated[Word | None, Field(description="how later steps call what it gave")] = None
    method: Literal["GET", "POST", "PUT", "PATCH"] = "GET"
    path: Annotated[PathTemplate, Field(description="below url; each value in it is quoted")]
    query: Annotated[dict[str, Template], Field(description="the query, name = template")] = {}
    headers: Annotated[dict[Header, Template], Field(description="further headers, name = template")] = {}
    body: Annotated[
        Any, AfterValidator(_checked_structure), Field(description="the body: tables, lists and templates")
    ] = None
    send: Annotated[
        Literal["json", "form", "multipart", "bytes"],
        Field(
            description='how the body goes out; "bytes" is the file alone, "multipart" a form with the file'
        ),
    ] = "json"
    file_part: Annotated[str, Field(description="multipart: the part that is the file")] = "file"
    when: Annotated[Template | None, Field(description="only asked where this is something")] = None
    gives: Annotated[
        dict[Word, Take], Field(description="what is taken from the answer, name = JMESPath")
    ] = {}
    rows: Annotated[Path | None, Field(description="JMESPath to a list; `gives` is then taken of each")] = (
        None
    )
    tells: Annotated[
        tuple[Tells, ...], Field(description="history: the changes that stand in the answer")
    ] = ()
    expects: Annotated[Template, Field(description="find: what `reference` of a row must be")] = "{{ op_id }}"
    paging: Annotated[Paging | None, Field(description="how a long list comes in pages")] = None
    repeatable: Annotated[
        bool, Field(description="true if doing it twice is doing it once, or is seen by nobody")
    ] = False
    ok: Annotated[Path | None, Field(description="JMESPath that must find something, or it was refused")] = (
        None
    )
    says: Annotated[Path | None, Field(description="JMESPath to why it was refused")] = None
    statuses: Annotated[
        dict[Annotated[int, BeforeValidator(_status), Field(ge=200, le=599)], Outcome],
        Field(description="HTTP status = ok, rejected, gone, conflict, wait, refused or forbidden"),
    ] = {}

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def templates(self) -> tuple[tuple[tuple[str | int, ...], str, bool], ...]:
        """Every template of it: where it stands, the template, and whether it is a path."""
        found: list[tuple[tuple[str | int, ...], str, bool]] = [(("path",), self.path, True)]
        for key, table in (("query", self.query), ("headers", self.headers)):
            found += [((key, name), template, False) for name, template in table.items()]
        found += [
            ((key,), one, False) for key, one in (("when", self.when), ("expects", self.expects)) if one
        ]
        found += [(("body", *place), text, False) for place, text in _texts(self.body)]
        made = ((name, take.value) for name, take in self.gives.items() if isinstance(take, Taken))
        found += [(("gives", name), template, False) for name, template in made if template is not None]
        return tuple(found)

    def mentions(self, name: str) -> bool:
        """Whether any template of it takes this."""
        return any(
            name == taken for _, text, path in self.templates for taken, _ in compiled(text, path=path).names
        )


def _texts(body: Any) -> list[tuple[tuple[str | int, ...], str]]:
    if isinstance(body, str):
        return [((), body)]
    pairs = (
        body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list | tuple) else ()
    )
    return [((key, *place), text) for key, one in pairs for place, text in _texts(one)]


Steps = tuple[Step, ...]
