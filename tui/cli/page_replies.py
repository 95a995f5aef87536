"""Commands about the mailbox in which mailed pages are answered: its password, and whether it opens."""

from __future__ import annotations

import os

from integrations import secrets
from integrations.errors import AuthFailed, Failure
from register.core import NotFound
from register.page_settings import Replies
from tui.cli import secretly
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.paging import matrices
from tui.cli.trouble import SUPPLIER, WrongUse


def _settings() -> Replies:
    with here() as at:
        found = next((one.pages.replies for one in matrices(at) if one.pages.replies is not None), None)
    if found is None:
        raise NotFound(
            "matrix.toml has no [pages.replies]. Nothing was done: write imap and user there first"
            " (docs/pages.md shows it)."
        )
    return found


def login() -> Answer:
    """Store the password of that mailbox, then look whether it opens. It is asked for, or read from stdin."""
    settings = _settings()
    try:
        secrets.store(secrets.PAGE_REPLIES, secretly.asked(f"Password of {settings.user}"))
    except ValueError as error:
        raise WrongUse(str(error)) from None
    stored = f"The password of {settings.user} is in {secrets.place()}; it must be in that of whoever serves."
    return _looked(settings, [stored])


def logout() -> Answer:
    """Take the password of that mailbox out of the keyring."""
    held = secrets.forget(secrets.PAGE_REPLIES)
    return Answer({"forgotten": held}, [f"The password of the mailbox {secretly.taken_out(held)}."])


def check() -> Answer:
    """Look whether that mailbox opens from here; nothing in it is changed."""
    secrets.unlock()
    return _looked(_settings(), [])


def _looked(settings: Replies, lines: list[str]) -> Answer:
    where = f"{settings.folder} of {settings.user} at {settings.imap}"
    try:
        _open(settings)
    except AuthFailed as failure:
        return _failed(lines, where, secrets.cause(failure))
    except Failure as failure:
        return _failed(lines, where, failure.why)
    except (OSError, ValueError) as error:
        return _failed(lines, where, f"it cannot be reached ({type(error).__name__}).")
    return Answer({"ok": True}, [*lines, f"✓ {where} opens: replies to pages are read there."])


def _failed(lines: list[str], where: str, why: str) -> Answer:
    return Answer({"ok": False, "why": why}, [*lines, f"✗ {where} does not open: {why}"], SUPPLIER)


def _open(settings: Replies) -> None:
    import imaplib

    from integrations.acks.inbox import Inbox
    from integrations.trust import trusted

    secret = secrets.look(secrets.PAGE_REPLIES, os.environ)
    if secret is None:
        raise AuthFailed("its password is not stored here: muster page replies login")
    inbox = Inbox(settings, secret, trusted())
    try:
        inbox.knock()
    except imaplib.IMAP4.error as error:
        raise OSError from error
    finally:
        inbox.close()
