"""Commands about suppliers: list, check, login, logout, and the practice supplier."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.cells import cell_len

from integrations import hook_secrets, pins, secrets
from integrations.checks import clock
from integrations.connector import Check, Health
from integrations.errors import AuthFailed, Failure
from integrations.levels import level_of
from integrations.oauth.given import as_line
from integrations.policy_files import find_files, vendors_now
from integrations.vendors import Vendor, connector_for, load_vendors
from register.core import NotFound, Refused, joined
from register.store import RegisterUnavailable
from register.store import vendors as kept
from register.store.vendors import VendorHealth
from register.text import clip, one_line
from register.topics.credentials import NoteCredential, day
from register.topics.delivery import ResumeVendor
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.tabular import LONGEST, columns
from tui.cli.trouble import SUPPLIER, WrongUse
from tui.suppliers import webhooks_refused
from tui.who import env_of

Name = Annotated[str, typer.Argument(metavar="NAME", help="the supplier's name in vendors.toml")]
Pin = Annotated[
    str,
    typer.Option("--pin", metavar="FIELD", help="a secret part of its entitlement instead, as support_pin"),
]
_NONE: Final = "No supplier is adopted: write vendors.toml, then `muster apply`."
_MOST_INPUT: Final = 4 * secrets.MAX_SECRET


def vendor_named(name: str) -> Vendor:
    """A supplier of this person's own vendors.toml, which may be about to be applied; else an adopted one."""
    files = find_files(os.environ)
    known = load_vendors(files.vendors)
    if name not in known or not files.own:
        with here() as at:
            known = vendors_now(at.store, env_of(at.session)) | (known if files.own else {})
    if name not in known:
        raise NotFound(
            f"There is no supplier {clip(one_line(name), 40)!r} in vendors.toml. Known: {joined(known)}."
        )
    return known[name]


def list_() -> Answer:
    """List the suppliers that the register has adopted, and how things stand with each."""
    with here() as at:
        known = at.suppliers()
        health = kept.health(at.store)
    data = [_about(vendor, health.get(name)) for name, vendor in known.items()]
    names = ("name", "title", "system", "level", "environment", "standing", "phone")
    rows = [[*(str(about[name] or "") for name in names), _pace(about)] for about in data]
    heading = ("NAME", "TITLE", "SYSTEM", "LEVEL", "ENVIRONMENT", "STANDING", "PHONE", "ASKED")
    repairs = [_repair(about) for about in data if about["paused_why"]]
    refused = {name: webhooks_refused(health[name]) for name in known if name in health}
    repairs += [f"{name}: {why} → docs/webhooks.md" for name, why in refused.items() if why]
    whole = [line for about in data for line in _cut(about)]
    return Answer(data, [*columns(heading, rows), *whole, *repairs] if rows else [_NONE])


def _cut(about: Mapping[str, Any]) -> list[str]:
    """What does not fit its column, in full."""
    cells = ((name, one_line(str(about[name] or ""))) for name in ("title", "standing", "phone"))
    return [f"{about['name']}, {name}: {cell}" for name, cell in cells if cell_len(cell) > LONGEST]


def _repair(about: Mapping[str, Any]) -> str:
    """Why nothing is sent to a supplier, and how that is mended."""
    name, why = about["name"], about["paused_why"].rstrip(".")
    if about["held_back"]:
        return (
            f"{name} is held back by a person: {why}. Nothing is sent to it; nothing is lost → "
            f"`muster vendors unpause {name} REASON` lets it go on"
        )
    return (
        f"{name} is paused: {why}. Nothing is sent to it; nothing is lost → mend that, then "
        f"`muster vendors check {name}`, or store another credential: `muster vendors login {name}`"
    )


def _about(vendor: Vendor, health: VendorHealth | None) -> dict[str, Any]:
    stored = health.expires if health else ""
    ending = vendor.ending(datetime.now(UTC).astimezone().date(), stored)
    return {
        "name": vendor.name,
        "title": vendor.title,
        "system": vendor.connector,
        "level": level_of(vendor.connector) or "not measured",
        "environment": "PRODUCTION" if vendor.production else "test",
        "standing": "; ".join(filter(None, (_standing(health, by_hand=vendor.by_hand), ending))),
        "phone": vendor.phone,
        "url": vendor.url,
        "expires": stored or vendor.expires,
        "ending": ending,
        "paused_why": health.paused_why if health else "",
        "held_back": bool(health and health.paused_by),
        "trouble": health.trouble if health else "",
        "heard_at": health.heard_at if health else None,
        "polled_at": health.polled_at if health else None,
        "poll_seconds": health.poll_every if health else 0,
        "poll_why": health.poll_why if health else "",
        "webhook_at": health.bell.rung_at if health else None,
        "webhooks_refused": health.bell.refused if health else 0,
        "webhooks_refused_why": health.bell.refused_why if health else "",
        "requests_a_minute": vendor.requests_a_minute,
        "not_before": health.not_before if health else None,
        "not_before_why": health.not_before_why if health else "",
        "unsent": health.unsent if health else 0,
        "doubtful": health.doubtful if health else 0,
        "dead": health.dead if health else 0,
        "open_bonds": health.open_bonds if health else 0,
        "unread": health.unread if health else 0,
        "differs": health.differs if health else 0,
    }


