"""Asking a Freshservice: its refusals with the names of the fields, its pages, one ticket that it hides."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from integrations.answers import Answer
from integrations.errors import AuthFailed, AuthTrouble, Gone, OpId, Rejected
from integrations.freshservice.wire import PAGE
from integrations.reading import read
from integrations.wish import Wish
from register.text import clip, one_line

if TYPE_CHECKING:
    from pydantic import BaseModel

    from integrations.connector import Ref
    from integrations.freshservice.account import Account
    from integrations.http import Http

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")
_INVALID: Final = 400
_MOST_SAID: Final = 300


async def write(
    http: Http,
    method: str,
    path: str,
    json: object = None,
    *,
    safe: bool,
    op_id: OpId,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make or change something; Rejected with the names of the fields where they do not take them."""
    wish = Wish(method, path, safe, None, json, content, headers, op_id, told=(_INVALID,))
    answer = await http.ask(wish)
    if answer.status == _INVALID:
        raise _refusal(http, answer.body)
    return answer


def _refusal(http: Http, body: bytes) -> Rejected:
    """Of `{description, errors: [{field, message, code}]}`: `description` alone says only that it failed."""
    fields: dict[str, str] = {}
    said = ""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if isinstance(told, dict):
        rows = told.get("errors")
        for row in rows[:10] if isinstance(rows, list) else ():
            if isinstance(row, dict):
                fields[_clean(http, row.get("field")) or "?"] = _clean(
                    http, row.get("message") or row.get("code")
                )
        said = _clean(http, told.get("description") or told.get("message") or told.get("code"))
    why = "; ".join(f"{name}: {what}" for name, what in fields.items()) or said
    told_why = f" ({clip(why.rstrip('.'), _MOST_SAID)})" if why else ""
    hint = " What always goes with it can stand in `close` or `fields` in vendors.toml." if fields else ""
    return Rejected(f"{http.name} said no: HTTP 400{told_why}.{hint}", _INVALID, fields)


def _clean(http: Http, told: object) -> str:
    return one_line(http.masked(str(told), _MOST_SAID)) if told is not None else ""


async def every(
    http: Http, path: str, model: type[M], what: str, most: int, params: Mapping[str, Any] | None = None
) -> tuple[list[dict[str, Any]], int]:
    """All rows of a list, page by page, and how many pages it had; -1 where it has more than `most`."""
    rows: list[dict[str, Any]] = []
    for page in range(1, most + 1):
        asked = {**(params or {}), "page": page, "per_page": PAGE}
        some = getattr(read(model, await http.get(path, asked)), what)
        rows += some
        if len(some) < PAGE:
            return rows, page
    return rows, -1


async def shown(account: Account, ref: Ref, asked: Awaitable[T]) -> T:
    """What was asked of one ticket; where it is forbidden or not there, first whether we are still somebody.

    One ticket that is hidden from us is no reason to think that our account lost its rights.
    """
    name = account.http.name
    try:
        return await asked
    except Gone:
        failure: type[Gone] | None = Gone
    except AuthFailed as refused:
        if refused.trouble is not AuthTrouble.FORBIDDEN:
            raise
        failure = None
    await account.agent()
    if failure is not None:
        raise Gone(
            f"{name} has no {ref.key} for us any more: it was deleted for good, or it is where our account"
            " may not look (another workspace, another group). Ask them."
        )
    raise Rejected(
        f"{name} does not let our account at {ref.key}: it may have been given to a group or a workspace that"
        " our account does not see. Ask them.",
        403,
    )
