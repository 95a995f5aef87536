"""Their fields as templates take them: what is not filled in is left out with its key."""

from __future__ import annotations

from integrations.rest.templates import OMIT


class Fields(dict[str, str]):
    """`fields.Contract`, or `fields["Serial number"]`."""

    def __missing__(self, name: str) -> object:
        return OMIT
