"""What an answer says of a ticket: its reference, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from integrations.connector import Ref, Ticket
from integrations.rest.telling import text_of, word_of
from integrations.rest.templates import compiled
from integrations.rest.times import read_time
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.rest.config import RestConfig


class Reader:
    """Reads what steps gave. Raises ValueError with what is wrong, to go on from "something "."""

    def __init__(self, http: Http, config: RestConfig, site: str) -> None:
        self.http = http
        self.config = config
        self.site = site

    def ref(self, given: Mapping[str, Any]) -> Ref:
        """The reference; ValueError where there is no id."""
        name = one_line(text_of(given.get("id")))
        if not name:
            raise ValueError("has no id")
        key = one_line(text_of(given.get("key"))) or name
        url = one_line(text_of(given.get("url")))
        if not url and self.config.link:
            url = str(compiled(self.config.link).made({"id": name, "key": key, "site": self.site}))
        return Ref(id=name, key=key, url=url)

    def ticket(self, ref: Ref, given: Mapping[str, Any]) -> Ticket:
        raw = word_of(given["state"], self.config.state_codes)
        priority = word_of(given.get("priority"), self.config.priority_codes)
        version = given.get("version")
        return Ticket(
            ref=ref,
            title=one_line(text_of(given["title"])),
            raw_state=raw,
            state=self.config.meaning(raw),
            raw_priority="" if self.config.impact else priority,
            assignee=one_line(text_of(given.get("assignee"))) or None,
            updated_at=read_time(given["updated"], self.config.read_format, self.http.zone),
            version=None if version is None else text_of(version),
            priorities=self.config.meant(priority),
        )
