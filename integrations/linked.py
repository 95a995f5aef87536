"""Lists that come in pages, each with a Link header that tells whether there are more: GitHub, GitLab."""

from __future__ import annotations

from typing import Any, Final

from pydantic import RootModel

from integrations.answers import lost
from integrations.http import Http
from integrations.reading import read

PAGE: Final = 100
"""Rows of a page: neither gives more."""
MOST: Final = 100
"""Pages of one list that are read."""
Rooted = RootModel[tuple[Any, ...]]


class Rows(RootModel[tuple[dict[str, Any], ...]]):
    """Rows that are read one by one, so that one of another shape does not hide the others."""


async def listed(http: Http, path: str, model: type[Rooted], **asked: Any) -> list[Any]:
    """All rows of a list, page by page.

    Whether there is another page says the header alone: a page may be short, for what we may not see is
    taken out of it after it was cut.
    """
    rows: list[Any] = []
    for page in range(1, MOST + 1):
        answer = await http.get(path, {**asked, "per_page": PAGE, **({"page": page} if page > 1 else {})})
        rows += read(model, answer).root
        if 'rel="next"' not in answer.headers.get("link", ""):
            return rows
    raise lost(http.name, f"has more than {PAGE * MOST:,} rows where few were asked for", True)
