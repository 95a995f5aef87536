"""What somebody says in a reply to a page: their own words, and whether these say that they have it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from integrations.acks.tokens import tokens_in
from integrations.mail.folding import own
from integrations.mail.opened import Opened

_SAYS_SO: Final = re.compile(r"[\W_]*(?:ack|ok|okay|yes)\b", re.IGNORECASE)
_BY_ITSELF: Final = re.compile(
    r"(?:auto(?:matic(?:ally)?|matische?)?[ -]?(?:reply|response|antwort|svar)|out of (?:the )?office|abwesen"
    r"|réponse automatique|undeliver|delivery (?:status|failure)|mail delivery|returned mail)",
    re.IGNORECASE,
)
"""Subjects of what nobody wrote, where its headers do not say so."""
_PHONE: Final = re.compile(
    r"(?:sent from|get outlook for|gesendet von|von meinem|envoyé de)\b.*", re.IGNORECASE
)
MOST: Final = 200_000
"""Characters in which a token is looked for."""


@dataclass(frozen=True, slots=True)
class Said:
    """Their own words, without any token. yes: they have it. more: the words say something besides."""

    words: str
    yes: bool
    more: bool


def is_by_itself(mail: Opened) -> bool:
    """Whether nobody wrote this: a vacation notice, a bounce, a list (RFC 3834, and before it)."""
    told = mail.automatic or mail.replied or mail.bulk or mail.bounces or mail.about or mail.supplier
    return bool(told) or _BY_ITSELF.match(mail.subject) is not None


def candidates(mail: Opened) -> list[str]:
    """What may be the page's token, the subject's first."""
    return list(tokens_in(f"{mail.subject}\n{mail.text[:MOST]}"))


def said_in(mail: Opened) -> Said:
    """What they say themselves."""
    lines = [line for line in own(mail.text).split("\n") if not _PHONE.fullmatch(line.strip())]
    words = "\n".join(lines).strip()
    for token in tokens_in(words):
        words = re.sub(token, "…", words, flags=re.IGNORECASE)
    found = _SAYS_SO.match(words)
    rest = words if found is None else words[found.end() :]
    return Said(words, found is not None, re.search(r"\w", rest) is not None)