def _pace(about: Mapping[str, Any]) -> str:
    """How often it is asked for news, and why so often."""
    return f"each {about['poll_seconds']} s ({about['poll_why']})" if about["poll_seconds"] else ""


def _standing(health: VendorHealth | None, *, by_hand: bool) -> str:
    if health is None:
        return "not used yet"
    if health.paused_why:
        return "paused"
    counts = (
        (health.dead, "dead"),
        (health.doubtful, "in doubt"),
        (health.unsent, "to hand over" if by_hand else "to send"),
    )
    parts = [f"{count} {what}" for count, what in counts if count]
    parts += [f"{health.differs} to settle"] if health.differs else []
    parts += [f"{health.unread} not readable"] if health.unread else []
    parts += ["in trouble"] if health.trouble else []
    parts += ["webhook refused"] if health.bell.refused else []
    if health.not_before is not None and health.not_before > datetime.now(UTC):
        parts += [f"waits until {health.not_before.astimezone():%H:%M:%S}"]
    return ", ".join(parts) or (f"ok, {health.open_bonds} open" if health.used else "not used yet")


def check(name: Name) -> Answer:
    """Test a supplier: who we are there, what we may do, whether vendors.toml fits."""
    return _checked(vendor_named(name))


def _checked(vendor: Vendor, before: tuple[str, ...] = ()) -> Answer:
    """Check; a supplier that was paused and passes is sent to again."""
    if vendor.by_hand:
        return _by_hand(vendor)
    try:
        health = asyncio.run(_ask(vendor))
    except Failure as failure:
        checks = [{"name": "connection", "ok": False, "says": failure.why, "todo": ""}]
        lines = [*before, f"✗ connection: {failure.why}"]
        return Answer(_verdict(vendor, "", checks, resumed=False), lines, SUPPLIER)
    health = replace(health, checks=(*health.checks, *_pins(vendor)))
    lines = [*before, *(_line(one.ok, one.name, one.says, one.todo) for one in health.checks)]
    resumed = health.ok and _resumed(vendor.name)
    if resumed:
        lines.append(f"{vendor.name} was paused; sending goes on.")
    checks = [{"name": c.name, "ok": c.ok, "says": c.says, "todo": c.todo} for c in health.checks]
    verdict = _verdict(vendor, health.account, checks, resumed=resumed)
    return Answer(verdict, lines, 0 if health.ok else SUPPLIER)


def _pins(vendor: Vendor) -> list[Check]:
    """Whether the secret parts of its entitlement are in this process's keyring."""
    lines = []
    for name in vendor.entitlement_secret:
        todo = f"store it: muster vendors login {vendor.name} --pin {name}"
        try:
            held = pins.look(vendor.name, name) is not None
        except AuthFailed as failure:
            lines.append(Check("entitlement", False, failure.why, todo))
            continue
        says = f"{name} is in the keyring" if held else f"{name} is not in the keyring here"
        lines.append(Check("entitlement", held, says, "" if held else todo))
    return lines


def _by_hand(vendor: Vendor) -> Answer:
    """There is nothing to ask: only whether a person would know how to reach them."""
    says = "; ".join([*map(str, vendor.to_call), *([vendor.url] if vendor.url else [])])
    checks = [{"name": "reach", "ok": True, "says": says, "todo": ""}]
    lines = [f"✓ reach: {says}", "It is spoken to by a person: nothing else can be tested from here."]
    return Answer(_verdict(vendor, "", checks, resumed=False), lines)


def _verdict(
    vendor: Vendor, account: str, checks: list[dict[str, Any]], *, resumed: bool
) -> Mapping[str, Any]:
    ok = all(one["ok"] for one in checks)
    return {"vendor": vendor.name, "ok": ok, "account": account, "checks": checks, "resumed": resumed}


