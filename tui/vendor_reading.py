"""What the Vendors screen reads of a register in one go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.suppliers import webhooks_refused
from tui.vendor_table import Contract, Health, Standing

if TYPE_CHECKING:
    from integrations.vendor import Vendor
    from register.store import Store
    from register.store.contracts import Nearest
    from register.store.vendors import VendorHealth
    from tui.session import Session


def read_standing(store: Store, session: Session) -> tuple[tuple[Standing, ...], tuple[str, ...]]:
    """Return how it stands with each supplier that is adopted, and what is wrong with their file."""
    from integrations.policy_files import vendors_now
    from register.store import contracts, vendors
    from register.toml_file import FileFaults
    from tui.who import env_of

    try:
        known = vendors_now(store, env_of(session))
    except FileFaults as error:
        return (), error.faults
    health, nearest, now = vendors.health(store), contracts.nearest(store), datetime.now(UTC)
    rows = (_standing(one, health.get(name), nearest.get(name), now) for name, one in known.items())
    return tuple(rows), ()


def _standing(vendor: Vendor, kept: VendorHealth | None, nearest: Nearest | None, now: datetime) -> Standing:
    health, why, todo = _health(vendor, kept, now)
    contract = None
    if nearest is not None:
        contract = Contract(nearest.clock.partition(" ")[2], nearest.number, nearest.due)
    return Standing(
        name=vendor.name,
        title=vendor.title,
        system=vendor.system_title,
        production=vendor.production,
        health=health,
        why=why,
        todo=todo,
        until=kept.not_before.timestamp() if kept and kept.not_before else None,
        heard=kept.heard_at.timestamp() if kept and kept.heard_at else None,
        unsent=kept.unsent if kept else 0,
        doubtful=kept.doubtful if kept else 0,
        dead=kept.dead if kept else 0,
        unread=kept.unread if kept else 0,
        open=kept.open_bonds if kept else 0,
        contract=contract,
        call=tuple(map(str, vendor.to_call)),
        held_back=bool(kept and kept.paused_by),
    )


def _health(vendor: Vendor, kept: VendorHealth | None, now: datetime) -> tuple[Health, str, str]:
    """How it stands, why, and what to do next."""
    login = f"Renew its credential: muster vendors login {vendor.name} (it checks, and sending goes on)."
    if vendor.by_hand:
        return Health.BY_HAND, "", ""
    ending = vendor.ending(now.astimezone().date(), kept.expires if kept else "")
    unused = Health.UNUSED, "", f"See whether it works: muster vendors check {vendor.name}"
    if kept is None and not ending:
        return unused
    if kept is None:
        return Health.ENDS, f"{ending}.", _another(vendor)
    if kept.paused_by:
        return Health.PAUSED, f"held back by a person: {kept.paused_why}", "Z lets it go on."
    if kept.paused_why:
        return Health.PAUSED, kept.paused_why, login
    if kept.not_before is not None and kept.not_before > now:
        return Health.WAITS, kept.not_before_why or kept.trouble, "It goes on by itself then."
    if kept.trouble:
        return Health.TROUBLE, kept.trouble, f"Ask it yourself: muster vendors check {vendor.name}"
    if refused := webhooks_refused(kept):
        often = "once" if kept.bell.refused == 1 else f"{kept.bell.refused:,} times"
        why = f"{refused[0].upper()}{refused[1:]}, {often}."
        return (
            Health.TROUBLE,
            why,
            "Is it theirs? See docs/webhooks.md. They are polled as always.",
        )
    if ending:
        return Health.ENDS, f"{ending}.", _another(vendor)
    return (Health.UP, "", "") if kept.used else unused


def _another(vendor: Vendor) -> str:
    return f"Ask {vendor.title} for another one: muster vendors login {vendor.name} --expires DAY"
