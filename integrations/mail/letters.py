"""Our mails to a supplier: their ids, subjects and threads. Pure, but for the day that stands in them.

The Message-ID is the operation id, so that a mail of which nobody knows whether it went out is known again
wherever its copy lies. The subject carries our reference and theirs, once they told one: by either a reply
that lost its thread finds its ticket, ours and theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from integrations.connector import Attach
from integrations.mail.config import EmailConfig
from register.marker import sign
from register.text import MAX_TITLE, clip, one_line

ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_LONG: Final = 10
_TOKEN: Final = re.compile(rf"\bMUS-([0-9A-HJKMNP-TV-Z]{{{_LONG}}})\b", re.IGNORECASE)
_TOKENS: Final = re.compile(rf"\s*\[MUS-[0-9A-HJKMNP-TV-Z]{{{_LONG}}}\]", re.IGNORECASE)
SUPPLIER: Final = "X-Muster-Supplier"
"""A header of our mails: for which supplier of ours it was, where several write to one mailbox."""


def reference(op_id: str) -> str:
    """What stands for a ticket in subjects: the end of its operation id, whose beginning is only the time."""
    return f"MUS-{op_id[-_LONG:]}"


def references_in(text: str) -> list[str]:
    """Our references in a text, as `reference` writes them."""
    return [f"MUS-{one.upper()}" for one in _TOKEN.findall(text)]


def without_reference(subject: str) -> str:
    return _TOKENS.sub("", subject).strip()


def one_header(text: str) -> str:
    """Text that is one line of a header, and says what it says: no encoded word is made of it by the library,
    in which line breaks could stand."""
    return one_line(text).replace("=?", "= ?")


def message_id(op_id: str, config: EmailConfig) -> str:
    return f"<{op_id}@{config.host}>"


def op_id_of(message_id: str, config: EmailConfig) -> str | None:
    """The operation id of one of our Message-IDs, None of others'."""
    found = re.fullmatch(rf"<({ULID})@{re.escape(config.host)}>", message_id, re.IGNORECASE)
    return None if found is None else found[1].upper()


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail belongs: the ticket's first operation, what it is about, their number if told."""

    root: str
    title: str
    number: str = ""
    last: str = ""  # Message-ID of the newest mail, which it answers
    mark: str = ""  # how their subjects write their number

    def subject(self, again: bool) -> str:
        """The subject of a mail. Their number stands first, as they write it: so most systems look for it."""
        mark = self.mark if re.search(r"[\[(#]", self.mark) else f"[{self.mark or self.number}]"
        theirs = f"{mark} " if self.number and mark not in self.title else ""
        return f"{'Re: ' if again else ''}{theirs}{self.title} [{reference(self.root)}]"


def letter(
    config: EmailConfig,
    vendor: str,
    thread: Thread,
    op_id: str,
    body: str,
    at: datetime,
    file: Attach | None = None,
    more: Mapping[str, str] | None = None,
) -> EmailMessage:
    """One mail of ours. Nothing in it can begin a header: what is given is one line, or the text."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = config.address
    mail["To"] = config.to
    mail["Subject"] = clip(one_header(thread.subject(op_id != thread.root)), MAX_TITLE + 80)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id(op_id, config)
    if op_id != thread.root:
        root = message_id(thread.root, config)
        last = thread.last or root
        mail["In-Reply-To"] = last
        mail["References"] = root if last == root else f"{root} {last}"
    if config.reply_to:
        local, _, domain = config.address.rpartition("@")
        mail["Reply-To"] = f"{local}+{reference(thread.root).lower()}@{domain}"
    mail[SUPPLIER] = one_header(vendor)
    for name, value in (more or {}).items():
        mail[name] = one_header(value)
    mail.set_content(sign(body, op_id), cte="base64" if not body.isascii() else "quoted-printable")
    if file is not None:
        main, _, sub = file.media_type.partition("/")
        if not re.fullmatch(r"[a-z0-9.+-]+", sub) or main in ("text", "multipart", "message"):
            main, sub = "application", "octet-stream"  # so that it arrives byte for byte
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=one_header(file.name))
    return mail
