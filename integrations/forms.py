"""A file as a form, for systems that take their uploads so (RFC 7578)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from register.marker import marked_name
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Attach


def multipart(file: Attach) -> tuple[str, bytes]:
    """A file as the one part of a form; the boundary is its operation's own, which no file holds."""
    border = f"muster-{file.op_id}-{file.sha256[:16]}"
    name = one_line(marked_name(file.name, file.op_id)).replace("\\", "_").replace('"', "%22")
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {file.media_type}\r\n\r\n"
    )
    return (
        f"multipart/form-data; boundary={border}",
        head.encode() + file.content + f"\r\n--{border}--\r\n".encode(),
    )
