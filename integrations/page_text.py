"""What a page says: whom to call, at which number, about what, and what to do then. Made when it is sent.

It leaves this house by mail, by SMS, by somebody's chat: a restricted incident's title stays here, and so do
notes. What is in it is clean, short lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import Final
from zoneinfo import ZoneInfo

from register.contact import CALL_WHY, Contact, from_level
from register.core import VendorFacts
from register.incident import Incident, Visibility
from register.text import clip, one_line
from register.topics.paging import About, AboutCall

MOST_TITLE: Final = 80
_MOST_NUMBERS: Final = 3
_CALLS: Final = re.compile(r"(?<!\w)@(?=\w)|<[!@#]")


@dataclass(frozen=True, slots=True)
class Words:
    """A page, ready to be sent: one line that says it all, and the rest.

    mark, in_mail: the end of its subject, and a further line, where it goes as a mail.
    """

    title: str
    body: str
    mark: str = ""
    in_mail: str = ""

    def as_mail(self) -> Words:
        """The same as it goes by mail. Our own last line stays the last one."""
        if not self.mark:
            return self
        *lines, last = self.body.split("\n")
        return replace(
            self, title=f"{self.title} {self.mark}", body="\n".join([*lines, self.in_mail, last]), mark=""
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page is made of besides its reason. until: later it is not sent. zone: theirs.

    ack: lines that say how to acknowledge it.
    """

    incident: Incident
    vendors: Mapping[str, VendorFacts]
    until: datetime
    zone: str
    ack: tuple[str, ...] = ()


@singledispatch
def words(about: About, sheet: Sheet) -> Words:
    """Return what somebody is told."""
    raise TypeError(f"nothing is said for {type(about).__name__}")


@words.register
def _(about: AboutCall, sheet: Sheet) -> Words:
    incident = sheet.incident
    bond, facts = incident.bond(about.bond), sheet.vendors.get(about.vendor)
    name = one_line(facts.title) if facts is not None else about.vendor
    since = "" if about.since is None else told(about.since, sheet.zone)
    why = CALL_WHY[about.why.value].format(at=since or "it was due")
    lines = [f"Please call {name}: {why}.", what(incident), *_numbers(facts, about.level)]
    fields = {} if facts is None else facts.receives.entitled(incident.service)
    lines += [f"{one_line(field)}: {one_line(value)}" for field, value in fields.items()]
    ref = None if bond is None else bond.ref
    lines += [
        f"Their ticket: {one_line(ref.key) if ref is not None else 'not known'}",
        f"Our number: {incident.number}",
        f"When you have called: muster call {incident.number} WHO --vendor {about.vendor} --said WHAT"
        " (d on the board)",
        "Then nobody is asked for it any more. That you have the incident itself:"
        f" muster ack {incident.number}",
        *sheet.ack,
        sent_by(sheet),
    ]
    return Words(f"{incident.number} P{int(incident.priority)}: call {name}", "\n".join(lines))


def sent_by(sheet: Sheet) -> str:
    """Return the last line: by whom, and until when."""
    until = told(sheet.until, sheet.zone)
    return f"Sent by Muster, by itself. Later than {until} it would not have been sent."


def trial_words(name: str, channel: str, register: str) -> Words:
    """Return what a page for trying says."""
    body = (
        f"This is a test of how Muster reaches {one_line(name)}, by {channel}. There is nothing to do.\n"
        f"Register: {one_line(register)}"
    )
    return Words(f"Muster: test page for {one_line(name)}", body)


def told(at: datetime, zone: str) -> str:
    """Return a moment as it is in somebody's zone, with the zone: `Fri 02:05 CET`."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %H:%M %Z}"


def what(incident: Incident) -> str:
    """Return what it is about, in a line; a restricted one keeps its title."""
    about = f"{incident.number}, P{int(incident.priority)}"
    if incident.visibility is Visibility.RESTRICTED:
        return f"{about}: restricted, look at the board"
    service = f" ({one_line(incident.service)})" if incident.service else ""
    return _calls_nobody(f"{about}: {clip(one_line(incident.title), MOST_TITLE)}{service}")


def _calls_nobody(text: str) -> str:
    """Text from outside may not call a whole room together: chats take @everyone and <!here> for that."""
    return _CALLS.sub("", text)


def _numbers(facts: VendorFacts | None, level: int) -> list[str]:
    contacts = () if facts is None else from_level(facts.to_call, level)[:_MOST_NUMBERS]
    if not contacts:
        return ["No number of theirs is in vendors.toml: look for it, and have `phone` put there"]
    return [_reach(contact) for contact in contacts]


def _reach(contact: Contact) -> str:
    """`Call Service desk: +47 22 00 00 00 (24x7)`; their level where it is not the first one."""
    at = f", level {contact.level}" if contact.level > 1 else ""
    hours = f" ({one_line(contact.hours)})" if contact.hours else ""
    return f"Call {one_line(contact.name)}{at}: {one_line(contact.phone or contact.mail)}{hours}"
