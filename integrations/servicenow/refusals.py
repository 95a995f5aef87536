"""Writing there, and what a refusal means: 403 is said by access rules and by rules about records alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from integrations.answers import MAX_SENTENCE
from integrations.errors import AuthFailed, AuthTrouble, Rejected
from integrations.wish import Wish
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.http import Http

_OF_THE_RECORD: Final = ("data policy", "business rule", "mandatory", "invalid update", "not a valid")
"""Signs that a 403 is about what was written, not about who wrote it."""
_TOLD: Final = (400, 403)
_MOST: Final = 4_000


async def asked(
    http: Http,
    method: str,
    path: str,
    params: Mapping[str, Any],
    body: Mapping[str, str] | bytes,
    *,
    op_id: str,
    safe: bool = False,
    media_type: str = "",
) -> Answer:
    """Write, and tell a refusal by its detail. A page is no answer: it is no JSON, so it counts as lost."""
    wish = Wish(
        method,
        path,
        safe,
        params,
        json=None if isinstance(body, bytes) else body,
        content=body if isinstance(body, bytes) else None,
        headers={"Content-Type": media_type} if media_type else None,
        op_id=op_id,
        page=True,
        told=_TOLD,
    )
    answer = await http.ask(wish)
    if answer.status not in _TOLD:
        return answer
    said = _detail(http, answer.body)
    told = f" ({said})" if said else ""
    if answer.status != 403:
        raise Rejected(f"{http.name} said no: HTTP {answer.status}{told}.", answer.status)
    if any(sign in said.lower() for sign in _OF_THE_RECORD):
        raise Rejected(
            f"A rule of {http.name} does not take it: {said}. Nothing was changed. What it wants besides can"
            f" stand in `fields` of [vendor.{http.name}.close] for resolving, in `entitlement` and `fields`"
            " for a new incident.",
            403,
        )
    raise AuthFailed(
        f"{http.name} does not allow this to our account: HTTP 403{told}.", AuthTrouble.FORBIDDEN
    )


def _detail(http: Http, body: bytes) -> str:
    """`error.detail`, else `error.message`, clean and without our secrets."""
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    told = told if isinstance(told, dict) else {}
    error = told["error"] if isinstance(told.get("error"), dict) else told
    sayings = [error.get(key) for key in ("detail", "message")]
    said = next((one for one in sayings if isinstance(one, str) and one), "")
    return clip(one_line(http.masked(said, _MOST)), MAX_SENTENCE).rstrip(".")
