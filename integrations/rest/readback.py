"""What stands on a ticket after we wrote: read where an answer does not say it, or is not to be believed.

Systems say yes to a note that they drop, and to a private one that everyone then sees. So what is answered
without an id, and each private note, is looked for in their history.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from integrations.answers import lost
from integrations.connector import Change, ChangeKind, Page, Ref
from integrations.errors import Failure, OpId, Rejected

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.rest.config import RestConfig

_YES: Final = 200


class ReadBack:
    """Reads a ticket's history for what is ours. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: RestConfig, history: Callable[[Ref], Awaitable[Page]]) -> None:
        self.http = http
        self.config = config
        self._history = history

    async def words(
        self, ref: Ref, op_id: OpId, told: tuple[str, ...], *, public: bool = True
    ) -> tuple[str, ...]:
        """The change ids of what we wrote. told: those of the answer, which need no other proof.

        Rejected where it is not there, or is seen by more people than it was meant for.
        """
        if told and (public or not self._tells_who_sees):
            return told
        try:
            page = await self._history(ref)
        except Failure as failure:
            raise lost(self.http.name, "took it and could then not be read", False, op_id) from failure
        written = marked(page, op_id)
        if not public and self._tells_who_sees and any(_is_seen(one) for one in written):
            raise Rejected(
                f"{self.http.name} made our private note on {ref.key} public to whoever sees it: ask them to"
                " delete it, and for the right to write private ones.",
                _YES,
            )
        if written or told:
            return tuple(one.change_id for one in written) or told
        if misread(page, op_id):
            raise Rejected(
                f"{self.misread(ref, page, op_id)} Our words are there: send them no second time.", _YES
            )
        if page.unread or self.config.lookup.kind != "strong":
            raise lost(self.http.name, "took it and does not show it so far", False, op_id)
        raise Rejected(
            f"{self.http.name} said yes and wrote nothing on {ref.key}: our account may not write there.",
            _YES,
        )

    async def set_by_us(self, ref: Ref, kind: ChangeKind, raw: str) -> tuple[str, ...]:
        """The id of the last change with which we set this, where their history tells whose it was."""
        if not any(one.kind is kind and one.author for step in self.config.history for one in step.tells):
            return ()
        ours = [
            one.change_id
            for one in (await self._history(ref)).changes
            if one.kind is kind and one.by_our_account and raw in (one.raw_state, one.raw_priority)
        ]
        return tuple(ours[-1:])

    def misread(self, ref: Ref, page: Page, op_id: OpId) -> str:
        """What is said where our mark stands in words that are somebody else's by what `me` says."""
        author = next(one.author for one in misread(page, op_id))
        return (
            f"{self.http.name} shows our mark on {ref.key} in words of {author!r}, and `me` in vendors.toml"
            " says that we are another: its account must be what author tells of us there."
        )

    @property
    def _tells_who_sees(self) -> bool:
        return any(one.public is not None for step in self.config.history for one in step.tells)


def marked(page: Page, op_id: OpId) -> list[Change]:
    """What carries the mark of this operation, and was not written by somebody else."""
    return [one for one in page.changes if one.marker == op_id and (one.by_our_account or not one.author)]


def misread(page: Page, op_id: OpId) -> list[Change]:
    """What carries the mark and is somebody else's: quoted, or ours where `me` and `author` do not agree."""
    return [one for one in page.changes if one.marker == op_id and one.author and not one.by_our_account]


def _is_seen(change: Change) -> bool:
    return change.kind is ChangeKind.COMMENT and change.public
