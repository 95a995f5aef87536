"""Commands about paging people: where they are reached, and whether that works."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from integrations import secrets
from integrations.errors import AuthFailed
from integrations.page_text import trial_words
from integrations.paging import fault_in, send
from integrations.policy_files import find_files
from integrations.vendors import home_of
from register.core import NotFound, joined
from register.matrix_toml import FILE, read_matrix
from register.policy import Matrix, Person
from register.seeing import RESTRICTED
from register.store import pages
from register.store.adopted import adopted
from register.text import SLUG, clip, one_line
from register.toml_file import text_of
from tui.cli import secretly
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.trouble import SUPPLIER, WrongUse

Who = Annotated[
    str, typer.Argument(metavar="PERSON", help="who: their name in [people] of matrix.toml; me for yourself")
]
Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="one of their `reach`, as sms or mail")]
_SECONDS: Final = 20.0


def matrices(at: Here) -> Iterator[Matrix]:
    """This person's own matrix.toml, which may be about to be applied; then the adopted one."""
    own = find_files(os.environ).matrix
    if own is not None:
        yield read_matrix(text_of(own))
    yield adopted(at.store).policy.matrix


def _person(said: str) -> tuple[str, Person]:
    with here() as at:
        known: dict[str, Person] = {}
        for matrix in matrices(at):
            key = matrix.person(at.session.uid, at.session.login) if said == "me" else said
            if key in matrix.people:
                return key, matrix.people[key]
            known |= matrix.people
    if said == "me":
        you, where = one_line(at.session.login), find_files(os.environ).matrix or home_of(os.environ) / FILE
        raise NotFound(
            f"You ({you}) are in no [people.NAME] of matrix.toml. Nothing was done: add [people.{_slug(you)}]"
            f' with name = "…", login = "{you}" and reach = ["sms"] to {where} (docs/pages.md tells more).',
            "person",
        )
    raise NotFound(
        f"There is no [people.{clip(one_line(said), 40)}] in matrix.toml. Nothing was done. Known:"
        f" {joined(known)}.",
        "person",
    )


def login(person: Who, channel: Channel) -> Answer:
    """Store the address by which somebody is paged. It is asked for, or read from stdin."""
    key, found = _person(person)
    if channel not in found.reach:
        names = joined(found.reach)
        raise NotFound(
            f"{key} is not reached by {clip(one_line(channel), 40)!r} in matrix.toml (by: {names})."
            f" Nothing was stored: put it into `reach` of [people.{key}] first.",
            "channel",
        )
    address = secretly.asked(f"Address of {key}'s {channel}, as apprise writes it").strip()
    fault = fault_in(address) if address else "The address is empty."
    if fault:
        raise WrongUse(f"{fault} Nothing was stored.")
    try:
        secrets.store(secrets.slot(key, channel), address)
    except ValueError as error:
        raise WrongUse(str(error)) from None
    lines = [
        f"The address of {key}'s {channel} is in {secrets.place()}. Pages are sent by whoever runs"
        f" `muster serve`: it must be in theirs. See whether it works: muster page test {key}"
    ]
    return Answer({"person": key, "channel": channel, "stored": True}, lines)


def logout(person: Who, channel: Channel) -> Answer:
    """Take the address by which somebody is paged out of the keyring."""
    if person == "me":
        person, _ = _person(person)
    for name, said in (("person", person), ("channel", channel)):
        if not _is_slug(said):
            raise WrongUse(f"{clip(one_line(said), 40)!r} is no name of matrix.toml. Nothing was done.", name)
    held = secrets.forget(secrets.slot(person, channel))
    lines = [f"The address of {person}'s {channel} {secretly.taken_out(held)}."]
    return Answer({"person": person, "channel": channel, "forgotten": held}, lines)


def _slug(login: str) -> str:
    """A name for the table of whoever has this login."""
    made = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in login.lower())
    return made.strip("-")[:40] or "me"


def _is_slug(said: str) -> bool:
    import re

    return re.fullmatch(SLUG, said) is not None


def test(person: Who) -> Answer:
    """Send somebody a test page by each of their channels, from here, and tell what became of it."""
    key, found = _person(person)
    if not found.reach:
        raise NotFound(
            f'{key} has no `reach` in matrix.toml, so nothing pages them: write reach = ["sms", "mail"] under'
            f" [people.{key}], then `muster page login {key} sms`. Nothing was sent.",
            "person",
        )
    with here() as at:
        register = at.store.path.name if at.store.path is not None else "PostgreSQL"
    secrets.unlock()  # a key that is typed is asked for once, and takes as long as it takes
    _refuse_unseen(key, found)
    tried = asyncio.run(_try(key, found, register))
    data = {
        "person": key,
        "ok": all(one.ok for one in tried),
        "channels": [{"channel": one.channel, "delivered": one.ok, "why": one.why} for one in tried],
    }
    lines = [
        f"✓ {one.channel}: delivered" if one.ok else f"✗ {one.channel}: failed: {_from_here(one.why)}"
        for one in tried
    ]
    return Answer(data, lines, 0 if data["ok"] else SUPPLIER)


def _refuse_unseen(key: str, person: Person) -> None:
    """Raise AuthFailed where none of somebody's addresses can be looked up from here: it says what to do."""
    failures = []
    for channel in person.reach:
        try:
            secrets.look(secrets.slot(key, channel), os.environ)
        except AuthFailed as failure:
            failures.append(failure)
    if len(failures) == len(person.reach):
        raise failures[0]


def _from_here(why: str) -> str:
    """Why it failed, of a page that no worker sends."""
    return why.replace(" where Muster serves", " here")


async def _try(key: str, person: Person, register: str) -> list[Any]:
    sent = (
        send(key, channel, trial_words(person.name, channel, register), _SECONDS, os.environ)
        for channel in person.reach
    )
    return list(await asyncio.gather(*sent))


def page_rows(at: Here) -> list[dict[str, Any]]:
    """The pages that wait, as `muster outbox list` shows them."""
    rows = pages.unfinished(at.store)
    if not rows:
        return []
    secret = at.unseen(row.incident for row in rows)
    names = at.people
    return [
        {
            "row_id": row.row_id,
            "vendor": "",
            "person": "" if row.incident in secret else names.get(row.person, row.person),
            "number": row.incident,
            "what": "" if row.incident in secret else "page",
            "state": row.state,
            "by_hand": False,
            "tries": row.tries,
            "next_at": row.next_at,
            "why": RESTRICTED if row.incident in secret else row.why,
            "created_at": row.created_at,
        }
        for row in rows
    ]
