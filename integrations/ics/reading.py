"""An iCalendar text → what happens in it within a span, each repetition by itself; icalendar reads it.

Times: what has a zone is meant there (RFC 5545: a time that does not exist counts by the offset before the
gap, one that comes twice is the first of the two). What floats, and whole days, are in the calendar's own
zone, else in the rota's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from register.canon import stamp
from register.plain import clip, one_line

MOST_EVENTS: Final = 20_000
MOST_HAPPENINGS: Final = 4_000
MOST_TOLD: Final = 20
_MOST_PEOPLE: Final = 20
_WIDER: Final = timedelta(days=2)
"""What is looked at beside the span: the reader compares times without a zone with those that have one."""
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY")
_AWAY: Final = ("ROOM", "RESOURCE")


class Unreadable(Exception):
    """The whole calendar says nothing that could be relied upon. A half-sentence that begins with a verb."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, or one repetition of it. begin, end: as `canon.stamp` writes them."""

    begin: str
    end: str
    summary: str
    attendees: tuple[str, ...]
    organizer: tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """What was found. lost: of events that could not be read, what is wrong with each, cut at MOST_TOLD."""

    happenings: list[Happening] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    lost_count: int = 0

    def loses(self, what: str) -> None:
        self.lost_count += 1
        if len(self.lost) < MOST_TOLD:
            self.lost.append(what)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read(text: bytes, begin: datetime, end: datetime, zone: str) -> Reading:
    """Return what happens between two moments. Unreadable where the calendar is none, or is hostile."""
    found = Reading()
    for calendar in _calendars(text):
        _read(calendar, begin, end, zone, found)
    found.happenings.sort(key=lambda one: (one.begin, one.end, one.summary))
    return found


def _read(calendar: Any, begin: datetime, end: datetime, zone: str, found: Reading) -> None:
    scale = one_line(str(calendar.get("CALSCALE", "GREGORIAN")))
    if scale.upper() != "GREGORIAN":
        raise Unreadable(f"counts days in a way of its own ({clip(scale, 40)})")
    own = _zone(one_line(str(calendar.get("X-WR-TIMEZONE", ""))))
    there = own or ZoneInfo(zone)
    alone = {} if own is None else {"X-WR-TIMEZONE": own.key}
    for uid, events in _by_uid(calendar).items():
        try:
            some = list(_happenings(alone, events, begin, end, there))
        except Unreadable:
            raise
        except Exception as error:  # of a text from outside: whatever it makes the reader raise
            what = one_line(str(events[0].get("SUMMARY", ""))) or uid
            found.loses(f"{clip(what, 60)} ({type(error).__name__})")
            continue
        found.happenings += some
        if len(found.happenings) > MOST_HAPPENINGS:
            raise Unreadable(f"has more than {MOST_HAPPENINGS:,} shifts within the next weeks")


def _calendars(text: bytes) -> list[Any]:
    if not _is_one(text):
        raise Unreadable("is no calendar (a page to sign in, perhaps)")
    if text.count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise Unreadable(f"has more than {MOST_EVENTS:,} events")
    import icalendar

    try:
        found: list[Any] = icalendar.Calendar.from_ical(text.decode("utf-8-sig", "replace"), multiple=True)
    except Exception as error:
        raise Unreadable(f"is damaged, or cut off ({type(error).__name__})") from None
    if not found:  # one that is never closed
        raise Unreadable("is damaged, or cut off")
    return found


def _is_one(text: bytes) -> bool:
    return text.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].upper() == b"BEGIN:VCALENDAR"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _by_uid(calendar: Any) -> dict[str, list[Any]]:
    """Events that are one series: a repetition that was changed has the name of its series."""
    found: dict[str, list[Any]] = {}
    for at, event in enumerate(calendar.walk("VEVENT")):
        found.setdefault(str(event.get("UID", f"#{at}")), []).append(event)
    return found


def _happenings(
    alone: Mapping[str, str], events: list[Any], begin: datetime, end: datetime, zone: tzinfo
) -> Iterator[Happening]:
    """What becomes of the events of one series. alone: what is said of the calendar that they are read in."""
    for event in events:
        _refuse_hostile(event)
    if len(events) == 1 and not _repeats(events[0]):
        occurrences: Iterable[Any] = events
    else:
        occurrences = _repetitions(alone, events, begin, end)
    for one in occurrences:
        if str(one.get("STATUS", "")).upper() == "CANCELLED":
            continue
        first, last = _moment(one.start, zone), _moment(one.end, zone)
        if first < last and first < end and last > begin:
            yield _happening(one, first, last)


def _repeats(event: Any) -> bool:
    return any(name in event for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"))


def _repetitions(alone: Mapping[str, str], events: list[Any], begin: datetime, end: datetime) -> list[Any]:
    import icalendar
    import recurring_ical_events

    series = icalendar.Calendar()
    series.update(alone)
    for event in events:
        series.add_component(event)
    found: list[Any] = recurring_ical_events.of(series).between(begin - _WIDER, end + _WIDER)
    return found


def _refuse_hostile(event: Any) -> None:
    """What no rota says: a shift each minute. Nor is a time guessed of a zone that nobody knows."""
    rules = event.get("RRULE", ())
    for rule in rules if isinstance(rules, list) else [rules]:
        for often in rule.get("FREQ", ()) if hasattr(rule, "get") else ():
            if str(often).upper() in _TOO_OFTEN:
                raise Unreadable(f"has an event that repeats {str(often).lower()}: that is no rota")
    for name in ("DTSTART", "DTEND"):
        when = event.get(name)
        named = getattr(when, "params", {}).get("TZID")
        if named and isinstance(when.dt, datetime) and when.dt.tzinfo is None:
            told = clip(one_line(str(named)), 40)
            raise Unreadable(f"has times in a zone that nobody knows ({told})")


def _moment(when: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return (when if when.tzinfo is not None else when.replace(tzinfo=zone)).astimezone(UTC)


def _happening(event: Any, begin: datetime, end: datetime) -> Happening:
    return Happening(
        stamp(begin),
        stamp(end),
        clip(one_line(str(event.get("SUMMARY", ""))), 200),
        tuple(_people(event, "ATTENDEE")),
        tuple(_people(event, "ORGANIZER")),
    )


def _people(event: Any, name: str) -> Iterator[str]:
    """Mails and names of those who are asked to come; not of rooms, nor of who said no."""
    given = event.get(name, ())
    for one in (given if isinstance(given, list) else [given])[:_MOST_PEOPLE]:
        params = getattr(one, "params", {})
        if str(params.get("PARTSTAT", "")).upper() == "DECLINED":
            continue
        if str(params.get("CUTYPE", "")).upper() in _AWAY:
            continue
        for said in (re.sub(r"^mailto:", "", str(one), flags=re.IGNORECASE), str(params.get("CN", ""))):
            if said:
                yield clip(one_line(said), 200)
