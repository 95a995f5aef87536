"""A file of a supplier's that is told of by its address, at its own host or at another one."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic
from typing import TYPE_CHECKING, Final

from integrations.errors import AuthFailed, AuthTrouble, Rejected

if TYPE_CHECKING:
    from integrations.http import Http

_SHARE: Final = 0.8
"""Of the time that an operation has: with the rest of it was asked where the file lies."""


async def downloaded(
    http: Http, address: str | None, size: int | None, most: int, hosts: Collection[str]
) -> bytes:
    """The file at this address. size: as it was told, by which it is refused, or known to be the right one.

    Our credential goes to the supplier's own origin alone, and only where that is what was told of: whoever
    is sent on, even back there, goes without.
    """
    if size is None or size > most:
        told = "an unknown number of" if size is None else f"{size:,}"
        raise Rejected(f"The file has {told} bytes, and {most:,} is the most: ask {http.name} for it.")
    if not address:
        raise Rejected(f"{http.name} does not tell where it keeps this file: ask them to send it.")
    end = monotonic() + http.limits.total * _SHARE
    content = await _content(http, address, most, hosts, end)
    if len(content) != size:
        raise Rejected(
            f"{http.name} told of a file of {size:,} bytes and gave {len(content):,}: it was not taken. That"
            " may be a page that asks to sign in; ask them to send the file."
        )
    return content


async def _content(http: Http, address: str, most: int, hosts: Collection[str], end: float) -> bytes:
    from integrations.away import MOST_REDIRECTS, REDIRECTS  # with all of httpx: it is there by now
    from integrations.urls import sent_on

    redirects = MOST_REDIRECTS
    if http.owns(address):
        try:
            answer = await http.page(address, most)
        except AuthFailed as refused:
            if refused.trouble is AuthTrouble.MISSING:
                raise
            why = refused.why
        else:
            if answer.status not in REDIRECTS:
                return answer.body
            address, redirects, why = sent_on(address, answer.headers.get("location", "")), redirects - 1, ""
        if why:  # its API takes the credential, so it is no reason to stop speaking to the supplier
            raise Rejected(f"{why} The file was not fetched: ask them whether our account may see files.")
    return await http.away.bring(address, hosts, most, end, redirects)
