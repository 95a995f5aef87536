"""Commands about suppliers: list, check, and the practice supplier."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.cells import cell_len

from integrations import pins, secrets
from integrations.checks import clock
from integrations.connector import Check, Health
from integrations.errors import AuthFailed, Failure
from integrations.levels import level_of
from integrations.policy_files import find_files, vendors_now
from integrations.vendors import Vendor, connector_for, load_vendors
from register.core import NotFound, joined
from register.store import vendors as kept
from register.store.vendors import VendorHealth
from register.text import clip, one_line
from register.topics.pausing import ResumeVendor
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.tabular import LONGEST, columns
from tui.cli.trouble import SUPPLIER
from tui.suppliers import webhooks_refused
from tui.waiting import repair
from tui.who import env_of

Name = Annotated[str, typer.Argument(metavar="NAME", help="the supplier's name in vendors.toml")]
_NONE: Final = "No supplier is adopted: write vendors.toml, then `muster apply`."


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
    found = (repair(health.get(name)) for name in known)
    repairs = [" → ".join(one) for one in found if one is not None]
    refused = {name: webhooks_refused(health[name]) for name in known if name in health}
    repairs += [f"{name}: {why} → docs/webhooks.md" for name, why in refused.items() if why]
    whole = [line for about in data for line in _cut(about)]
    return Answer(data, [*columns(heading, rows), *whole, *repairs] if rows else [_NONE])


def _cut(about: Mapping[str, Any]) -> list[str]:
    """What does not fit its column, in full."""
    cells = ((name, one_line(str(about[name] or ""))) for name in ("title", "standing", "phone"))
    return [f"{about['name']}, {name}: {cell}" for name, cell in cells if cell_len(cell) > LONGEST]


def _about(vendor: Vendor, health: VendorHealth | None) -> dict[str, Any]:
    stored = health.expires if health else ""
    ending = vendor.ending(datetime.now(UTC).astimezone().date(), stored)
    return {
        "name": vendor.name,
        "title": vendor.title,
        "system": vendor.connector,
        "level": (None if vendor.by_hand else level_of(vendor.info.kind)) or "not measured",
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
    return checked(vendor_named(name))


def checked(vendor: Vendor, before: tuple[str, ...] = ()) -> Answer:
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
        if health.ok or http.gap is not None:  # else, as like as not, nobody answered
            more.append(clock(http.gap, vendor.zone))
        return replace(health, checks=(*health.checks, *more))
    finally:
        await connector.http.aclose()


def _resumed(name: str) -> bool:
    with here() as at:
        health = kept.health(at.store).get(name)
        if health is None or not health.paused_why or health.paused_by:
            return False  # what a person holds back, a person lets go on
        resume = ResumeVendor(vendor=name, why="its check passes")
        if not at.desk().do(at.who, resume).events:
            return False  # somebody holds it back since a moment ago
        at.wake_worker()
        return True


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
