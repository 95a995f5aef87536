"""What must be true of a supplier's RT before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from integrations.checks import failed, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure
from integrations.rt.config import RtConfig
from integrations.rt.tickets import Tickets
from integrations.rt.transactions import Transactions
from integrations.rt.wire import quoted, types
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http

QUEUE: Final = "Queue"
"""In `fields`: no custom field, but the queue that a ticket is made in."""
_FIX: Final = "in vendors.toml, to the letter"


async def health(http: Http, config: RtConfig, tickets: Tickets, transactions: Transactions) -> Health:
    """Identity, queue, rights, mapping, look-up and comments, each a line."""
    try:
        await http.get("/rt")
        who = one_line(await transactions.me())
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    says = f"signed in as {who}" if who else "signed in; the account's name shows once it wrote something"
    lines = [Check("identity", True, says)]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("queue", lambda: _queue(http.name, config, tickets)),
        ("look-up", lambda: _look_up(http.name, config, tickets)),
        ("states", lambda: _states(config, tickets)),
        ("internal comments", lambda: _comments(config, transactions)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    return Health(who, tuple(lines))


async def _queue(vendor: str, config: RtConfig, tickets: Tickets) -> Iterable[Check]:
    """RT finds a queue whatever its capitals, and drops without a word a field that it does not know."""
    queue = await tickets.queue()
    names = ", ".join(one_line(field.name) for field in queue.TicketCustomFields) or "none"
    return (
        _line(
            "queue",
            queue.Name == config.queue and str(queue.Disabled) == "0",
            f"{config.queue} is there",
            f"there is {one_line(queue.Name)}, or it is closed",
            f"mend `queue` {_FIX}",
        ),
        _line(
            "permission",
            any(link.ref == "create" for link in queue.links),
            "may make tickets",
            "may not make tickets",
            f"ask {vendor} for the right CreateTicket on the queue",
        ),
        _line(
            "reference",
            queue.has(config.reference_field),
            f"{config.reference_field} is on the queue",
            f"the queue shows us no field {config.reference_field}, but: {names}",
            f"mend `reference_field` {_FIX}, or ask {vendor} for the field and for the rights "
            "SeeCustomField and SetInitialCustomField",
        ),
        *(
            _line(
                "fields",
                queue.has(field),
                f"{field} is on the queue",
                f"the queue shows us no field {field}, but: {names}",
                f"mend `fields` {_FIX}, or ask {vendor} for the field",
            )
            for field in dict.fromkeys((*config.fields.values(), config.close.field, *config.close.fields))
            if field not in (QUEUE, "")
        ),
        *[await _other_queue(vendor, name, tickets) for name in _queues(config)],
        mapped("priorities", config.unranked),
    )


def _queues(config: RtConfig) -> list[str]:
    """The other queues that tickets are made in, by category or service."""
    tables = {"category": config.categories, "service": config.service_names}
    chosen = [table for ours, table in tables.items() if config.fields.get(ours) == QUEUE]
    named = dict.fromkeys(word for table in chosen for word in table.values())
    return [name for name in named if name != config.queue]


async def _other_queue(vendor: str, name: str, tickets: Tickets) -> Check:
    """Whether our reference can be found there, too: there is no promise of one ticket without it."""
    queue = await tickets.queue(name)
    has, may = queue.has(tickets.config.reference_field), any(link.ref == "create" for link in queue.links)
    good = queue.Name == name and str(queue.Disabled) == "0" and has and may
    bad = f"{name} is closed, shows no field {tickets.config.reference_field}, or may not be written to"
    return _line("queue", good, f"{name} is there, too", bad, f"mend it {_FIX}, or ask {vendor} for it")


async def _look_up(vendor: str, config: RtConfig, tickets: Tickets) -> Iterable[Check]:
    told = await tickets.search(f"'CF.{{{config.reference_field}}}' = '-'")
    proved = await tickets.sees_own()
    return (
        _line(
            "look-up",
            told.total is not None,
            "sees the tickets that we made" if proved else "answers; proved with our first ticket there",
            "lists have holes: a ticket or an answer could be missed",
            f"ask {vendor} to set $UseSQLForACLChecks to 1, as it is by default",
        ),
    )


async def _states(config: RtConfig, tickets: Tickets) -> Iterable[Check]:
    """RT does not tell an account what states there are; the tickets it sees do."""
    told = await tickets.search(f"Queue = {quoted(config.queue)}", "Status", changed_last=True)
    strange = sorted({hit.Status for hit in told.items} - config.states.keys())
    return (
        _line(
            "states",
            not strange,
            f"all known on the {len(told.items)} tickets last changed",
            f"{', '.join(map(one_line, strange))} means nothing to us",
            "add it to `states` in vendors.toml",
        ),
    )


async def _comments(config: RtConfig, transactions: Transactions) -> Iterable[Check]:
    """Whether internal comments show. If some do and none are listened to, that is said, not failed."""
    where = f"TicketQueue = {quoted(config.queue)} AND {types('Comment')}"
    seen = bool(await transactions.page(where, newest_first=True))
    if config.internal_comments:
        good = "heard" if seen else "set up; none is there yet, or ShowTicketComments is lacking: ask them"
    else:
        good = "not heard, though shown: see internal_comments" if seen else "not heard"
    return (Check("internal comments", True, good),)


def _line(name: str, ok: bool, good: str, bad: str, todo: str) -> Check:
    return Check(name, ok, good) if ok else Check(name, False, bad, todo)
