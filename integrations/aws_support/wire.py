"""AWS Support's JSON as we read it: fields bear AWS's names."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel

from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.text import one_line

RECENT: Final = 5
"""Communications that stand with a case: the newest."""
_CASE: Final = re.compile(r"case-[A-Za-z0-9-]{1,120}")
_SHOWN: Final = re.compile(r"[0-9]{1,20}")
_THEM: Final = "amazon web services"


class FileOf(BaseModel):
    attachmentId: str | None = None
    fileName: str | None = None


class Communication(BaseModel):
    """A word on a case. It has no number: `sign` is made of what it is, and of its place among its equals."""

    body: str = ""
    submittedBy: str | None = None
    timeCreated: TheirTime
    attachments: tuple[FileOf, ...] | None = None
    attachmentSet: tuple[FileOf, ...] | None = None

    @property
    def files(self) -> tuple[FileOf, ...]:
        """All files; an older answer has those up to 5 MB alone."""
        told = self.attachmentSet if self.attachments is None else self.attachments
        return tuple(one for one in told or () if one.attachmentId)

    @property
    def sign(self) -> str:
        said = f"{self.timeCreated.isoformat()}\0{self.submittedBy}\0{self.body}"
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def is_ours(self) -> bool:
        """Whether our side wrote it. AWS's people stand as Amazon Web Services, without an address."""
        who = (self.submittedBy or "").strip().lower()
        return bool(who) and not who.startswith(_THEM)


class Recent(BaseModel):
    communications: tuple[dict[str, Any], ...] | None = None


class Case(BaseModel):
    caseId: str
    displayId: str | None = None
    subject: str = ""
    status: str = ""
    severityCode: str = ""
    timeCreated: TheirTime
    recentCommunications: Recent | None = None

    @property
    def words(self) -> tuple[dict[str, Any], ...]:
        """The newest communications, as they came; none where they were not asked for."""
        recent = self.recentCommunications
        return (recent.communications if recent else None) or ()


class SomeCases(BaseModel):
    cases: tuple[dict[str, Any], ...] = ()
    nextToken: str | None = None


class SomeWords(BaseModel):
    communications: tuple[dict[str, Any], ...] = ()
    nextToken: str | None = None


class Made(BaseModel):
    caseId: str


class Done(BaseModel):
    result: bool


class Set(BaseModel):
    attachmentSetId: str


class Resolved(BaseModel):
    finalCaseStatus: str


class File(BaseModel):
    data: str


class TheFile(BaseModel):
    attachment: File


class Named(BaseModel):
    code: str
    name: str = ""


class Service(Named):
    categories: tuple[Named, ...] = ()


class Services(BaseModel):
    services: tuple[Service, ...]


class Severities(BaseModel):
    severityLevels: tuple[Named, ...]


def stamp(at: datetime) -> str:
    """A time as AWS writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def asked_for(ref: TicketRef) -> dict[str, Any]:
    """By what a case is asked for: its id, or the number that its people see."""
    if _SHOWN.fullmatch(ref.id):
        return {"displayId": ref.id}
    if not _CASE.fullmatch(ref.id):
        raise Rejected(f"{one_line(ref.id)} is no case of AWS Support: nothing was sent.")
    return {"caseIdList": [ref.id]}
