"""Where in a long list we are: the four ways in which systems give one in pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from integrations.rest.paths import searched
from integrations.rest.steps import Paging

_NEXT: Final = re.compile(r'<([^<>]{1,4000})>[^,<]*;\s*rel="?next"?', re.IGNORECASE)


class Place(Protocol):
    """One place in a list, which moves on with each page."""

    def put(self, path: str, query: dict[str, Any], base: str) -> tuple[str, dict[str, Any]]:
        """The request for the page that is here."""
        ...

    def goes_on(self, count: int, data: Any, headers: Mapping[str, str]) -> bool:
        """Move behind a page of so many rows; whether there is another one."""
        ...


class _Counted:
    """By the number of the page, or of rows."""

    def __init__(self, paging: Paging) -> None:
        self._paging = paging
        self._at = paging.first

    def put(self, path: str, query: dict[str, Any], base: str) -> tuple[str, dict[str, Any]]:
        paging = self._paging
        size = {paging.size_param: paging.size} if paging.size_param else {}
        return path, {**query, **size, paging.param: self._at}

    def goes_on(self, count: int, data: Any, headers: Mapping[str, str]) -> bool:
        self._at += 1 if self._paging.kind == "page" else count
        return count >= self._paging.size


class _Told:
    """By what the last answer said is next."""

    def __init__(self, paging: Paging) -> None:
        self._paging = paging
        self._next: Any = None

    def put(self, path: str, query: dict[str, Any], base: str) -> tuple[str, dict[str, Any]]:
        paging = self._paging
        size = {paging.size_param: paging.size} if paging.size_param else {}
        here = {} if self._next is None else {paging.param: self._next}
        return path, {**query, **size, **here}

    def goes_on(self, count: int, data: Any, headers: Mapping[str, str]) -> bool:
        before, self._next = self._next, searched(self._paging.next or "@", data)
        return bool(self._next) and self._next != before


class _Linked:
    """By an address in the header Link (RFC 8288); one outside of the vendor's url is not followed."""

    def __init__(self, paging: Paging) -> None:
        self._paging = paging
        self._next = ""

    def put(self, path: str, query: dict[str, Any], base: str) -> tuple[str, dict[str, Any]]:
        if not self._next:
            paging = self._paging
            return path, {**query, **({paging.size_param: paging.size} if paging.size_param else {})}
        where, _, asked = self._next.partition("?")
        return where.removeprefix(base), dict(parse_qs(asked, keep_blank_values=True))

    def goes_on(self, count: int, data: Any, headers: Mapping[str, str]) -> bool:
        found = _NEXT.search(headers.get("link", ""))
        before, self._next = self._next, found[1] if found else ""
        return bool(self._next) and self._next != before


PLACES: Final[Mapping[str, type[_Counted] | type[_Told] | type[_Linked]]] = {
    "page": _Counted,
    "offset": _Counted,
    "cursor": _Told,
    "link": _Linked,
}
