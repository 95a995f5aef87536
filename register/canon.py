"""How an event is written down so that it can be proved later: canonical JSON, digests, fixed-width times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

GENESIS: Final = "0" * 64
"""The hash before the first event."""


def stamp(moment: datetime) -> str:
    """Return a moment as fixed-width UTC text, microseconds and `Z`: sorts as it reads."""
    at = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return at.isoformat(timespec="microseconds")[:-6] + "Z"


def moment(text: str) -> datetime:
    """Return the moment that `stamp` wrote."""
    return datetime.fromisoformat(text)


def canonical(value: Mapping[str, Any]) -> str:
    """Return JSON with sorted keys and no spaces: the same value gives the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def data_digest(salt: str, data: str) -> str:
    """Return the salted digest of an event's data. Without the salt nothing can be guessed back from it."""
    return hashlib.sha256(f"{salt}{data}".encode()).hexdigest()


ENVELOPE: Final = (
    "seq",
    "stream",
    "n",
    "kind",
    "v",
    "command_id",
    "at",
    "recorded_at",
    "actor",
    "source",
    "cause",
)
"""The envelope's columns that the chain covers, besides the data's digest."""


def link(previous: str, row: Mapping[str, Any]) -> str:
    """Return the hash of an event: the previous one ‖ the envelope without data ‖ the data's digest."""
    return chained(previous, [row[name] for name in ENVELOPE], row["data_sha256"])


def chained(previous: str, envelope: Sequence[Any], digest: str) -> str:
    """Return what `link` does, of values in the order of ENVELOPE. More values are passed over."""
    seq, stream, n, kind, v, command_id, at, recorded_at, actor, source, cause, *_ = envelope
    written = orjson.dumps(  # the keys as sorting would have them: verifying is made of this
        {
            "actor": actor,
            "at": at,
            "cause": cause,
            "command_id": command_id,
            "kind": kind,
            "n": n,
            "recorded_at": recorded_at,
            "seq": seq,
            "source": source,
            "stream": stream,
            "v": v,
        }
    )
    return hashlib.sha256(previous.encode() + written + digest.encode()).hexdigest()
