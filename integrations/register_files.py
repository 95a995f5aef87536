"""The bytes of files between the register and a supplier, for the courier: by their digest, off the loop."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from integrations.hand import Hand
from register.core import Command
from register.store import files
from register.topics.fetching import TakeFetched
from register.topics.files import media_type, safe_name


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of a supplier's is in the register."""

    name: str
    media_type: str
    size: int
    sha256: str

    def taken(self, row_id: str) -> Command:
        """What the register is to do with it."""
        about = {name: getattr(self, name) for name in ("name", "media_type", "size", "sha256")}
        return TakeFetched(row_id=row_id, **about)


class RegisterFiles:
    """The register's, through the engine's hand."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    async def bytes_of(self, digest: str) -> bytes | None:
        store = self._hand.store
        return await self._hand.call(lambda: files.bytes_of(store, digest))

    async def keep(self, said: str, content: bytes) -> Fetched:
        """Have these bytes in the register. said: what the supplier calls the file, which may be anything."""
        store, digest = self._hand.store, hashlib.sha256(content).hexdigest()
        await self._hand.call(lambda: files.put_bytes(store, digest, content))
        name = safe_name(said)
        return Fetched(name, media_type(content[:4096], name), len(content), digest)
