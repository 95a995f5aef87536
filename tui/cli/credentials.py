"""Commands about the secrets of a supplier: its credential, those of its webhooks and entitlement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from integrations import hook_secrets, secrets
from integrations.oauth.given import as_line
from integrations.vendors import Vendor
from register.core import Refused, joined
from register.store import RegisterUnavailable
from register.store import vendors as kept
from register.text import clip, one_line
from register.topics.credentials import NoteCredential, day
from tui.cli import secretly
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.suppliers import Name, checked, vendor_named
from tui.cli.trouble import WrongUse

Pin = Annotated[
    str,
    typer.Option("--pin", metavar="FIELD", help="a secret part of its entitlement instead, as support_pin"),
]


def login(
    name: Name,
    webhook: Annotated[bool, typer.Option("--webhook", help="the secret of its webhooks instead")] = False,
    pin: Pin = "",
    expires: Annotated[
        str, typer.Option(metavar="DAY", help="on which day it ends, as 2027-01-31: you are warned before")
    ] = "",
) -> Answer:
    """Store a supplier's credential in the keyring, then check it. It is asked for, or read from stdin."""
    try:
        ends = day(expires)
    except ValueError as error:
        raise WrongUse(f"{clip(one_line(expires), 40)} {error}. Nothing was stored.", "expires") from None
    if webhook and pin:
        raise WrongUse("--webhook and --pin store two secrets: one at a time. Nothing was stored.", "pin")
    if ends and (webhook or pin):
        raise WrongUse(
            "--expires is the last day of the credential: leave it out with"
            f" {'--pin' if pin else '--webhook'}. Nothing was stored.",
            "expires",
        )
    if ends and ends < datetime.now(UTC).astimezone().date().isoformat():
        raise WrongUse(f"{ends} is over: give the last day of what you store. Nothing was stored.", "expires")
    vendor = vendor_named(name)
    if vendor.by_hand:
        raise WrongUse(f"A person speaks to {name}: it needs no credential. Nothing was stored.")
    if webhook:
        return _webhook_login(vendor)
    if pin:
        return _pin_login(vendor, pin)
    if vendor.auth == "none":
        raise WrongUse(f'{name} needs no credential: vendors.toml says auth = "none". Nothing was stored.')
    try:
        secrets.store(name, as_line(vendor.asks, secretly.answers(one_line(vendor.title), vendor.asks)))
    except ValueError as error:
        raise WrongUse(str(error)) from None
    return checked(vendor, (f"The credential for {name} is in {secrets.place()}.", *_noted(name, ends)))


def _noted(name: str, ends: str) -> tuple[str, ...]:
    """Put it on record, with its last day: that is the register's, so that every host warns of it."""
    try:
        with here() as at:
            at.desk().do(at.who, NoteCredential(vendor=name, expires=ends))
    except (Refused, RegisterUnavailable) as error:
        return (f"That is not on record: {error}",)
    return (f"You are warned from a fortnight before {ends}.",) if ends else ()


def _pin_login(vendor: Vendor, pin: str) -> Answer:
    """Keep a secret part of its entitlement, as its support PIN."""
    name = vendor.name
    if pin not in vendor.entitlement_secret:
        known = joined(vendor.entitlement_secret) or "none"
        raise WrongUse(
            f"{clip(one_line(pin), 40)} is not in entitlement_secret of {name} (there: {known}): add it to"
            " vendors.toml first. Nothing was stored.",
            "pin",
        )
    try:
        secrets.store(name, secretly.asked(f"{pin} of {one_line(vendor.title)}"), kind=secrets.PIN + pin)
    except ValueError as error:
        raise WrongUse(str(error)) from None
    where = f"{pin} of {name} is in {secrets.place()}."
    lines = [f"{where} It goes with every new ticket there, and is shown nowhere."]
    return Answer({"vendor": name, "pin": pin}, lines)


def _webhook_login(vendor: Vendor) -> Answer:
    """Keep another secret for its webhooks; the one before it counts for a while."""
    name = vendor.name
    try:
        until = hook_secrets.put(name, secretly.asked(f"Secret of the webhooks of {one_line(vendor.title)}"))
    except ValueError as error:
        raise WrongUse(str(error)) from None
    lines = [f"The secret of {name}'s webhooks is in {secrets.place()}."]
    if until is not None:
        lines.append(f"The one before it counts, too, until {until.astimezone():%Y-%m-%d %H:%M}.")
    lines.append(f"They are taken at /hooks/{name} where `muster serve --webhooks 127.0.0.1:8790` runs.")
    return Answer({"vendor": name, "webhook": True, "before_counts_until": until}, lines)


def logout(
    name: Name,
    webhook: Annotated[bool, typer.Option("--webhook", help="the secret of its webhooks instead")] = False,
    pin: Pin = "",
) -> Answer:
    """Take a supplier's credential out of the keyring."""
    try:
        if pin:
            held = secrets.forget(name, kind=secrets.PIN + pin)
        else:
            held = hook_secrets.forget(name) if webhook else secrets.forget(name)
    except ValueError as error:
        raise WrongUse(str(error), "name") from None
    what = pin or ("webhooks' secret" if webhook else "credential")
    lines = [f"The {what} for {name} {secretly.taken_out(held)}."]
    if held and not pin and not webhook:
        lines += _day_forgotten(name)
    return Answer({"vendor": name, "forgotten": held}, lines)


def _day_forgotten(name: str) -> tuple[str, ...]:
    """Warn no more of the day on which a credential ends that is gone."""
    try:
        with here() as at:
            health = kept.health(at.store).get(name)
            if health is not None and health.expires:
                at.desk().do(at.who, NoteCredential(vendor=name, expires="", gone=True))
    except (Refused, RegisterUnavailable) as error:
        return (f"The day on which it ends is still on record: {error}",)
    return ()
