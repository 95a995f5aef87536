"""The closed set of outcomes of talking to a supplier, other than success.

Each carries `why`, one sentence for a person. None carries a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from register.incident import TicketRef

OpId = str
"""The operation's ULID: minted before anything is sent, carried to the supplier, never changed."""


NOTHING_THERE = "has nothing there any more"
"""What is said of a 404: most often a ticket was there before."""


class Failure(Exception):
    """What a supplier's system answered, or failed to, in one of the kinds below."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotSent(Failure):
    """No byte of the request left this machine: safe to try again."""


class NoToken(NotSent):
    """The token endpoint gave none for the moment, so nothing was sent to the supplier itself."""


class RateLimited(Failure):
    """The supplier asks us to wait; the request was not carried out."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Unavailable(Failure):
    """5xx, 408 or no answer on an operation that may be repeated."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class AuthTrouble(StrEnum):
    MISSING = "missing"  # this process cannot resolve the secret: its own lack, not the supplier's word
    REFUSED = "refused"  # the supplier does not know the credential any more
    FORBIDDEN = "forbidden"  # known, and not allowed to do this


class AuthFailed(Failure):
    """The credential is missing, refused or lacks a right. Nothing was carried out."""

    def __init__(self, why: str, trouble: AuthTrouble = AuthTrouble.REFUSED) -> None:
        super().__init__(why)
        self.trouble = trouble


class Rejected(Failure):
    """The supplier understood and said no (4xx, or a 200 that did not do it): a person must look."""

    def __init__(self, why: str, status: int = 0, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.fields = dict(fields or {})


class Conflict(Failure):
    """Not just now: their ticket changed since we last looked (412 on If-Match), or another host, where they
    keep their files, is in trouble. It is tried again a little later, and not for ever."""

    def __init__(self, why: str, remote_version: str | None = None) -> None:
        super().__init__(why)
        self.remote_version = remote_version


class Moved(Failure):
    """The ticket was merged, split or renumbered."""

    def __init__(self, why: str, new: TicketRef) -> None:
        super().__init__(why)
        self.new = new


class Gone(Failure):
    """The ticket does not exist any more."""


class Ambiguous(Failure):
    """A byte of a request that makes something may have arrived, its answer did not: look, never repeat."""

    def __init__(self, why: str, op_id: OpId = "", deadline: datetime | None = None) -> None:
        super().__init__(why)
        self.op_id = op_id
        self.deadline = deadline
