"""What people did, and what it makes due: the auditor's own reading of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from register.audit.account import (
    ASKED,
    DELIVERED,
    DROPPED,
    FAILED,
    FIRST,
    OVERDUE,
    Account,
    Stands,
    Wrong,
    clock_words,
    length_words,
)
from register.audit.firing import asks_anew
from register.core import Recorded


def _created(account: Account, one: Recorded, event: Any) -> None:
    account.impact, account.urgency = event.impact, event.urgency


def _started(account: Account, one: Recorded, event: Any) -> None:
    account.run, account.plan, account.stands = event.run, event.plan, Stands.ASKS
    account.due, account.again_at, account.last = event.next_at, None, None
    account.alone, account.awaits, account.cycle = bool(event.asks), frozenset(), 0
    account.fired, account.pages, account.held = set(), {}, event.held
    account.expect_from(FIRST)
    if not event.plan.steps:
        account.wrong(one, Wrong.NOBODY, f"its escalation began at {clock_words(one.at)} without any step.")
    if event.acked_by is not None:
        _had(account, one, event.acked_by)
    elif event.next_at is None and event.why != "by hand":
        account.wrong(
            one, Wrong.NOBODY, f"its escalation began at {clock_words(one.at)} for nobody: no step is due."
        )


def _overtaken(account: Account, one: Recorded) -> None:
    """Somebody came first, so long after the time of a step that it should have been fired by then."""
    due = account.next_at
    if due is not None and one.at - due > OVERDUE:
        account.wrong(
            one,
            Wrong.OVERTAKEN,
            f"{account.next_words} was due at {clock_words(due)}; nobody had fired it when somebody came"
            f" {length_words(one.at - due)} later.",
        )


def _had(account: Account, one: Recorded, by: str | None) -> None:
    """Somebody has it. Whose own word is awaited is reminded still."""
    if account.stands is Stands.NONE:
        return
    _overtaken(account, one)
    account.cycle += account.stands is not Stands.HAS
    account.awaits -= {by or ""}
    account.due = one.at + account.wait(account.last or FIRST) if account.awaits else None
    account.again_at = None if by is None or account.on_hold else account.until(one.at)
    account.had_at, account.had_by, account.stands = one.at, by or account.had_by, Stands.HAS
    account.alone, account.held = False, ""


def _acknowledged(account: Account, one: Recorded, event: Any) -> None:
    if not event.late:
        _had(account, one, event.by)


def _reassigned(account: Account, one: Recorded, event: Any) -> None:
    if event.to is not None and account.stands is not Stands.NONE:
        _overtaken(account, one)
        asks_anew(account, one)
        account.alone = True


def _put_on_hold(account: Account, one: Recorded, event: Any) -> None:
    account.on_hold = True
    _had(account, one, None)


def _resumed(account: Account, one: Recorded, event: Any) -> None:
    was, account.on_hold = account.on_hold, False
    if not was:
        _had(account, one, None)
    elif account.stands is Stands.HAS:
        account.again_at = account.until(one.at)


def _corrected(account: Account, one: Recorded, event: Any) -> None:
    was, priority = account.is_low, account.priority
    account.impact = event.after.impact or account.impact
    account.urgency = event.after.urgency or account.urgency
    has = account.stands is Stands.HAS and account.had_by is not None and not account.held
    if has and not account.on_hold and account.priority is not priority:
        until = account.until(account.had_at or one.at)
        account.again_at = None if until is None else max(until, one.at)
    asks = account.stands is Stands.ASKS and not account.held
    if was != account.is_low and asks and account.last is not None:
        _overtaken(account, one)
        account.due = None if account.is_low else one.at


def _unacknowledged(account: Account, one: Recorded, event: Any) -> None:
    asks_anew(account, one)
    account.due = event.next_at


def _to_next_step(account: Account, one: Recorded, event: Any) -> None:
    if event.then is not None and account.stands is not Stands.NONE:
        _overtaken(account, one)
        asks_anew(account, one)
        account.expect_from(tuple(event.then))


def _rebased(account: Account, one: Recorded, event: Any) -> None:
    account.plan, account.fired = event.plan, set()
    account.expects = ()
    if event.then is not None:
        account.expect_from(tuple(event.then))
        if account.stands is Stands.EXHAUSTED:
            account.stands, account.due = Stands.ASKS, one.at


def _over(account: Account, one: Recorded, event: Any) -> None:
    _overtaken(account, one)
    account.on_hold = False
    account.ends()


def _ended(account: Account, one: Recorded, event: Any) -> None:
    account.ends()


def _page_failed(account: Account, one: Recorded, event: Any) -> None:
    """Where nobody of a firing can be reached at all, the next step is due at once."""
    account.page(event, FAILED)
    if not account.is_of_last(event) or event.next_at is not None:
        return
    asks = account.stands is Stands.ASKS and not account.held
    if asks and account.due is not None and account.due > one.at and set(account.pages.values()) == {FAILED}:
        account.due = one.at


def _works_on_it(account: Account, one: Recorded, event: Any) -> None:
    """A word that somebody is on it, as good as another acknowledgement."""
    if account.again_at is not None and account.stands is Stands.HAS:
        account.again_at = account.until(one.at)


def _goes_on(account: Account, at: datetime) -> None:
    """What it waited for is over then."""
    if account.again_at is not None:
        again = account.until(account.had_at or at)
        account.again_at = None if again is None else max(again, at)
    if account.due is None or account.stands is not Stands.ASKS:
        account.held = ""
    account.due = account.due and at


def _silenced(account: Account, one: Recorded, event: Any) -> None:
    if account.held == "silence":
        _goes_on(account, event.until)


def _loud(account: Account, one: Recorded, event: Any) -> None:
    if account.held == "silence":
        _goes_on(account, one.at)


def _released(account: Account, one: Recorded, event: Any) -> None:
    if account.stands is not Stands.NONE and event.run == account.run:
        _goes_on(account, event.next_at)


def _held_back(account: Account, one: Recorded, event: Any) -> None:
    """A hold kept the pages of the last firing from everybody: it fires again, now or at the hold's end."""
    account.page(event, DROPPED)
    asks = account.stands is Stands.ASKS and not account.held and account.is_of_last(event)
    if event.held and asks and not account.reached:
        account.takes_back()
        account.due = one.at


PEOPLE: Final[Mapping[str, Callable[[Account, Recorded, Any], None]]] = MappingProxyType(
    {
        "created": _created,
        "corrected": _corrected,
        "escalation_started": _started,
        "escalation_ended": _ended,
        "acknowledged": _acknowledged,
        "assigned": lambda account, one, event: _had(account, one, event.to),
        "reassigned": _reassigned,
        "held": _put_on_hold,
        "resumed": _resumed,
        "resolved": _over,
        "closed": _over,
        "canceled": _over,
        "unacknowledged": _unacknowledged,
        "escalated_functional": _to_next_step,
        "policy_rebased": _rebased,
        "notified": lambda account, one, event: account.page(event, DELIVERED),
        "notify_failed": _page_failed,
        "paged_again": lambda account, one, event: account.page(event, ASKED),
        "page_cancelled": _held_back,
        "note": _works_on_it,
        "replied": _works_on_it,
        "caller_told": _works_on_it,
        "called": _works_on_it,
        "silenced": _silenced,
        "unsilenced": _loud,
        "step_released": _released,
    }
)
"""Kind of event → what the auditor makes of it."""
