"""One page by one channel of somebody's: apprise, imported when a page is sent, in a thread with a deadline.

An address may hold a secret: it is in no message, and apprise's own words, which may quote it, are not passed
on. It may lead to this machine without encryption, and to no other one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, TypeVar

from integrations import secrets
from integrations.errors import AuthFailed
from integrations.page_text import Words
from register.topics.paging import Tried

T = TypeVar("T")

_LOGGERS: Final = ("apprise", "urllib3", "requests", "oauthlib", "requests_oauthlib")
_NOBODYS: Final = frozenset({"syslog", "dbus", "glib", "kde", "qt", "gnome", "macosx", "windows"})
"""What shows or writes something on the worker's own machine, where nobody sits."""
_ANSWERED: Final = re.compile(r"error=(\d{3})\b")
_NOT_REACHED: Final = re.compile(r"connection error", re.IGNORECASE)
_CAUSE: Final = "Socket Exception: "
"""How apprise begins what went wrong with a connection, which it tells a programmer alone."""
NO_ANSWER: Final = "it gave no answer in time: it may come late"
CAUSES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r"CERTIFICATE_VERIFY_FAILED", "its certificate cannot be trusted, so nothing was sent"),
        (r"\bSSL|\bTLS", "no encrypted connection to it could be made, so nothing was sent"),
        (r"read timed out|closed: timed out", NO_ANSWER),
        (r"timed out", "no connection to it could be made in time"),
        (r"refused", "nothing takes connections at its address"),
        (r"failed to resolve|name or service|name resolution|nodename", "its host's name cannot be found"),
        (r"unreachable|no route", "its host cannot be reached from here"),
        (r"\(5[0-9][0-9], |Authentication", "it does not take the login in its address"),
    )
)
"""What went wrong with a connection → what is told of it, the first that fits."""
REFUSED: Final = ("401", "403")
HANGS: Final = "earlier pages by it hang still: it is tried again when one of them ends"
PATIENCE: Final = 12.0
"""Seconds within which a service is to answer, unless its address says otherwise."""
MOST: Final = 8
"""Threads by one channel of one person: more of them hang than are waited for."""


class Unfit(ValueError):
    """An address by which nobody may be paged. The sentence does not repeat it."""


def fault_in(address: str) -> str:
    """Why somebody may not be paged by this address, as a sentence that does not repeat it; empty if fit."""
    try:
        _opened(address)
    except Unfit as unfit:
        return str(unfit)
    return ""


async def send(person: str, channel: str, words: Words, seconds: float, env: Mapping[str, str]) -> Tried:
    """Page somebody by one channel; return what became of it.

    person: their key in matrix.toml. seconds: after so many it counts as failed, whatever it does later.
    """

    slot = secrets.slot(person, channel)

    def work() -> str:
        address = secrets.look(slot, env)
        if address is None:
            return f"its address is not stored where Muster serves: `muster page login {person} {channel}`"
        return _sent(address, words)

    try:
        if not _apprise.cache_info().currsize:  # importing it on a busy machine is not of the channel's time
            await in_thread(_apprise, seconds)
        why = await in_thread(work, seconds, slot) if _running[slot] < MOST else HANGS
    except AuthFailed as failure:  # its sentence is for whoever logs in: a story needs the half of it
        why = f"its address cannot be looked up where Muster serves: {secrets.cause(failure)}"
    except Unfit as unfit:
        why = str(unfit)
    except TimeoutError:
        why = NO_ANSWER
    except Exception as error:  # apprise has 130 plug-ins, which raise what they like
        why = f"the service for it failed ({type(error).__name__})"
    return Tried(channel=channel, ok=not why, why=why)


_running: Final = Counter[str]()
"""Threads that have begun and not ended, by what they are for; touched on the event loop and in threads."""
_counting: Final = threading.Lock()


def _count(what: str, change: int) -> None:
    with _counting:
        _running[what] += change
        if not _running[what]:
            del _running[what]


