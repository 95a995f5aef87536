"""A page is looked at once more just before it is sent: has it a reason still, is it late, who is it for?

Pages that are to be sent at the same time share one look at the register; what is wrong with one of them is
told of that one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from integrations.acks.offer import Offer, Offers, ack_lines, answerable
from integrations.page_text import Sheet, Words, told, words
from integrations.persons import person_of
from integrations.step_text import step_words as step_words  # registers what pages of steps say
from register.core import Policy
from register.duty import Duty
from register.holding import held
from register.incident import Incident
from register.policy import Person
from register.store import RegisterUnavailable, Store, pages
from register.store.adopted import adopted
from register.store.duty import duty_now
from register.store.pages import PageRow
from register.store.store import load_incident
from register.topics.paging import CancelPage, MissPage, about_of, no_more
from register.topics.step_pages import maintained, told_again


@dataclass(frozen=True, slots=True)
class Ready:
    """A page that is to be sent: to whom, and what it says. person: a key of matrix.toml, empty for none."""

    person: str
    name: str
    reach: tuple[str, ...]
    words: Words


Seen = Ready | CancelPage | MissPage
"""What a look at a page comes to: to be sent, or what is to be put on record instead."""


def are_answered(store: Store, otherwise: Policy) -> bool:
    """Whether pages can be acknowledged from where they are read, by what is adopted."""
    return adopted(store, otherwise).policy.matrix.pages.answered


def look(
    store: Store, otherwise: Policy, rows: Sequence[PageRow], now: datetime, offers: Offers
) -> list[Seen | Exception]:
    """Look at these pages as things stand now. An exception: what is wrong with that one.

    otherwise: the policy where none is adopted. offers: how each can be answered; of those that are to be
    sent that is on record then. Raises RegisterUnavailable.
    """
    policy, duty = adopted(store, otherwise).policy, duty_now(store)
    with store.read() as connection:
        seen = [
            _looked(
                connection, row, policy, duty, now, offers.of(row, policy.matrix.pages, store.register_id)
            )
            for row in rows
        ]
    offers.keep(store, [row for row, one in zip(rows, seen, strict=True) if isinstance(one, Ready)], now)
    return seen


def _looked(
    connection: Connection, row: PageRow, policy: Policy, duty: Duty, now: datetime, offer: Offer
) -> Seen | Exception:
    try:
        incident = load_incident(connection, row.incident)
        seen = _one(row, incident, pages.login_of(connection, row.person), policy, now, offer)
        waits = incident is not None and held(incident, duty, now) is not None
        if isinstance(seen, CancelPage):
            return seen.model_copy(update={"held": waits})
        if not isinstance(seen, Ready):
            return seen
        about = about_of(row.payload)
        because = told_again(about, incident, row.person) or maintained(about, incident, duty, now)
        cancelled = CancelPage(row_id=row.row_id, tries=row.tries, why=because, held=waits)
    except (ValueError, TypeError, RegisterUnavailable) as error:  # of this one: others are sent
        return error
    return cancelled if because else seen


def _one(
    row: PageRow, incident: Incident | None, login: str | None, policy: Policy, now: datetime, offer: Offer
) -> Seen:
    def cancel(why: str) -> CancelPage:
        return CancelPage(row_id=row.row_id, tries=row.tries, why=why)

    try:
        about = about_of(row.payload)
    except ValueError:
        return cancel("what it was about cannot be read here")
    because = no_more(incident, about, row.person)
    if because:
        return cancel(because)
    if login is None:
        return cancel("who was to be paged was erased")
    key = person_of(policy.matrix, login)
    person = policy.matrix.people.get(key) if key else None
    zone = person.zone if person is not None else "UTC"
    if row.expires_at <= now:
        last = f"; last {row.why}" if row.why else ", for no worker was there"
        why = f"nobody was reached until {told(row.expires_at, zone)}{last}"
        return MissPage(row_id=row.row_id, tries=row.tries, why=why)
    if incident is None:
        raise ValueError("a page that is due has an incident")
    said = words(about, Sheet(incident, policy.vendors, row.expires_at, zone, ack_lines(offer)))
    return _ready(key or "", person, login, answerable(said, offer))


def _ready(key: str, person: Person | None, login: str, said: Words) -> Ready:
    if person is None:
        return Ready("", login, (), said)
    return Ready(key, person.name, person.reach, said)
