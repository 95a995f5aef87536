"""What a connector for mail asks of its client: mails to hand over, mails to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final

import orjson

from integrations.mail.config import BEGINNING, WHOLE, EmailConfig
from integrations.mail.opened import Opened, Unopened, opened

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.http import Http

Keys = Sequence[Sequence[str]]
MOST: Final = 40 * 2**20
"""Bytes of an answer with whole mails."""
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in a folder. at: when it came into it, UTC, which nobody but our own server says."""

    folder: str
    uid: int
    size: int
    at: datetime
    raw: bytes = field(repr=False)

    @property
    def cut(self) -> bool:
        """Whether only its beginning was read; what a server says of its size is about right, no more."""
        return self.size > WHOLE and len(self.raw) <= BEGINNING


@dataclass(frozen=True, slots=True)
class Standing:
    """The mails that a look gave, and where the folder stands."""

    mails: list[Mail]
    validity: int
    next: int
    more: bool


class Box:
    """One supplier's part of our mailbox."""

    def __init__(self, http: Http, config: EmailConfig) -> None:
        self.http, self.config = http, config

    @property
    def folders(self) -> tuple[str, ...]:
        """Where mails lie, ours and theirs."""
        return tuple(filter(None, (self.config.folder, self.config.sent_folder)))

    async def hand_over(self, mail: EmailMessage, op_id: str) -> None:
        """Send it, with a copy to ourselves where the server keeps none: a lost answer is looked up there."""
        to = [self.config.to, *([] if self.config.sent_folder else [self.config.address])]
        headers = {
            "Content-Type": "message/rfc822",
            "X-To": " ".join(to),
            "X-Message-ID": str(mail["Message-ID"]),
            "X-Subject": str(mail["Subject"]).encode("ascii", "backslashreplace").decode(),
        }
        await self.http.post("/mails", content=mail.as_bytes(), headers=headers, op_id=op_id)

    async def knock(self) -> None:
        """See whether we may hand over, without a mail."""
        await self.http.post("/mails", safe=True)

    async def start(self, folder: str) -> Standing:
        return _standing(await self.http.get("/mails/start", {"folder": folder}), folder)

    async def new(self, validity: int, after: int) -> Standing:
        asked = {"folder": self.config.folder, "validity": validity, "after": after}
        return _standing(await self.http.get("/mails/new", asked, most=MOST), self.config.folder)

    async def heads(self, keys: Keys, folders: Sequence[str] = ()) -> list[tuple[Mail, Opened]]:
        """The heads of mails that fit any of the keys, oldest first."""
        found: list[tuple[Mail, Opened]] = []
        for folder in folders or self.folders:
            asked = {"folder": folder, "any": orjson.dumps(keys).decode()}
            answer = await self.http.get("/mails/found", asked, most=MOST)
            found += [(mail, head) for mail in _standing(answer, folder).mails if (head := _opened(mail))]
        return sorted(found, key=lambda one: (one[0].at, one[0].uid))

    async def whole(self, heads: Sequence[Mail]) -> AsyncIterator[Mail]:
        """These mails whole, folder by folder."""
        for folder in dict.fromkeys(head.folder for head in heads):
            todo = sorted(head.uid for head in heads if head.folder == folder)
            while todo:
                asked = {"folder": folder, "uids": orjson.dumps(todo[:1_000]).decode()}
                page = _standing(await self.http.get("/mails/mails", asked, most=MOST), folder)
                for mail in page.mails:
                    yield mail
                last = max((mail.uid for mail in page.mails), default=todo[-1])
                todo = [uid for uid in todo if uid > last]


def _opened(mail: Mail) -> Opened | None:
    try:
        return opened(mail.raw)
    except Unopened:
        return None


def _standing(answer: Answer, folder: str) -> Standing:
    told, place, mails = answer.headers, 0, []
    rows: list[list[Any]] = orjson.loads(told["x-mails"])
    for uid, size, at, length in rows:
        mails.append(Mail(folder, uid, size, _at(at), answer.body[place : place + length]))
        place += length
    return Standing(mails, int(told["x-validity"]), int(told["x-next"]), told["x-more"] == "1")


def _at(said: str) -> datetime:
    """When a mail came, as IMAP writes it: 28-Nov-2026 03:10:00 +0000. Now, if it says nothing."""
    try:
        day, month, rest = said.strip().split("-", 2)
        number = f"{_MONTHS.index(month.lower()) + 1:02}"
        return datetime.strptime(f"{day}-{number}-{rest}", "%d-%m-%Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)