async def in_thread(work: Callable[[], T], seconds: float, what: str = "") -> T:
    """Run blocking work beside the event loop. TimeoutError: it is not waited for any more, and goes on.

    A thread of its own: one that hangs keeps neither the others nor the end of the process waiting. what: as
    what it is counted in `_running`, as long as it runs.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        if not answer.done():
            done()

    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # told to whoever waits
            ended = partial(answer.set_exception, error)
        else:
            ended = partial(answer.set_result, found)
        _count(what, -1)
        _tell(loop, settle, ended)

    _count(what, 1)
    threading.Thread(target=run, name="page", daemon=True).start()
    return await asyncio.wait_for(answer, seconds)


def _tell(
    loop: asyncio.AbstractEventLoop,
    settle: Callable[[Callable[[], None]], None],
    done: Callable[[], None],
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop may be closed: the worker has ended meanwhile
        loop.call_soon_threadsafe(settle, done)


def mailed_to(address: str) -> frozenset[str]:
    """The mail addresses, in lower case, that a page by this address goes to; none where it is no mail."""
    try:
        return _mailed_to(_opened(address))
    except Unfit:
        return frozenset()


def _mailed_to(opened: Any) -> frozenset[str]:
    found = set()
    for service in opened:
        if getattr(service, "smtp_host", None) is not None:
            found |= {str(to).lower() for _, to in service.targets}
    return frozenset(found)


def _sent(address: str, words: Words) -> str:
    """Send; return why it failed, or nothing where it was taken."""
    apprise = _apprise()
    opened = _opened(address)
    if _mailed_to(opened):
        words = words.as_mail()
    result = opened.notify(
        body=words.body,
        title=words.title,
        body_format=apprise.NotifyFormat.TEXT,
        notify_type=apprise.NotifyType.WARNING,
        log_level=logging.DEBUG,
    )
    # what a `?optional=yes` in the address failed of is success for apprise, and none for us
    if any(attempt for service in result for attempt in service):
        return ""
    return _why([entry.message for entry in result.logs()])


def _why(said: Sequence[str]) -> str:
    """What went wrong, without a word of what was said, which may quote the address."""
    whole = " ".join(said)
    answered = _ANSWERED.search(whole)
    if answered is not None:
        more = ": it does not take the login or token in its address" if answered[1] in REFUSED else ""
        return f"the service answered {answered[1]}{more}"
    causes = [one for one in said if one.startswith(_CAUSE)]
    for pattern, why in CAUSES:
        if any(pattern.search(cause) for cause in causes):
            return why
    if _NOT_REACHED.search(whole):
        return "the service could not be reached, or did not take it"
    return "the service did not take it"


def _opened(address: str) -> Any:
    """An address, ready to be sent to; raises Unfit."""
    scheme = address.partition("://")[0].strip().lower()
    if scheme in _NOBODYS:
        raise Unfit(
            f"{scheme}:// shows it on the machine where Muster serves, where nobody sits: take another."
        )
    service = _instance(address)
    if service is None:
        raise Unfit(
            "It is no address that apprise can use: write it as in mailtos://USER:PASSWORD@HOST?to=ANA@HOST"
            " (docs/pages.md shows more)."
        )
    if not service.verify_certificate:
        raise Unfit("verify=no would send it to whoever answers: take it out of the address.")
    if _is_plain(service, scheme) and not _is_here(service):
        raise Unfit(
            f"{scheme}:// would send it unencrypted to another machine: write {_safe(service)}://"
            " (without encryption it may go to this machine alone)."
        )
    if "rto=" not in address:
        service.socket_read_timeout = PATIENCE  # its own 4 s would page anew, and anew, whom a slow one pages
    service.redirects = False  # whoever answers may not send it on to somebody else
    found = _apprise().Apprise(asset=_asset())
    found.add(service)
    return found


def _instance(address: str) -> Any:
    try:
        return _apprise().Apprise.instantiate(address, asset=_asset())
    except Exception:  # a plug-in's: whatever it is, the address cannot be used
        return None


def _is_plain(service: Any, scheme: str) -> bool:
    mode = getattr(service, "secure_mode", None)
    if mode is not None:  # mail: what counts is how the connection begins, whatever the scheme says
        return str(mode) == "insecure"
    return scheme in _names(service.protocol) and scheme not in _names(service.secure_protocol)


def _names(protocol: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (protocol,) if isinstance(protocol, str) else tuple(protocol or ())


def _safe(service: Any) -> str:
    return next(iter(_names(service.secure_protocol)), "one that ends in s")


def _is_here(service: Any) -> bool:
    """Whether it leads to this machine."""
    host = str(getattr(service, "smtp_host", "") or service.host or "").strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def _apprise() -> Any:
    """The library, which must write nothing anywhere by itself."""
    apprise = importlib.import_module("apprise")
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
    logging.getLogger("apprise").setLevel(logging.DEBUG)  # else it keeps why a connection failed to itself
    return apprise


def _asset() -> Any:
    return _apprise().AppriseAsset(
        app_id="Muster",
        app_desc="Muster",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        storage_mode="memory",
        http_redirects=False,
        async_mode=False,
        service_timeout=0,  # else it sends from a few threads of its own: what hangs there keeps all waiting
    )
