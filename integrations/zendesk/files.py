"""Files on Zendesk's tickets: ours put there, theirs fetched by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integrations.downloads import downloaded
from integrations.errors import Gone, Rejected
from integrations.reading import read
from integrations.zendesk.wire import TheAttachment, Uploaded
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Attach
    from integrations.http import Http
    from integrations.zendesk.config import ZendeskConfig

HOSTS: Final = ("zdusercontent.com", "zendesk.com")
"""Where Zendesk keeps files, and what is below: `content_url` is at the account's subdomain, or at that of
another brand of it, and sends on to an address that is good for a while (developer.zendesk.com/documentation:
ticketing/managing-tickets/accessing-end-user-uploaded-attachments; both names are in
zendesk-web-widget-sdks/sdks/web/csp)."""


async def uploaded(http: Http, file: Attach) -> str:
    """Put the bytes there; return the token by which a comment names them: until then nobody sees them."""
    answer = await http.post(
        "/uploads",
        content=file.content,
        params={"filename": file.name},
        headers={"Content-Type": file.media_type},
        safe=True,
        op_id=file.op_id,
    )
    return read(Uploaded, answer).upload.token


async def fetched(http: Http, config: ZendeskConfig, place: str, most: int) -> bytes:
    """A file of theirs. Where it lies is asked each time: what Zendesk signs is good for a while only."""
    if not (place.isascii() and place.isdecimal() and len(place) < 19):
        raise Rejected(f"{one_line(place)} is no file of {http.name}.")
    told = read(TheAttachment, await http.get(f"/attachments/{place}")).attachment
    if told.deleted:
        raise Gone(f"{http.name} has deleted this file.")
    if told.is_kept_back:
        raise Rejected(f"{http.name} found malware in this file, and gives it to nobody: ask them about it.")
    return await downloaded(http, told.content_url, told.size, most, (*HOSTS, *config.file_hosts))
