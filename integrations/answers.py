"""What a supplier's HTTP answer means: status → outcome, as a table, and the sentence in its body."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from integrations.errors import (
    NOTHING_THERE,
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Conflict,
    Failure,
    Gone,
    OpId,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.masks import Masking
from register.text import clip, one_line

if TYPE_CHECKING:
    import httpx

MAX_SENTENCE: Final = 300
_READ: Final = 2**14
"""Characters of a refusal that are looked at for its sentence."""
MAX_WAIT: Final = timedelta(days=1)
"""The longest wait that is believed."""
_EPOCH: Final = 1_000_000_000
"""A reset header above this is a point in time, below it a number of seconds."""
_RATE: Final = "secondary rate limit"
"""GitHub's, which has no end of its own: at least a minute, says its documentation."""
_SAYS: Final = (
    "message",
    "error_description",
    "detail",
    "errorMessages",
    "details",
    "error",
    "errors",
    "title",
    "description",
)


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A 2xx answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    name: str = ""
    repeatable: bool = True
    op_id: OpId = ""
    zone: str = ""

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"

    def json(self) -> Any:
        """The body. If it is not JSON, the answer counts as lost: `Unavailable` or `Ambiguous`."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            says = "answered with something that is not JSON" if self.body else "gave an empty answer"
        raise lost(self.name, says, self.repeatable, self.op_id)


def lost(
    name: str, says: str, repeatable: bool, op_id: OpId = "", deadline: datetime | None = None
) -> Failure:
    """The failure of a request whose answer we do not have."""
    if repeatable:
        return Unavailable(f"{name} {says}.")
    return Ambiguous(f"{name} {says}: it may have done what was asked, so it is looked up.", op_id, deadline)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One answer that is not 2xx, ready for the table. `said` is clean, masked and short."""

    name: str
    status: int
    headers: httpx.Headers
    said: str
    repeatable: bool
    op_id: OpId
    deadline: datetime

    def says(self, meaning: str) -> str:
        told = f" ({self.said})" if self.said else ""
        return f"{self.name} {meaning}: HTTP {self.status}{told}."

    @property
    def wait(self) -> timedelta | None:
        return retry_after(self.headers, datetime.now(UTC))


def _refused(it: _Judged) -> Failure:
    return AuthFailed(it.says("does not accept the stored credential"), AuthTrouble.REFUSED)


def _forbidden(it: _Judged) -> Failure:
    """GitHub says 403 for its limits, too; for the secondary one, its sentence may be all that tells."""
    headers = it.headers
    if "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or _RATE in it.said.lower():
        return _limited(it)
    return AuthFailed(it.says("does not allow this to our account"), AuthTrouble.FORBIDDEN)


def _gone(it: _Judged) -> Failure:
    return Gone(it.says(NOTHING_THERE))


def _conflict(it: _Judged) -> Failure:
    return Conflict(it.says("has a newer version than we saw"), it.headers.get("etag"))


def _limited(it: _Judged) -> Failure:
    wait = it.wait
    if wait is None and _RATE in it.said.lower():
        wait = timedelta(minutes=1)
    return RateLimited(it.says("asks us to wait"), wait)


def _rejected(it: _Judged) -> Failure:
    return Rejected(it.says("said no"), it.status)


def _broken(it: _Judged) -> Failure:
    if it.repeatable:
        return Unavailable(it.says("has trouble"), it.wait)
    return Ambiguous(
        it.says("had trouble and may have done what was asked, so it is looked up"), it.op_id, it.deadline
    )


def _redirected(it: _Judged) -> Failure:
    """Never followed. 307 and 308 say that nothing was done; the others may come after it was."""
    why = it.says("answered with a redirect, which is not followed; is its address right?")
    if it.repeatable or it.status in {307, 308}:
        return Rejected(why, it.status)
    return Ambiguous(why, it.op_id, it.deadline)


_BY_STATUS: Final[Mapping[int, Callable[[_Judged], Failure]]] = {
    401: _refused,
    403: _forbidden,
    404: _gone,
    408: _broken,
    409: _conflict,
    410: _gone,
    412: _conflict,
    420: _limited,  # Statuspage's own
    429: _limited,
    501: _rejected,
}
_BY_HUNDRED: Final[Mapping[int, Callable[[_Judged], Failure]]] = {3: _redirected, 4: _rejected, 5: _broken}


def judge(
    name: str,
    response: httpx.Response,
    body: bytes,
    masked: Masking,
    repeatable: bool,
    op_id: OpId,
    deadline: datetime,
) -> Failure:
    """The failure that an answer other than 2xx is."""
    whole = sentence(body, response.headers.get("content-type", ""))
    said = clip(one_line(masked(whole, _READ)), MAX_SENTENCE)
    it = _Judged(name, response.status_code, response.headers, said.rstrip("."), repeatable, op_id, deadline)
    return _BY_STATUS.get(it.status, _BY_HUNDRED.get(it.status // 100, _broken))(it)


def sentence(body: bytes, content_type: str) -> str:
    """What the body of a refusal says to a person; empty if it is a web page or says nothing."""
    if "html" in content_type.lower():
        return ""
    try:
        return _said(orjson.loads(body))
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace")
        return "" if text.lstrip().startswith("<") else text


def _said(value: Any, depth: int = 0) -> str:
    """The words in a JSON refusal, whatever its shape: the supplier's own key for them first."""
    if depth > 4 or value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_said(each, depth + 1) for each in value[:5])))
    if isinstance(value, dict):
        for key in _SAYS:
            if said := _said(value.get(key), depth + 1):
                return said
        return "; ".join(
            f"{key}: {said}" for key, each in list(value.items())[:5] if (said := _said(each, depth + 1))
        )
    return str(value)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the supplier asks us to wait: seconds, an HTTP date, ISO 8601 or an epoch; never negative.

    When its hour is over says nothing of now where requests are left in it: GitHub and GitLab tell it always.
    """
    left = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", "0")).strip().strip("0")
    for name in ("retry-after",) if left else ("retry-after", "x-ratelimit-reset", "ratelimit-reset"):
        wait = _wait(headers.get(name, "").strip(), headers.get("date", ""), now)
        if wait is not None:
            return min(max(wait, timedelta()), MAX_WAIT)
    return None


def _wait(value: str, date: str, now: datetime) -> timedelta | None:
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", value):
        seconds = float(value)
        ahead = seconds - now.timestamp() if seconds > _EPOCH else seconds
        return timedelta(seconds=min(math.ceil(ahead), MAX_WAIT.total_seconds()))
    then = _moment(value)
    return None if then is None else then - (_moment(date) or now)  # by the supplier's own clock, if told


def _moment(value: str) -> datetime | None:
    """An HTTP date or an ISO 8601 time, as UTC; None if it is neither."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(value)
        except (ValueError, TypeError, IndexError):
            continue
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return None
