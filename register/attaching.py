"""Attaching a file to an incident, and taking it away: bytes first, then the event that says so."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from register.core import Principal
from register.desk import Receipt, ServiceDesk
from register.incident import Label
from register.store.files import BytesGone, put_bytes
from register.topics.files import Attach, Detach, media_type
from register.topics.sending_files import SendFile

_BEGINNING: Final = 4096
_TRIES: Final = 3


def attach(
    desk: ServiceDesk,
    principal: Principal,
    number: str,
    content: bytes,
    name: str,
    label: Label = Label.INTERNAL,
    command_id: str | None = None,
    send_to: str | None = None,
) -> Receipt:
    """Attach a file whose content was read whole before: no lock waits for it.

    send_to: an engaged supplier that gets it, too; both, or neither.
    """
    digest = hashlib.sha256(content).hexdigest()
    told: dict[str, Any] = {} if command_id is None else {"command_id": command_id}
    kind = media_type(content[:_BEGINNING], name)
    command = Attach(
        target=number, name=name, media_type=kind, size=len(content), sha256=digest, label=label, **told
    )
    for turn in range(_TRIES):
        put_bytes(desk.store, digest, content)
        try:
            if send_to is None:
                return desk.do(principal, command)
            sending = SendFile(target=number, file=command.command_id, vendor=send_to)
            return desk.do_all([(principal, command), (principal, sending)])[0]
        except BytesGone:
            if turn == _TRIES - 1:
                raise
    raise AssertionError  # the loop returns or raises


def detach(desk: ServiceDesk, principal: Principal, number: str, file: str, reason: str = "") -> Receipt:
    """Take a file away from an incident."""
    return desk.do(principal, Detach(target=number, file=file, reason=reason))
