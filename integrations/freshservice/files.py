"""Our files on Freshservice's tickets: one form with the words that they come with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from integrations.errors import Rejected
from integrations.freshservice.wire import MOST_FILE
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Attach


def form(vendor: str, words: Mapping[str, str], file: Attach) -> tuple[str, bytes]:
    """The form's type and its bytes (RFC 7578). The operation's own boundary is in no file."""
    if file.size > MOST_FILE:
        raise Rejected(
            f"{vendor} takes {MOST_FILE // 1_000_000} MB of files on a ticket at most, and {file.name} has"
            f" {file.size:,} bytes: nothing was sent."
        )
    border = f"muster-{file.op_id}-{file.sha256[:16]}"
    line = f"--{border}\r\nContent-Disposition: form-data; name="
    said = [f'{line}"{name}"\r\n\r\n{value}\r\n'.encode() for name, value in words.items()]
    name = one_line(file.name).replace("\\", "_").replace('"', "%22")
    head = f'{line}"attachments[]"; filename="{name}"\r\nContent-Type: {file.media_type}\r\n\r\n'
    body = b"".join([*said, head.encode(), file.content, f"\r\n--{border}--\r\n".encode()])
    return f"multipart/form-data; boundary={border}", body
