"""Files on Redmine's issues: ours put there, theirs fetched by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.answers import lost
from integrations.errors import Rejected
from integrations.reading import read
from integrations.redmine.wire import TheAttachment, Uploaded

if TYPE_CHECKING:
    from integrations.connector import Attach
    from integrations.http import Http


async def uploaded(http: Http, file: Attach) -> str:
    """Put the bytes there; return the token by which a note names them. Until one does, nobody sees them."""
    answer = await http.post(
        "/uploads.json",
        content=file.content,
        params={"filename": file.name},
        headers={"Content-Type": "application/octet-stream"},
        safe=True,
        op_id=file.op_id,
    )
    return read(Uploaded, answer).upload.token


async def fetched(http: Http, number: int, most: int) -> bytes:
    """A file of theirs. Its size is asked for first, and what comes, be it a web page, must be as long."""
    told = read(TheAttachment, await http.get(f"/attachments/{number}.json")).attachment
    if told.filesize is None or told.filesize > most:
        size = "an unknown number of" if told.filesize is None else f"{told.filesize:,}"
        raise Rejected(f"The file has {size} bytes, and {most:,} is the most: ask {http.name} for it.")
    answer = await http.get(f"/attachments/download/{number}", most=most, page=True)
    if len(answer.body) != told.filesize:
        raise lost(answer.name, "gave another file than it told of", answer.repeatable)
    return answer.body
