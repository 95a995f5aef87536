"""A supplier's answers, read into the shapes that a connector expects, or found not to fit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from integrations.answers import Answer, lost
from integrations.connector import Unread
from integrations.zones import NO_ZONE, SAYS, zoned
from register.text import clean, clip, one_line

MAX_RAW: Final = 4_000
"""Characters of an unreadable change that are kept for a person."""
M = TypeVar("M", bound=BaseModel)


def read(model: type[M], answer: Answer) -> M:
    """The answer's JSON as a `model`. One of another shape counts as lost: it proves nothing."""
    try:
        return model.model_validate(answer.json(), context=zoned(answer.zone))
    except ValidationError as error:  # raised below, so that nothing of the answer hangs on the failure
        kinds = {one["type"] for one in error.errors(include_input=False, include_context=False)}
    says = SAYS if NO_ZONE in kinds else "gave an answer that this connector cannot read"
    raise lost(answer.name, says, answer.repeatable, answer.op_id)


def unread_row(
    row: Mapping[str, Any], keys: Sequence[str], error: ValueError, ticket_key: str = ""
) -> Unread:
    """A change that could not be read: named by the values of `keys`, or by its digest if it lacks them.

    ticket_key: under which the id of its ticket stands, so that it can be told whom it is about.
    """
    raw = repr(dict(row))
    name = ":".join(str(row.get(key)) for key in keys)
    if not all(type(row.get(key)) in (int, str) for key in keys):
        name = f"?{hashlib.sha256(raw.encode('utf-8', 'replace')).hexdigest()[:32]}"
    why = str(error)
    if isinstance(error, ValidationError):
        why = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    said = row.get(ticket_key)
    ticket = clip(one_line(str(said)), 100) if type(said) in (int, str) else ""
    return Unread(clip(one_line(name), 100), clip(clean(raw), MAX_RAW), clip(one_line(why), 300), ticket)
