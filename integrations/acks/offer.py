"""What a page says of how to acknowledge it from where one is, and the token that makes it possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from integrations.acks.key import Keys
from integrations.acks.tokens import digest, fingerprint, fresh
from integrations.page_text import Words
from register.page_settings import Pages
from register.store import Store, ack_links
from register.store.ack_links import AckLink
from register.store.pages import PageRow

COUNTS: Final = timedelta(days=1)
"""How long a token counts, if its incident is open so long."""
PATH: Final = "/ack/"


@dataclass(frozen=True, slots=True)
class Offer:
    """How somebody can acknowledge. link: a web address, or empty. by_mail: by a reply with the token."""

    number: str
    link: str = ""
    token: str = ""
    by_mail: bool = True


def ack_lines(offer: Offer) -> tuple[str, ...]:
    """What a page says of it, of whatever kind, beside `muster ack`."""
    return (f"Or from where you are: {offer.link}",) if offer.link else ()


def answerable(words: Words, offer: Offer) -> Words:
    """A page that can be answered where it arrives as a mail: elsewhere nothing of that is in it."""
    if not offer.token or not offer.by_mail:
        return words
    mark = f"[{offer.number} ack {offer.token}]"
    how = f'Or answer this mail: "ok" as its first word says that you have it; anything else is noted\n{mark}'
    return replace(words, mark=mark, in_mail=how)


class Offers:
    """The offers of pages in the air: one each, however often a page is looked at."""

    def __init__(self, keys: Keys) -> None:
        self.wanted = False  # what is adopted has pages answered
        self._keys = keys
        self._key: bytes | None = None
        self._made: dict[_Try, Offer] = {}
        self._kept: set[_Try] = set()

    async def prepare(self) -> None:
        """Have the key at hand, if pages are answered."""
        self._key = await self._keys.signing() if self.wanted else None

    def of(self, row: PageRow, settings: Pages, register: str) -> Offer:
        """The offer of this page. It counts once it was kept."""
        if self._key is None or not settings.answered:
            return Offer(row.incident)
        made = self._made.get((row.row_id, row.tries))
        if made is None:
            token = fresh(self._key, register)
            link = f"{settings.link}{PATH}{token}" if settings.link else ""
            made = self._made[row.row_id, row.tries] = Offer(row.incident, link, token)
        return made if settings.replies else replace(made, by_mail=False)

    def keep(self, store: Store, rows: Iterable[PageRow], now: datetime) -> None:
        """Have the tokens of these on record before they go out, all at once. Blocking."""
        new = [
            row for row in rows if (one := (row.row_id, row.tries)) in self._made and one not in self._kept
        ]
        key, until = self._key, now + COUNTS
        if not new or key is None:
            return
        signer = fingerprint(key)
        tokens = [(digest(self._made[row.row_id, row.tries].token), row) for row in new]
        made = [
            AckLink(sha256, row.row_id, row.incident, row.person, now, until, None) for sha256, row in tokens
        ]
        ack_links.put(store, made, signer, now)
        self._kept |= {(row.row_id, row.tries) for row in new}

    def forget(self, row: PageRow) -> None:
        """It landed."""
        self._made.pop((row.row_id, row.tries), None)
        self._kept.discard((row.row_id, row.tries))


_Try = tuple[str, int]
"""A page, and which try of it."""
