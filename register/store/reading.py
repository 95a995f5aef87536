"""From an event's row to a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from register.canon import moment
from register.core import EVENTS, Recorded
from register.incident import Incident
from register.store.mishaps import unreadable


def incident_of(doc: str, n: int | str) -> Incident:
    """Return the fold that stands in an incident's row; raises Unreadable. n: its number."""
    try:
        return Incident.model_validate_json(doc)
    except ValidationError as error:
        raise unreadable(f"The row of INC-{str(n).removeprefix('INC-')}") from error


def recorded(row: Any, kept: Mapping[int, str] | None = None) -> Recorded:
    """Return an event's whole row as a value.

    kept: what redactions left of the data of events, as JSON, by seq. Data that is gone altogether, and
    kinds that are not known here, give no event. Raises Unreadable.
    """
    try:
        return _recorded(row, kept)
    except ValueError as error:  # pydantic's is one
        raise unreadable(f"Event {row[0]} of {row[1]}") from error


def _recorded(row: Any, kept: Mapping[int, str] | None) -> Recorded:
    (seq, stream, n, name, v, command_id, at, recorded_at, actor, source, cause, data, *_) = row
    kind = EVENTS.get((name, v))
    left = data if data is not None or kept is None else kept.get(seq)
    event = None if kind is None or left is None else kind.model_validate_json(left)
    when = moment(recorded_at)
    true = when if at == recorded_at else moment(at)
    gone = data is None
    return Recorded(seq, stream, n, name, v, command_id, true, when, actor, source, cause, event, gone)
