"""The key that signs the links of pages: whether it is here, and how hosts that serve together share it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from integrations import secrets
from integrations.acks import key as keys
from integrations.acks.tokens import fingerprint
from tui.cli import secretly
from tui.cli.answer import Answer
from tui.cli.trouble import WrongUse

_SHARE = (
    "Where several hosts serve one register, each needs the same: make one (openssl rand -hex 32), and on"
    " each, as whoever runs `muster serve`: muster page key --store < FILE. `muster page key` shows then that"
    " they are alike. Links that were sent before count no more."
)


def key(
    store: Annotated[
        bool, typer.Option("--store", help="keep another one: asked for, or from stdin")
    ] = False,
) -> Answer:
    """Show by what the key is known that signs links in pages, or store one that hosts share."""
    if store:
        try:
            keys.put(secretly.asked("Key that signs pages"))
        except ValueError as error:
            raise WrongUse(str(error)) from None
    secrets.unlock()
    held = keys.look(os.environ)
    if held is None:
        lines = ["No key is here yet: the first page that carries a link makes one.", _SHARE]
        return Answer({"key": None}, lines)
    known = fingerprint(held)
    return Answer(
        {"key": known},
        [f"The key that signs pages is here; it is known by {known}.", *([] if store else [_SHARE])],
    )
