"""How times, people and bonds read on a screen. Pure: the time and the zone are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from register.plain import one_line
from register.pressing import FOR_A_PERSON, our_turn
from tui.signs import Signs

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_FLAGS: Final = {"dead": "given up", "?": "arrived?", "call": "call them", "ask": "asks you"}
"""What a bond's flag says in few cells."""
_NAME_AT_LEAST: Final = 3
"""Cells of a supplier's name that stay, however narrow its column is."""


def duration(seconds: float) -> str:
    """Return a length of time as `41m`, `1h12`, `6h`, `2d4h`, whole minutes cut off, never rounded up."""
    whole = int(abs(seconds))
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < _DAY:
        hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
        return f"{hours}h{minutes:02}" if minutes else f"{hours}h"
    days, hours = whole // _DAY, whole % _DAY // _HOUR
    return f"{days}d{hours}h" if hours and days < 100 else f"{days}d"


def due_text(due: float | None, now: float, signs: Signs) -> str:
    """Return `1h12`, `4m over !` or a dash for no promise."""
    if due is None:
        return signs.none
    if due >= now:
        return duration(due - now)
    return f"{duration(now - due)} over {signs.over}"


def hours(seconds: float) -> str:
    """Return business time as `41m`, `1h12`, `45h`: a day is no unit of it."""
    whole = int(abs(seconds))
    return duration(whole) if whole < _DAY else f"{whole // _HOUR}h"


def promise_text(row: Mapping[str, Any], now: float, signs: Signs) -> str:
    """Return when a row is due; `held 1h12` while its clock is paused with so much left, `held, over`."""
    held = row.get("held")
    if held is None:
        return due_text(row["due"], now, signs)
    return f"held {hours(held)}" if held >= 0 else f"held, over {signs.over}"


def is_over(row: Mapping[str, Any], now: float) -> bool:
    """Whether what was promised for a row has passed, or was over when its clock was paused."""
    return row.get("held", 0) < 0 or (row["due"] is not None and row["due"] < now)


def wall(epoch: float, zone: tzinfo | None) -> str:
    """Return `02:10 CET`; zone None is the host's own."""
    moment = _moment(epoch, zone)
    return f"{moment:%H:%M} {moment.tzname() or 'local'}"


def day_and_wall(epoch: float, zone: tzinfo | None) -> str:
    """Return `2026-03-29 02:10 CET`; zone None is the host's own."""
    return f"{_moment(epoch, zone):%Y-%m-%d} {wall(epoch, zone)}"


def clock(epoch: float, now: float, zone: tzinfo | None) -> str:
    """Return `02:10`, or with the date `11-03 02:10` when that was another day than `now`."""
    moment, today = _moment(epoch, zone), _moment(now, zone)
    return f"{moment:%H:%M}" if moment.date() == today.date() else f"{moment:%m-%d %H:%M}"


def ahead(epoch: float, now: float, zone: tzinfo | None) -> str:
    """Return `08:00`; from a day after `now` on `Mon 08:00`, and from a week on `11-03 08:00`."""
    days = (epoch - now) // _DAY
    form = "%H:%M" if days < 1 else "%a %H:%M" if days < 7 else "%m-%d %H:%M"
    return _moment(epoch, zone).strftime(form)


def zone_name(epoch: float, zone: tzinfo | None) -> str:
    return _moment(epoch, zone).tzname() or "local"


def _moment(epoch: float, zone: tzinfo | None) -> datetime:
    aware = datetime.fromtimestamp(epoch, UTC)
    return aware.astimezone(zone)


def person(who: str | None, people: Mapping[str, str], me: str | None, signs: Signs) -> str:
    """Return `me`, a person's name, or a dash for nobody."""
    if who is None:
        return signs.none
    return "me" if who == me else one_line(people.get(who, who))


def state_text(row: Mapping[str, Any]) -> str:
    """Return the state as the board says it: a hold with its reason, or that it waits in the spool."""
    if row.get("spool"):
        return "Refused" if row["spool"] == "refused" else "In spool"
    return f"Hold {row['hold']}" if row["hold"] else str(row["state"])


