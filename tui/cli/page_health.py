"""Whether people can be paged from here, for `muster doctor`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from register.policy import Matrix
from register.store import RegisterUnavailable, Store, open_store, pages
from register.store.adopted import adopted
from register.told_people import told_people
from register.toml_file import FileFaults, text_of
from tui.cli.finding import Finding
from tui.session import session_from


def anybody_paged() -> bool:
    """Whether anybody has a `reach`, in the adopted matrix or in this person's own."""
    from integrations.policy_files import find_files
    from register.matrix_toml import read_matrix

    try:
        own = find_files(os.environ).matrix
        if own is not None and any(one.reach for one in read_matrix(text_of(own)).people.values()):
            return True
        with contextlib.closing(open_store(session_from(os.environ).register_url)) as store:
            return any(one.reach for one in adopted(store).policy.matrix.people.values())
    except (FileFaults, RegisterUnavailable):  # told by other looks
        return False


def _replies_of() -> Finding:
    """Whether the mailbox for replies can be opened from here, as far as its password goes."""
    from integrations import secrets
    from integrations.errors import AuthFailed

    try:
        held = secrets.look(secrets.PAGE_REPLIES, os.environ) is not None
    except AuthFailed as failure:
        says = "the password of the mailbox for replies to pages cannot be looked up"
        return Finding("page replies", False, says, secrets.cause(failure))
    if not held:
        says = "replies to pages cannot be read from here: the mailbox's password is not stored"
        return Finding(
            "page replies", False, says, "as whoever runs `muster serve`: muster page replies login"
        )
    return Finding(
        "page replies", True, "replies to pages are read; `muster page replies check` tries the mailbox"
    )


def answers_of(store: Store) -> Iterator[Finding]:
    """Whether pages can be acknowledged from where they are read, as the adopted matrix wants it."""
    from integrations import secrets
    from integrations.acks import key as keys
    from integrations.acks.tokens import fingerprint
    from integrations.door import VARIABLE
    from integrations.errors import AuthFailed
    from register.store import ack_links

    settings = adopted(store).policy.matrix.pages
    if not settings.answered or secrets.asks():
        return
    try:
        held = keys.look(os.environ)
    except AuthFailed as failure:
        says = "pages carry no link and no reply to them counts: the key that signs them cannot be looked up"
        yield Finding("page links", False, says, secrets.cause(failure))
        return
    last = ack_links.last_signer(store)
    if last is not None and (held is None or fingerprint(held) != last):
        says = "pages are signed with another key where they were sent: what is answered here is refused"
        todo = "have the same on each host that serves: `muster page key` tells how"
        yield Finding("page links", False, says, todo)
        return
    if settings.replies is not None:
        yield _replies_of()
    if settings.link is not None:
        door = "" if os.environ.get(VARIABLE) else f", where `muster serve --webhooks` or {VARIABLE} opens it"
        yield Finding("page links", True, f"pages are acknowledged at {settings.link}/ack/…{door}")


def pages_of(store: Store) -> Iterator[Finding]:
    """Who of those that the adopted matrix has paged cannot be reached by what, and what reached nobody."""
    from integrations import secrets
    from integrations.errors import AuthFailed

    matrix = _matrix(store)
    if not matrix.pages_anybody:
        if matrix.people:
            more = ": escalations tell people on the board alone" if matrix.policies else ""
            says = f"nobody is paged: no [people.NAME] of matrix.toml has a `reach`{more}"
            yield Finding("pages", True, says)
        return
    silent = list(_silent(matrix))
    yield from silent
    several = sum(bool(person.reach) for person in matrix.people.values())
    if secrets.asks():  # the doctor asks for nothing
        says = f"{several} have a `reach`; whether their addresses are here, `muster page test NAME` tells"
        yield Finding("pages", True, says)
        return
    try:
        lacking = list(_lacking(matrix))
    except AuthFailed as failure:
        says = f"whether the addresses of {several} are here cannot be looked up"
        yield Finding("pages", False, says, secrets.cause(failure))
        return
    yield from lacking
    failed = [row for row in pages.unfinished(store) if row.state == "dead"]
    if failed:
        says = f"{len(failed)} reached nobody: {', '.join(sorted({row.incident for row in failed})[:5])}"
        yield Finding(
            "pages", False, says, "`muster outbox list` tells why, and `muster outbox retry` tries again"
        )
    if not (silent or lacking or failed):
        yield Finding("pages", True, f"{several} can be paged from here: `muster page test me` tries it")


def _lacking(matrix: Matrix) -> Iterator[Finding]:
    """What somebody is reached by, and cannot be from here. Raises AuthFailed."""
    from integrations import secrets
    from integrations.paging import fault_in

    for key, person in matrix.people.items():
        for channel in person.reach:
            address = secrets.look(secrets.slot(key, channel), os.environ)
            why = "its address is not stored" if address is None else fault_in(address)
            if why:
                says = f"{key} cannot be paged by {channel} from here: {why}"
                todo = f"as whoever runs `muster serve`: muster page login {key} {channel}"
                yield Finding("pages", False, says, todo)


def _matrix(store: Store) -> Matrix:
    """The adopted one; where none is yet, this person's own, which is about to be."""
    from integrations.policy_files import find_files
    from register.matrix_toml import read_matrix

    found = adopted(store).policy
    own = None if found.version else find_files(os.environ).matrix
    with contextlib.suppress(FileFaults):  # another look tells of them
        return found.matrix if own is None else read_matrix(text_of(own))
    return found.matrix


def _silent(matrix: Matrix) -> Iterator[Finding]:
    """Whom an escalation may tell, and nothing pages."""
    told = told_people(matrix)
    silent = [f"{key} ({why})" for key, why in told.items() if not matrix.people[key].reach]
    if silent:
        says = f"nothing pages {', '.join(silent)}: an escalation tells them on the board alone"
        first = next(key for key in told if not matrix.people[key].reach)
        todo = f'reach = ["sms"] under [people.{first}] in matrix.toml, then `muster page login {first} sms`'
        yield Finding("pages", False, says, todo)
