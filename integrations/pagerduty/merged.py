"""Where a merged incident goes on: PagerDuty resolves it, and names the other one as the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integrations.connector import Ref
from integrations.errors import AuthFailed, AuthTrouble, Gone, Moved, Rejected
from integrations.pagerduty.wire import Ending, OneEnding, path_of
from integrations.reading import read

if TYPE_CHECKING:
    from integrations.http import Http

HOPS: Final = 5
"""Mergers in a row that are followed at once; what is merged further is followed from there."""


async def moved(http: Http, ref: Ref, told: Ending) -> Moved | None:
    """What is raised where an incident was merged: with the one that is left of all it was merged into."""
    new = told.merged_into
    if new is None:
        return None
    known = {told.id, new.id}
    for _ in range(HOPS):
        further = await merged_into(http, new)
        if further is None or further.id in known:
            break
        known.add(further.id)
        new = further
    return Moved(f"{http.name} has merged {ref.key} into {new.key}.", new)


async def merged_into(http: Http, ref: Ref) -> Ref | None:
    """The incident that it goes on as; None where it was not merged, or is not shown to us any more."""
    try:
        answer = await http.get(path_of(ref))
    except (Gone, Rejected):
        return None
    except AuthFailed as failure:
        if failure.trouble is not AuthTrouble.FORBIDDEN:
            raise
        return None
    return read(OneEnding, answer).incident.merged_into
