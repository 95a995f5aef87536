"""Commands about the calendars that say who is on call: where each is, where its address is a secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from integrations import secrets
from register.core import NotFound, joined
from register.feed_address import KEYRING, checked_address
from register.feed_health import NEVER
from register.rota import Rota
from register.store import Store, feeds
from register.store.adopted import adopted
from register.store.feed_faults import feed_faults
from register.text import clip, one_line
from tui.cli import secretly
from tui.cli.answer import Answer
from tui.cli.finding import Finding
from tui.cli.here import here
from tui.cli.paging import matrices
from tui.cli.trouble import WrongUse

Which = Annotated[str, typer.Argument(metavar="ROTA", help="which: its name in [rotas] of matrix.toml")]
_WRITE: Final = 'write feed = "keyring" under [rotas.{}] first'


def login(rota: Which) -> Answer:
    """Store the address of a rota's calendar. It is asked for, or read from stdin."""
    found = _rota(rota)
    if found.feed != KEYRING:
        what = "has no calendar" if found.feed is None else "names its calendar's address itself"
        raise NotFound(
            f"[rotas.{rota}] {what}. Nothing was stored: {_WRITE.format(rota)}, and `muster apply`.", "rota"
        )
    try:
        address = checked_address(secretly.asked(f"Address of the calendar of {rota}"))
        secrets.store(secrets.rota_slot(rota), address)
    except ValueError as error:
        raise WrongUse(f"What was given {error}. Nothing was stored.") from None
    with here() as at:
        feeds.ask_now(at.store, rota)
    lines = [
        f"The address of the calendar of {rota} is in {secrets.place()}. Calendars are read by whoever runs"
        " `muster serve`: it must be in theirs. `muster doctor` says whether it could be read."
    ]
    return Answer({"rota": rota, "stored": True}, lines)


def logout(rota: Which) -> Answer:
    """Take the address of a rota's calendar out of the keyring."""
    try:
        held = secrets.forget(secrets.rota_slot(rota))
    except ValueError:
        said = clip(one_line(rota), 40)
        raise WrongUse(f"{said!r} is no name of matrix.toml. Nothing was done.", "rota") from None
    lines = [f"The address of the calendar of {rota} {secretly.taken_out(held)}."]
    return Answer({"rota": rota, "forgotten": held}, lines)


def _rota(said: str) -> Rota:
    with here() as at:
        known: dict[str, Rota] = {}
        for matrix in matrices(at):
            if said in matrix.rotas and matrix.rotas[said].feed is not None:
                return matrix.rotas[said]
            known = {**matrix.rotas, **known}
    if said in known:
        return known[said]
    raise NotFound(
        f"There is no [rotas.{clip(one_line(said), 40)}] in matrix.toml. Nothing was done. Known:"
        f" {joined(known)}.",
        "rota",
    )


def feeds_of(store: Store) -> Iterator[Finding]:
    """How it stands with the calendars, for `muster doctor`."""
    rotas = {key: one for key, one in adopted(store).policy.matrix.rotas.items() if one.feed is not None}
    if not rotas:
        return
    found = feed_faults(store, datetime.now(UTC))
    for fault in found:
        yield Finding("calendars", False, f"{fault.rota}: {fault.says.removesuffix('.')}", fault.todo)
    states, wrong = feeds.feeds(store), {fault.rota for fault in found}
    for key in rotas:
        heard = states.get(key, NEVER).heard_at
        if key not in wrong and heard is not None:
            yield Finding("calendars", True, f"{key}: read {heard:%Y-%m-%d %H:%M} UTC")
