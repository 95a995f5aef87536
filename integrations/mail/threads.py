"""Which of our tickets a mail is about, however much of its thread was lost on the way.

By what it answers; by our reference in its subject or the address that it came to; by our footer in what it
quotes; by their number, which another mail of the ticket has told. What is learned is kept, and asked of the
mailbox again where it is not: nothing needs a memory.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, Final

from integrations.mail.box import Box, Mail
from integrations.mail.config import EmailConfig
from integrations.mail.folding import folded
from integrations.mail.letters import (
    ULID,
    Thread,
    message_id,
    op_id_of,
    reference,
    references_in,
    without_reference,
)
from integrations.mail.opened import Opened, Unopened, opened
from register.text import one_line

KEPT: Final = 5_000
"""Tickets that are remembered."""
_FOOTER: Final = re.compile(rf"\[muster:({ULID})\]", re.IGNORECASE)
MOST_MARK: Final = 60
"""Signs of what their subjects write around their number."""
_READ_FOR_NUMBER: Final = 5
_RE: Final = re.compile(r"^\s*(?:re|aw|sv|antw|ref)\s*:\s*", re.IGNORECASE)


class Threads:
    """Of one supplier. vendor: its name in vendors.toml, which our own mails carry."""

    def __init__(self, box: Box, config: EmailConfig, vendor: str) -> None:
        self._box, self._config, self._vendor = box, config, vendor
        self._roots: OrderedDict[str, str] = OrderedDict()  # operation id → the first of its ticket
        self._numbers: dict[str, tuple[str, str]] = {}  # root → their number, and the mail that told it first
        self._marks: dict[str, str] = {}  # root → how their subjects write it: [#4711], [kone.example #4711]
        self._titles: dict[str, str] = {}  # root → what our first mail was called

    def number_in(self, mail: Opened, title: str = "") -> str:
        """Their number, by the pattern in vendors.toml; empty where it tells none.

        title: ours. What looks like a number in it is none of theirs, nor is one that they only quote."""
        if not self._config.number:
            return ""
        for text in (mail.subject, folded(mail.text)[:5_000]):
            for found in re.finditer(self._config.number, text):
                if found[1] and found[0] not in title:
                    return one_line(found[1])[:80]
        return ""

    def learn(self, root: str, mail: Opened, title: str) -> None:
        """Keep the number that one of their mails tells, if it is the first one of its ticket."""
        number = self.number_in(mail, title)
        if number and root not in self._numbers:
            self._numbers[root] = (number, mail.message_id)
        if number and number == self.number(root) and root not in self._marks:
            for found in re.finditer(self._config.number, mail.subject):
                if found[1] == number and len(found[0]) <= MOST_MARK:
                    self._marks[root] = found[0].strip()
                    break

    def told_first(self, root: str, mail: Opened) -> str:
        """Their number, where this mail is the one that told it first."""
        number, told_by = self._numbers.get(root, ("", ""))
        return number if number and told_by == mail.message_id else ""

    def number(self, root: str) -> str:
        return self._numbers.get(root, ("", ""))[0]

    async def root_of(self, mail: Opened) -> str | None:
        """The first operation of the ticket that a mail is about; None where it is about none of ours."""
        named = (*([mail.message_id] if self.is_ours(mail) else []), *mail.answers, *mail.about)
        ops = [op for one in named if (op := op_id_of(one, self._config))]
        marks = references_in(f"{mail.subject} {mail.to}")
        for op in ops:
            if reference(op) in marks:
                return op
        for op in dict.fromkeys((*reversed(ops), *map(str.upper, _FOOTER.findall(mail.text)[-5:]))):
            if (root := await self._first_of(op)) is not None:
                return root
        for mark in dict.fromkeys(marks):
            if (root := await self._by([["SUBJECT", mark]], {mark})) is not None:
                return root
        number, theirs = self.number_in(mail), self._counts(mail)
        if not number or (ops and not theirs):  # what others answer is another supplier's, perhaps
            return None
        return await self.by_number(number, texts=theirs)

    async def by_number(self, number: str, *, texts: bool = True) -> str | None:
        """The ticket of which their number is known. texts: looked for in those too, which takes reading."""
        for root, (known, _) in self._numbers.items():
            if known == number:
                return root
        if not number.isascii() or len(number) < 2:
            return None
        keys = [["SUBJECT", number], *([["BODY", number]] if texts else [])]
        return await self._by(keys, set(), number)

    async def by_mark(self, mark: str) -> str | None:
        """The ticket of a reference of ours, `MUS-…`."""
        return await self._by([["SUBJECT", mark]], {mark})

    async def is_known(self, root: str) -> bool:
        """Whether a ticket is one of this supplier's, by our own copy: several may share a mailbox."""
        return await self._first_of(root) is not None

    async def _first_of(self, op: str) -> str | None:
        """The first operation of the ticket that another one is about, by our own copy of its mail."""
        if op not in self._roots:
            mid = message_id(op, self._config)
            for _, head in await self._box.heads([["HEADER", "Message-ID", mid]]):
                if head.message_id == mid and self.is_ours(head):
                    self._titles[op] = self.title(head.subject)
                    first = [one for each in reversed(head.answers) if (one := op_id_of(each, self._config))]
                    self._keep(op, first[0] if first else op)
        return self._roots.get(op)

    def hear(self, mail: Opened) -> None:
        """A mail of ours came back: what a ticket is called need not be asked for."""
        op = op_id_of(mail.message_id, self._config)
        if op is not None and not any(op_id_of(one, self._config) for one in mail.answers):
            self._titles[op] = self.title(mail.subject)

    async def titled(self, root: str) -> str:
        """What our first mail of a ticket was called, as subjects of their answers do; empty if unknown."""
        if root not in self._titles:
            self._roots.pop(root, None)
            await self._first_of(root)
        return self._titles.get(root, "")

    async def _by(self, keys: list[list[str]], marks: set[str], number: str = "") -> str | None:
        """The ticket of the oldest mail that fits and is one of its thread."""
        heads = await self._box.heads(keys)
        for mail, head in heads[:50]:
            told = head
            if number and number not in head.subject:
                told = await self._read(mail) or head
            if number and (number not in (self.number_in(told), number if number in head.subject else "")):
                continue
            known = [op for one in (head.message_id, *head.answers) if (op := op_id_of(one, self._config))]
            here = marks or set(references_in(head.subject))
            if self.is_ours(head) or self._config.is_theirs(head.sender):
                for op in known:
                    if reference(op) in here:
                        self._keep(op, op)
                        return op
        return None

    async def _read(self, mail: Mail) -> Opened | None:
        async for whole in self._box.whole([mail]):
            try:
                return opened(whole.raw)
            except Unopened:
                return None
        return None

    async def thread(self, root: str) -> Thread:
        """What an answer of ours needs to know of its ticket."""
        heads = [(mail, head) for mail, head in await self._of(root, reports=False) if self._counts(head)]
        title, theirs = "", []
        for mail, head in heads:
            if head.message_id == message_id(root, self._config):
                title = self.title(head.subject)
            elif not self.is_ours(head):
                theirs.append(mail)
                self.learn(root, head, title)
        if self._config.number and not self.number(root):
            for mail in theirs[:_READ_FOR_NUMBER]:
                if (whole := await self._read(mail)) is not None:
                    self.learn(root, whole, title)
        last = next((head.message_id for _, head in reversed(heads) if "sha256-" not in head.message_id), "")
        return Thread(root, title or "Our ticket", self.number(root), last, self._marks.get(root, ""))

    async def mails(self, root: str) -> list[Mail]:
        """All mails of a ticket, by their heads, oldest first, each once."""
        found: dict[str, Mail] = {}
        for mail, head in await self._of(root, reports=True):
            found.setdefault(head.message_id, mail)
        return list(found.values())

    async def _of(self, root: str, *, reports: bool) -> list[tuple[Mail, Opened]]:
        """The heads of its mails; reports: those too that bring one of them along, which takes longer."""
        mid = message_id(root, self._config)
        keys = [
            ["HEADER", "Message-ID", mid],
            ["HEADER", "References", mid],
            ["HEADER", "In-Reply-To", mid],
            ["SUBJECT", reference(root)],
        ]
        if reports:
            keys.append(["BODY", mid])
        number = self.number(root)
        if len(number) > 3 and number.isascii():
            keys.append(["SUBJECT", number])
        return await self._box.heads(keys)

    def is_ours(self, head: Opened) -> bool:
        """Whether our account wrote it, and to this supplier. For finding, never for trust."""
        return head.sender == self._config.address.lower() and head.supplier in ("", self._vendor)

    def is_anothers(self, head: Opened) -> bool:
        """Whether our account wrote it to another supplier."""
        return head.sender == self._config.address.lower() and head.supplier not in ("", self._vendor)

    def _counts(self, head: Opened) -> bool:
        return self.is_ours(head) or self._config.is_theirs(head.sender)

    @staticmethod
    def title(subject: str) -> str:
        return _RE.sub("", without_reference(subject))

    def _keep(self, op: str, root: str) -> None:
        self._roots[op] = root
        while len(self._roots) > KEPT:
            self._roots.popitem(last=False)
        kept: tuple[dict[str, Any], ...] = (self._numbers, self._marks, self._titles)
        for known in kept:
            while len(known) > KEPT:
                known.pop(next(iter(known)))
