"""What a template of each operation may take, and what each must give. Told in docs/rest.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ALWAYS: Final = ("omit", "vendor", "site", "account")
_TICKET: Final = ("ticket",)
_PRIORITY: Final = ("priority", "priority_code", "our_priority", "impact", "urgency", "fields")
TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "me": (),
    "create": ("op_id", "title", "text", *_PRIORITY),
    "find": ("op_id", "since"),
    "get": _TICKET,
    "comment": (*_TICKET, "op_id", "text", "public"),
    "transition": (*_TICKET, "op_id", "state", "state_code", "means", "note", "version", "fields"),
    "priority": (*_TICKET, "op_id", "version", *_PRIORITY),
    "attach": (*_TICKET, "op_id", "name", "media_type", "size", "content"),
    "history": (*_TICKET, "row"),
    "changes": ("since",),
}
"""Operation → names that its templates may take, besides those of its earlier steps."""
OPERATIONS: Final = tuple(TAKES)
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "me": ("account",),
    "create": ("id",),
    "find": ("id", "reference"),
    "get": ("title", "state", "updated"),
    "comment": (),
    "transition": (),
    "priority": (),
    "attach": (),
    "history": (),
    "changes": ("id", "updated"),
}
"""Operation → what its last step must give."""
MAY_LACK: Final = frozenset(
    {"assignee", "priority", "version", "url", "key", "moved", "author", "size", "name"}
)
"""What may not be there in an answer."""
