"""One request as it is asked for, before it is anybody's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.errors import OpId
from integrations.signer import Headers


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """told: statuses that are answers here, not failures. beyond: anywhere at the origin of the base."""

    method: str
    path: str
    repeatable: bool
    params: Mapping[str, Any] | None = None
    json: object = None
    content: bytes | None = None
    headers: Headers | None = None
    op_id: OpId = ""
    most: int | None = None
    page: bool = False
    told: Collection[int] = ()
    beyond: bool = False
