"""What AWS's refusals mean: most come as HTTP 400, and are told apart by the name of the error in the body.

Sources: AWS Support API reference (the errors of each operation), botocore's description of the API, and what
others were answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import orjson

from integrations.answers import MAX_SENTENCE, Answer, lost, retry_after, sentence
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, NotSent, RateLimited, Rejected
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

TOLD: Final = (400, 403, 404)
"""Statuses that say nothing by themselves."""
_CLOCK: Final = ("signature expired", "signature not yet current", "request has expired")
"""How the message of an error begins that is about the time at which a request was signed."""
_REGION: Final = "scoped to a valid region"
STORED: Final = "The credential is stored as ACCESS-KEY-ID:SECRET-ACCESS-KEY, in one line."
_NEAR: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One refusal, ready for the table. said: their words, clean, masked and short."""

    answer: Answer
    name: str
    code: str
    said: str
    gap: timedelta | None

    def says(self, meaning: str, more: str = "") -> str:
        told = ": ".join(filter(None, (self.code, self.said.rstrip("."))))
        return " ".join(filter(None, (f"{self.name} {meaning}{f' ({told})' if told else ''}.", more)))


def failure_of(answer: Answer, http: Http) -> Failure:
    """The failure that an answer of one of the statuses `TOLD` is."""
    said = one_line(http.masked(sentence(answer.body, answer.headers.get("content-type", ""))))
    it = _Refusal(answer, http.name, code_of(answer), clip(said, MAX_SENTENCE), http.gap)
    if any(it.said.lower().startswith(sign) for sign in _CLOCK):
        return _clock(it)
    return _BY_CODE.get(it.code, _forbidden if not it.code and answer.status == 403 else _rejected)(it)


def code_of(answer: Answer) -> str:
    """The name of the error, as `CaseIdNotFound`; empty where none is told."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    told = body.get("__type") or body.get("code") if isinstance(body, dict) else None
    name = told if isinstance(told, str) else answer.headers.get("x-amzn-errortype", "")
    name = name.partition(":")[0].rpartition("#")[2]
    return name.removesuffix("Exception") if name.isascii() and name.isalnum() else ""


def _clock(it: _Refusal) -> Failure:
    """Nothing was carried out, and nothing will be until the clock is right: then it goes on by itself."""
    off = ""
    if it.gap is not None and abs(it.gap) > _NEAR:
        minutes = round(abs(it.gap).total_seconds() / 60)
        off = f" It is about {minutes} min {'behind' if it.gap > timedelta(0) else 'ahead of'} theirs."
    return NotSent(it.says("did nothing: the clock of this host is wrong", f"Set it right.{off}"))


def _refused(it: _Refusal) -> Failure:
    return AuthFailed(it.says("does not accept the stored access key", STORED), AuthTrouble.REFUSED)


def _unmatched(it: _Refusal) -> Failure:
    if _REGION in it.said.lower():
        more = "Mend `region` in vendors.toml: it is that of the address."
        return AuthFailed(
            it.says("takes no request that is signed for this region", more), AuthTrouble.REFUSED
        )
    why = it.says("cannot verify our signature: the secret is not that of the access key", STORED)
    return AuthFailed(why, AuthTrouble.REFUSED)


def _forbidden(it: _Refusal) -> Failure:
    return AuthFailed(it.says("does not allow this to our access key"), AuthTrouble.FORBIDDEN)


def _planless(it: _Refusal) -> Failure:
    why = it.says("lets no program in: the account has no support plan that includes the API", _PLAN)
    return AuthFailed(why, AuthTrouble.FORBIDDEN)


_PLAN: Final = "It takes Business Support or a plan above it."


def _limited(it: _Refusal) -> Failure:
    return RateLimited(it.says("asks us to wait"), retry_after(it.answer.headers, datetime.now(UTC)))


def _full(it: _Refusal) -> Failure:
    more = "Nothing was made. Resolve cases that are over, or call them."
    return Rejected(it.says("takes no more cases: the account has as many open as it may", more), 400)


def _gone(it: _Refusal) -> Failure:
    return Gone(it.says("has no such case, or has none of its age any more"))


def _over(it: _Refusal) -> Failure:
    return NotSent(it.says("has the file no more that was to go with it: nothing was written"))


def _broken(it: _Refusal) -> Failure:
    answer = it.answer
    return lost(it.name, f"has trouble ({it.code})", answer.repeatable, answer.op_id)


def _rejected(it: _Refusal) -> Failure:
    return Rejected(it.says(f"said no: HTTP {it.answer.status}"), it.answer.status)


_NAMES: Final[Mapping[Callable[[_Refusal], Failure], tuple[str, ...]]] = {
    _clock: ("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"),
    _refused: (
        "UnrecognizedClient",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "ExpiredToken",
        "IncompleteSignature",
    ),
    _unmatched: ("InvalidSignature", "SignatureDoesNotMatch"),
    _forbidden: ("AccessDenied", "NotAuthorized", "UnauthorizedOperation"),
    _planless: ("SubscriptionRequired", "OptInRequired"),
    _limited: (
        "Throttling",
        "Throttled",
        "RequestThrottled",
        "TooManyRequests",
        "RequestLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "AttachmentLimitExceeded",
        "DescribeAttachmentLimitExceeded",
    ),
    _full: ("CaseCreationLimitExceeded",),
    _gone: ("CaseIdNotFound", "AttachmentIdNotFound"),
    _over: ("AttachmentSetExpired", "AttachmentSetIdNotFound"),
    _broken: ("InternalServerError", "InternalFailure", "InternalServer", "ServiceUnavailable"),
}
_BY_CODE: Final = {name: what for what, names in _NAMES.items() for name in names}
