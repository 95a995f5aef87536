"""A time gone by, as people write it, and the register as it was known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Final

import typer

from register.core import NotFound
from register.store.history import Then, first_recorded, secret_now, then
from register.store.sight import sight_of
from register.text import clip, one_line
from tui.cli.here import Here
from tui.cli.trouble import WrongUse, told
from tui.typed_time import NoZone, at_zone, placed, read

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="as it was known then: 2h (ago), 02:10, yesterday (its beginning), 2026-03-29 02:10,"
        " 2026-03-29T02:10+02:00, or with a zone behind it, as in '2026-03-29 02:10 Europe/Oslo'",
        show_default=False,
    ),
]
_EXAMPLES: Final = "write 2h (two hours ago), 02:10, yesterday, '2026-03-29 02:10' or 2026-03-29T02:10+02:00"


def past(typed: str, now: datetime) -> datetime:
    """Return a moment up to `now`; raises WrongUse for what is none, lies ahead, or is no single moment."""
    text = one_line(typed)
    shown = clip(text, 40)
    try:
        found = read(text)
        when = None if found is None else placed(found, now, ahead=False, wall=_wall)
    except NoZone as name:
        raise WrongUse(
            f"--as-of: {clip(str(name), 40)!r} is no time zone: write a name as in Europe/Oslo, or an offset"
            " as in +02:00.",
            "as_of",
        ) from None
    except (ValueError, OverflowError):
        when = None
    if when is None:
        raise WrongUse(f"--as-of {shown!r} is no time: {_EXAMPLES}.", "as_of")
    if when > now:
        here = now.astimezone().strftime("%Y-%m-%d %H:%M %Z")
        raise WrongUse(
            f"--as-of {shown!r} lies in the future (it is {here} now): leave --as-of away to see what is"
            " known now.",
            "as_of",
        )
    return when


def _wall(naive: datetime, zone: tzinfo | None) -> datetime:
    """Return the one moment of a wall time; a wall time that never was, or was twice, is refused."""
    first, second = (at_zone(naive.replace(fold=fold), zone) for fold in (0, 1))
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
