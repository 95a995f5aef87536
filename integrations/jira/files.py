"""Files of theirs on Jira's issues, fetched by number."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from integrations.answers import lost
from integrations.errors import Rejected
from integrations.jira.wire import Attachment
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.jira.config import JiraConfig


async def fetched(http: Http, config: JiraConfig, place: str, most: int) -> bytes:
    """Its size is asked for first, and what comes, be it a web page, must be as long.

    Cloud gives it from another host unless it is told not to (`redirect`): our credential goes to none.
    """
    if not (place.isascii() and place.isdecimal()):
        raise Rejected(f"{one_line(place)} is no file of {http.name}.")
    path = f"{config.api}/attachment"
    told = read(Attachment, await http.get(f"{path}/{place}"))
    if told.size is None or told.size > most:
        size = "an unknown number of" if told.size is None else f"{told.size:,}"
        raise Rejected(f"The file has {size} bytes, and {most:,} is the most: ask {http.name} for it.")
    where, asked = f"{path}/content/{place}", {"redirect": "false"}
    if not config.is_cloud:
        where, asked = f"/secure/attachment/{place}/{quote(told.filename, safe='')}", {}
    answer = await http.get(where, asked, headers={"Accept": "*/*"}, most=most, page=True)
    if len(answer.body) != told.size:
        raise lost(answer.name, "gave another file than it told of", answer.repeatable)
    return answer.body
