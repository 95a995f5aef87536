"""`muster vendors try`: one operation at a supplier, each request filled in, and what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from pydantic import BaseModel

from integrations.trying import OPERATIONS, STATES, WRITES, Tried, mind, tried
from register.core import Refused
from register.text import clip, one_line
from tui.cli.answer import Answer
from tui.cli.suppliers import Name, vendor_named
from tui.cli.trouble import SUPPLIER

_LONGEST: Final = 2_000
_DEEPEST: Final = 20
What = Annotated[str, typer.Argument(metavar="OPERATION", help=", ".join(OPERATIONS))]


def try_(
    name: Name,
    operation: What,
    ticket: Annotated[str, typer.Option(help="the ticket's number there")] = "",
    text: Annotated[str, typer.Option(help="what to write")] = "",
    state: Annotated[str, typer.Option(help=f"transition: {', '.join(STATES)}; else working")] = "",
    op_id: Annotated[str, typer.Option("--op-id", help="find: the operation id to look for")] = "",
    send: Annotated[bool, typer.Option("--send", help="really write; without it nothing goes out")] = False,
    production: Annotated[
        bool, typer.Option("--to-production", help="with --send: yes, where people act on it")
    ] = False,
) -> Answer:
    """Try one operation at a supplier: show each request, and what was taken of the answer."""
    wish = {"ticket": ticket.strip(), "text": text, "state": state, "op_id": op_id}
    mind(operation, wish)
    vendor = vendor_named(name)
    if vendor.by_hand:
        raise Refused(f"{vendor.title} has no system that is spoken to: there is nothing to try.")
    writes = operation in WRITES
    if writes and send and vendor.production and not production:
        raise Refused(
            f"{vendor.title} is in production: people there would act on it. Nothing was sent. If that is"
            " meant, say --to-production as well."
        )
    done = asyncio.run(tried(vendor, operation, wish, send=send))
    sent = send or not writes
    return Answer(_data(done, sent), _lines(done, sent), SUPPLIER if done.failure else 0)


def _data(done: Tried, sent: bool) -> Mapping[str, Any]:
    return {
        "sent": sent,
        "requests": list(done.requests),
        "awaited": list(done.awaited),
        "taken": _plain(done.shown),
        "found": _plain(done.found),
        "failure": done.failure,
    }


def _lines(done: Tried, sent: bool) -> list[str]:
    lines: list[str] = []
    for one in done.requests:
        if one.get("when"):
            lines.append(f"  The next one only where {one['when']} gives something:")
        lines += [f"→ {one['method']} {one['url']}"]
        lines += [f"  {name}: {value}" for name, value in one["headers"].items()]
        lines += [f"  {line}" for line in one["body"].split("\n") if line]
        if one.get("status") is not None:
            lines += [f"← {one['status']} {clip(one_line(one.get('answer', '')), _LONGEST)}"]
    lines += [f"  {one['request']} gave {_shown(one['took'])}" for one in done.shown]
    if done.failure:
        lines.append(f"✗ {done.failure}")
    elif sent:
        lines.append(f"✓ {_shown(done.found)}")
    else:
        lines.append(_unsent(done))
    return lines


def _unsent(done: Tried) -> str:
    """What the requests that are shown leave open."""
    if not done.whole:
        return "Nothing was sent. What comes after the first answer is only seen with --send."
    if not done.awaited:
        return "Nothing was sent."
    return (
        "Nothing was sent. Only known once an earlier request is answered, and so not filled in:"
        f" {', '.join(done.awaited)}. --send shows it."
    )


def _shown(found: Any) -> str:
    """In one line, as in the --json."""
    said = json.dumps(_plain(found), ensure_ascii=False, separators=(",", ":"))
    return clip(one_line(said), _LONGEST)


def _plain(found: Any, deep: int = 0) -> Any:
    """What was found, as JSON takes it: without what a template leaves out, and not deeper than one reads."""
    from integrations.rest.templates import OMIT  # heavy, and for this command alone

    if isinstance(found, BaseModel):
        return _plain(dict(found), deep)
    if deep > _DEEPEST and isinstance(found, Mapping | list | tuple):
        return "…"
    if is_dataclass(found) and not isinstance(found, type):
        return {"kind": type(found).__name__, **_plain(_shallow(found), deep)}
    if isinstance(found, Mapping):
        return {str(key): _plain(one, deep + 1) for key, one in found.items() if one is not OMIT}
    if isinstance(found, list | tuple):
        return [_plain(one, deep + 1) for one in found if one is not OMIT]
    if isinstance(found, datetime):
        return found.isoformat().replace("+00:00", "Z")
    if found is OMIT:
        return None
    return found if isinstance(found, str | int | float | bool) or found is None else str(found)


def _shallow(found: Any) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in type(found).__dataclass_fields__}