def _line(ok: bool, name: str, says: str, todo: str) -> str:
    return f"{'✓' if ok else '✗'} {name}: {says}" + (f" → {todo}" if todo and not ok else "")


async def _ask(vendor: Vendor) -> Health:
    connector = connector_for(vendor, secrets.resolve)
    try:
        health = await connector.check()
        http = connector.http
        more = [Check("token", True, told)] if (told := http.credential.about) else []
        return replace(health, checks=(*health.checks, *more, clock(http.gap, vendor.zone)))
    finally:
        await connector.http.aclose()


def _resumed(name: str) -> bool:
    with here() as at:
        health = kept.health(at.store).get(name)
        if health is None or not health.paused_why or health.paused_by:
            return False  # what a person holds back, a person lets go on
        at.desk().do(at.who, ResumeVendor(vendor=name, why="its check passes"))
        at.wake_worker()
        return True


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
        secrets.store(name, as_line(vendor.asks, _answers(vendor)))
    except ValueError as error:
        raise WrongUse(str(error)) from None
    return _checked(vendor, (f"The credential for {name} is in {secrets.place()}.", *_noted(name, ends)))


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
        secrets.store(name, _secret(f"{pin} of {one_line(vendor.title)}"), kind=secrets.PIN + pin)
    except ValueError as error:
        raise WrongUse(str(error)) from None
    where = f"{pin} of {name} is in {secrets.place()}."
    lines = [f"{where} It goes with every new ticket there, and is shown nowhere."]
    return Answer({"vendor": name, "pin": pin}, lines)


def _webhook_login(vendor: Vendor) -> Answer:
    """Keep another secret for its webhooks; the one before it counts for a while."""
    name = vendor.name
    try:
        until = hook_secrets.put(name, _secret(f"Secret of the webhooks of {one_line(vendor.title)}"))
    except ValueError as error:
        raise WrongUse(str(error)) from None
    lines = [f"The secret of {name}'s webhooks is in {secrets.place()}."]
    if until is not None:
        lines.append(f"The one before it counts, too, until {until.astimezone():%Y-%m-%d %H:%M}.")
    lines.append(f"They are taken at /hooks/{name} where `muster serve --webhooks 127.0.0.1:8790` runs.")
    return Answer({"vendor": name, "webhook": True, "before_counts_until": until}, lines)


def _answers(vendor: Vendor) -> list[str]:
    """What is typed for each of what it takes, or the lines of standard input."""
    title = one_line(vendor.title)
    if sys.stdin.isatty():
        from getpass import getpass

        words = [name.replace("_", " ").capitalize() for name in vendor.asks]
        return [getpass(f"{word} for {title} (not shown): ") for word in words]
    given = sys.stdin.buffer.read(_MOST_INPUT).decode("utf-8", "replace")
    return given.splitlines() if len(vendor.asks) > 1 else [given]


def _secret(of: str) -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"{of} (not shown): ")
    return sys.stdin.buffer.read(_MOST_INPUT).decode("utf-8", "replace")


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
    place, what = secrets.place(), pin or ("webhooks' secret" if webhook else "credential")
    said = f"was taken out of {place}" if held else f"is not in {place}: there was nothing to do"
    lines = [f"The {what} for {name} {said}."]
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


def practice(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="on loopback; 0 takes any free one")] = 8377,
    agent: Annotated[bool, typer.Option(help="its people answer by themselves")] = True,
    webhook: Annotated[str, typer.Option(metavar="URL", help="where it tells of what happens")] = "",
    oauth: Annotated[bool, typer.Option("--oauth", help="callers need a token, which it gives out")] = False,
    as_json: bool = False,
) -> Answer:
    """Run a supplier to practise with, on this machine alone, until Ctrl-C."""
    from integrations.practice.hooks import SECRET
    from integrations.practice.oauth import CLIENT_SECRET, told
    from integrations.practice.server import announce, serve

    def tell(url: str) -> None:
        print(json.dumps({"url": url, **(told(url) if oauth else {})}), flush=True)

    def say(url: str) -> None:
        announce(url)
        if webhook:
            print(f"webhooks to {webhook}, signed with {SECRET}", flush=True)
        if oauth:
            print(*(f"{name}: {value}" for name, value in told(url).items()), sep="\n")
            print("the secret is stored by: muster vendors login practice", flush=True)

    secret = CLIENT_SECRET if oauth else None
    serve(port, agent=agent, webhook=webhook, oauth=secret, ready=tell if as_json else say)
    return Answer(None, silent=True)