def state_and_alert(row: Mapping[str, Any]) -> str:
    """Return the state, and in words whether the alert that opened it still fires."""
    return state_text(row) + (", alert fires" if row.get("firing") else "")


def weightiest(bonds: list[list[Any]]) -> list[Any]:
    """Return the bond to show first: one that needs a hand, then one in doubt, then the oldest turn."""
    return min(bonds, key=lambda b: (b[5] not in FOR_A_PERSON, b[5] != "?", not our_turn(b), b[3]))


def bond_text(
    bonds: list[list[Any]], now: float, signs: Signs, *, wide: bool, key: bool = False, over: int = 0
) -> str:
    """Return `acme ✓ theirs 12m`, in a narrow column `acme ✓ 12m` or `acme ✓ OURS`.

    over: by so many cells the supplier's name is to be shorter.
    """
    if not bonds:
        return signs.none
    bond = weightiest(bonds)
    vendor, their_key = bond[0], bond[4]
    name = one_line(vendor) + (f" {one_line(their_key)}" if key and their_key else "")
    name = fit(name, max(_NAME_AT_LEAST, cell_len(name) - over), signs) if over > 0 else name
    rest = f" +{len(bonds) - 1}" if len(bonds) > 1 else ""
    return f"{name} {_bond_sign(bond, signs)} {_turn(bond, max(0, now - bond[3]), wide)}{rest}"


def bond_words(bond: list[Any], now: float, signs: Signs) -> str:
    """Return how it stands with one supplier, in words: `says fixed, ball ours 3m`."""
    _, state, ball, since, _, flag = bond[:6]
    if flag == "dead":
        return f"{signs.alarm} waits for a person (4 Outbox)"
    if flag == "?":
        return f"{signs.unsure} not known to have arrived"
    if flag == "call":
        return f"{signs.alarm} waits for a call or a hand-over (d calls, 4 Outbox)"
    if flag == "ask" and state != "fixed":
        return f"{signs.alarm} asks for your word (Enter shows it)"
    age = duration(max(0, now - since))
    if state == "engaging":
        return f"being sent for {age}"
    return f"{'says fixed, ' if state == 'fixed' else ''}ball {ball} {age}"


def bond_short(bond: list[Any], now: float, signs: Signs) -> str:
    """Return what `bond_words` says in 20 cells at most: `fixed? OURS 1m`."""
    _, state, ball, since, _, flag = bond[:6]
    sign = f"{_bond_sign(bond, signs)} " if flag in _FLAGS else ""
    if sign and not (flag == "ask" and state == "fixed"):
        turn = _FLAGS[flag]
    elif state == "engaging":
        turn = "sending"
    else:
        turn = f"{'fixed? ' if state == 'fixed' else ''}{'OURS' if ball == 'ours' else ball}"
    return f"{sign}{turn} {duration(max(0, now - since))}"


def _bond_sign(bond: list[Any], signs: Signs) -> str:
    if bond[5] != "ok":
        return signs.unsure if bond[5] == "?" else signs.alarm
    return signs.sending if bond[1] == "engaging" else signs.known


def _turn(bond: list[Any], age: float, wide: bool) -> str:
    state, ball, flag = bond[1], bond[2], bond[5]
    if flag == "call":
        return f"call {duration(age)}" if wide else "CALL"
    if state == "engaging" and flag == "ok":
        return f"sending {duration(age)}" if wide else duration(age)
    if state == "fixed":
        return f"fixed? {duration(age)}" if wide else "FIXED?"
    if wide:
        return f"{ball} {duration(age)}"
    return "OURS" if ball == "ours" else duration(age)


def fit(text: str, width: int, signs: Signs) -> str:
    """Return `text` in exactly `width` cells: filled up, or cut with a sign that there was more."""
    if width <= 0:
        return ""
    if text.isascii():
        if len(text) <= width:
            return text.ljust(width)
        return text[: width - 1] + signs.more
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + signs.more
