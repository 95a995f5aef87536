"""A file as a form, for systems that take their uploads so (RFC 7578)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from register.marker import marked_name
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Attach

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def multipart(file: Attach) -> tuple[str, bytes]:
    """A file as the one part of a form, under a name by which it is known again."""
    return form(file, "file", marked_name(file.name, file.op_id))


def form(file: Attach, part: str, name: str, words: Mapping[str, str] = _NOTHING) -> tuple[str, bytes]:
    """The form's type and its bytes. part: what the file is called in it; words: what goes before it.

    The boundary is its operation's own, which no file holds.
    """
    border = f"muster-{file.op_id}-{file.sha256[:16]}"
    line = f"--{border}\r\nContent-Disposition: form-data; name="
    said = [f'{line}"{key}"\r\n\r\n{value}\r\n'.encode() for key, value in words.items()]
    shown = one_line(name).replace("\\", "_").replace('"', "%22")
    head = f'{line}"{part}"; filename="{shown}"\r\nContent-Type: {file.media_type}\r\n\r\n'
    body = b"".join([*said, head.encode(), file.content, f"\r\n--{border}--\r\n".encode()])
    return f"multipart/form-data; boundary={border}", body
