"""A time gone by, as people write it, and the register as it was known then."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from register.core import NotFound
from register.store.history import Then, first_recorded, secret_now, then
from register.store.sight import sight_of
from register.text import clip, one_line
from tui.cli.here import Here
from tui.cli.trouble import WrongUse, told
from tui.forms import period

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="as it was known then: 2h (ago), 02:10, 2026-03-29 02:10, 2026-03-29T02:10+02:00, or with a zone"
        " behind it, as in '2026-03-29 02:10 Europe/Oslo'",
        show_default=False,
    ),
]
_EXAMPLES: Final = "write 2h (two hours ago), 02:10, '2026-03-29 02:10' or 2026-03-29T02:10+02:00"
_AGO: Final = re.compile(
    r"-?\s*(?=.*[dhm])(?P<span>(?:\d+\s*d)?\s*(?:\d+\s*h)?\s*(?:\d+\s*m?)?)\s*(?:ago)?",
    re.IGNORECASE | re.ASCII,
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d\d(?::\d\d)?", re.ASCII)
_ISO: Final = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)


def past(typed: str, now: datetime) -> datetime:
    """Return a moment up to `now`; raises WrongUse for what is none, lies ahead, or is no single moment."""
    text = one_line(typed)
    found = _read(text, now)
    if found is None:
        raise WrongUse(f"--as-of {clip(text, 40)!r} is no time: {_EXAMPLES}.", "as_of")
    if found > now:
        here = now.astimezone().strftime("%Y-%m-%d %H:%M %Z")
        raise WrongUse(
            f"--as-of {clip(text, 40)!r} lies in the future (it is {here} now): leave --as-of away to see"
            " what is known now.",
            "as_of",
        )
    return found


def _read(text: str, now: datetime) -> datetime | None:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        back = period(ago["span"].strip().casefold())
        try:
            return None if back is None else now - back
        except OverflowError:
            return None
    words, zone = _zoned(text)
    if _CLOCK.fullmatch(words):
        today = now.astimezone(zone)
        day = f"{today:%Y-%m-%d}"
        found = _moment(f"{day}T{words:0>5}", zone)
        if found is not None and found > now:  # the time of day has not come yet: yesterday's is meant
            found = _moment(f"{today - timedelta(days=1):%Y-%m-%d}T{words:0>5}", zone)
        return found
    return _moment(words, zone) if _ISO.fullmatch(words) else None


def _zoned(text: str) -> tuple[str, tzinfo | None]:
    """Return the text without a zone's name behind it, and that zone; None is the host's own."""
    words, _, name = text.rpartition(" ")
    if not words or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", name):
        return text, None
    if name.upper() in ("UTC", "Z"):
        return words, UTC
    try:
        return words, ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongUse(
            f"--as-of: {clip(name, 40)!r} is no time zone: write a name as in Europe/Oslo, or an offset as in"
            " +02:00.",
            "as_of",
        ) from None


def _moment(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        read = datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
        return read if read.tzinfo is not None else _wall(read, zone)
    except (ValueError, OverflowError):
        return None


def _wall(naive: datetime, zone: tzinfo | None) -> datetime:
    """Return the one moment of a wall time; a wall time that never was, or was twice, is refused."""
    first, second = (_placed(naive.replace(fold=fold), zone) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    day, clock = f"{naive:%Y-%m-%d}", f"{naive:%H:%M}"
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive:
        both = " or ".join(one.isoformat(timespec="minutes") for one in (first, second))
        raise WrongUse(f"--as-of: {clock} was twice on {day}, when clocks went back: write {both}.", "as_of")
    raise WrongUse(
        f"--as-of: there was no {clock} on {day}: clocks went forward then. Write the hour before or after.",
        "as_of",
    )


def _placed(naive: datetime, zone: tzinfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)


def known(at: Here, when: datetime) -> Then:
    """Return what the register knew at that time."""
    with at.store.read() as connection:
        return then(connection, when)


def looking_back(at: Here) -> Here:
    """Return the same register for showing its past: with what this reader may see of it now."""
    with at.store.read() as connection:
        return replace(at, hidden=secret_now(connection, sight_of(connection, at.who)))


def heading(at: Here, when: Then) -> list[str]:
    """Return the lines that say of which time the rest is."""
    lines = [f"As known on {spoken(when.at)}; corrections and news since then are left out."]
    if when.empty:
        with at.store.read() as connection:
            first = first_recorded(connection)
        begins = "It has no event yet." if first is None else f"Its first event was recorded {spoken(first)}."
        lines.append(f"The register knew nothing then. {begins}")
    return lines


def not_known(at: Here, when: Then, number: str) -> NotFound:
    """Return what is said of an incident that was not known then."""
    with at.store.read() as connection:
        first = first_recorded(connection, number)
    if first is None:
        return NotFound(f"There is no {number}, then or now. `muster list` shows the open ones.")
    return NotFound(f"{number} was not known on {spoken(when.at)}: it was logged {spoken(first)}.")


def spoken(moment: datetime) -> str:
    """Return a moment in this host's zone, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def board_moment(argv: Sequence[str]) -> float | int:
    """Return the moment, epoch seconds, of `muster --as-of TIME`; an exit code where it is none."""
    try:
        return past(_only_time(argv), datetime.now(UTC)).timestamp()
    except WrongUse as wrong:
        return told(wrong, as_json=False)


def _only_time(argv: Sequence[str]) -> str:
    first, *rest = argv
    _, equals, typed = first.partition("=")
    if not equals and first == "--as-of" and rest:
        typed, *rest = rest
    if not typed or rest:
        raise WrongUse(
            "muster --as-of TIME opens the board as it was known then; for a command it stands behind it:"
            f" muster list --as-of TIME. As a time {_EXAMPLES}."
        )
    return typed
