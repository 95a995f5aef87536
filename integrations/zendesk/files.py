"""Our files on Zendesk's tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.reading import read
from integrations.zendesk.wire import Uploaded

if TYPE_CHECKING:
    from integrations.connector import Attach
    from integrations.http import Http


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
