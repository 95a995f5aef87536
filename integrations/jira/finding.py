"""Looking up what we made: by its label, or our reference in its words. A hit proves, its lack does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.connector import Absent, CannotTell, FindResult
from integrations.connector import Found as Hits
from integrations.jira.wire import Found, Hit, ref_to
from integrations.markup.formats import plain
from integrations.reading import read
from register.marker import marker_of

if TYPE_CHECKING:
    from integrations.errors import OpId
    from integrations.http import Http
    from integrations.jira.account import Account
    from integrations.jira.config import JiraConfig

PROPERTY: Final = "muster"
MOST: Final = 50


def label_of(op_id: OpId) -> str:
    return f"muster-{op_id}"


async def found(http: Http, config: JiraConfig, account: Account, op_id: OpId) -> FindResult:
    """Issues that carry `op_id`, the oldest first. The index lags: Absent is no proof here."""
    asked: dict[str, Any] = {
        "jql": f'(labels = "{label_of(op_id)}" OR description ~ "{op_id}") ORDER BY created ASC, key ASC',
        "maxResults": MOST,
        "fields": "labels,description",
    }
    path = f"{config.api}/search"
    if config.is_cloud:
        path, asked["properties"] = f"{path}/jql", PROPERTY
    answer = await http.get(path, asked)
    rows = read(Found, answer).issues
    if not rows:
        await account.proved(answer.headers)
        return Absent()
    try:
        told = [Hit.model_validate(row) for row in rows]
    except ValidationError:
        return CannotTell(f"{http.name} gave an issue that cannot be read.")
    hits = [hit for hit in told if _is_ours(hit, config, op_id)]
    if not hits:
        return CannotTell(f"{http.name} gave issues that do not carry our reference.")
    return Hits(tuple(ref_to(http, config, hit.id, hit.key) for hit in hits))


def _is_ours(hit: Hit, config: JiraConfig, op_id: OpId) -> bool:
    told = hit.properties.get(PROPERTY)
    if isinstance(told, dict) and told.get("op_id") == op_id:
        return True
    in_text = marker_of(plain(hit.fields.description, config.format)) == op_id
    return in_text or label_of(op_id).casefold() in map(str.casefold, hit.fields.labels)
