"""Filling custom fields of a ticket in RT, which drops without a word what it does not take."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from integrations.connector import Ref
from integrations.errors import Ambiguous, Failure, OpId, Rejected
from integrations.reading import read
from integrations.rt.wire import TheirTicket, number_of
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http


async def fill(http: Http, ref: Ref, fields: Mapping[str, str], op_id: OpId) -> None:
    """Put values into their custom fields: said twice, they are there once. RT drops what it refuses."""
    path = f"/ticket/{number_of(ref)}"
    answer = await http.put(path, json={"CustomFields": dict(fields)}, safe=True, op_id=op_id)
    told = read(TheirTicket, await http.get(path))
    lacks = [f"{name} = {value}" for name, value in fields.items() if not told.carries(name, value)]
    if lacks:
        said = clip(one_line(http.masked("; ".join(map(str, answer.json())))), 300)
        raise Rejected(
            f"{http.name} answered “{said}” and did not take {', '.join(lacks)} on {ref.key}: its"
            " state was left as it is. Mend the tables in vendors.toml, to the letter.",
            200,
        )


async def kept(http: Http, ref: Ref, names: Collection[str], op_id: OpId) -> None:
    """See that a new ticket has something in each of these: RT drops what is not on a field's list, with 201.

    The ticket is there, so it is no refusal: told as a doubt it is found, and a person reads why.
    """
    if not names:
        return
    try:
        told = read(TheirTicket, await http.get(f"/ticket/{number_of(ref)}"))
    except Failure:  # it is there all the same; what it has shows when it is read whole
        return
    has = {each.name for each in told.CustomFields if any(each.values)}
    if lacks := sorted(set(names) - has):
        raise Ambiguous(
            f"{http.name} made {ref.key} and left {', '.join(lacks)} empty: it does not take our word there."
            " Tell them, and mend the tables in vendors.toml, to the letter. The ticket is looked up.",
            op_id,
        )
