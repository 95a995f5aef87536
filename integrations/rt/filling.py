"""Filling custom fields of a ticket in RT, which drops without a word what it does not take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from integrations.connector import Ref
from integrations.errors import OpId, Rejected
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
