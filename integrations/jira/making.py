"""Making an issue, or a request of a service desk, which takes what stands on its form and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from integrations.errors import Gone, Rejected
from integrations.jira.fields import told, words_of
from integrations.jira.finding import PROPERTY, label_of
from integrations.jira.wire import DESK, Created, Requested, ref_to
from integrations.mapping import priority_for
from integrations.markup.formats import TextFormat
from integrations.reading import read
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.connector import Draft, Ref
    from integrations.http import Http
    from integrations.jira.config import JiraConfig


class FormField(BaseModel):
    fieldId: str
    name: str = ""
    required: bool = False


class _Form(BaseModel):
    requestTypeFields: tuple[FormField, ...]


class Making:
    """Makes them. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: JiraConfig) -> None:
        self.http = http
        self.config = config
        self.form: tuple[FormField, ...] | None = None  # what the request type takes, once it was asked for

    async def make(self, draft: Draft) -> Ref:
        fields = self._fields(draft)
        try:
            if self.config.service_desk:
                return await self._requested(draft, fields)
            return await self._created(draft, fields)
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.http.name} right?", 404) from None

    def _fields(self, draft: Draft) -> dict[str, Any]:
        """What both take in the same shape, all but the words."""
        fields: dict[str, Any] = {
            "summary": clip(one_line(draft.title), MAX_TITLE),
            "labels": [label_of(draft.op_id)],
            **told(draft.fields),
        }
        if (priority := priority_for(self.http.name, self.config, draft)) is not None:
            fields["priority"] = {"name": priority}
        return fields

    async def _created(self, draft: Draft, fields: dict[str, Any]) -> Ref:
        text = words_of(self.http.name, draft.body, draft.op_id, self.config.format)
        asked = {
            "fields": {
                "project": {"key": self.config.project},
                "issuetype": {"name": self.config.issue_type},
                "description": text,
                **fields,
            },
            "properties": [{"key": PROPERTY, "value": {"op_id": draft.op_id}}],
        }
        answer = await self.http.post(f"{self.config.api}/issue", asked, op_id=draft.op_id)
        made = read(Created, answer)
        return ref_to(self.http, self.config, made.id, made.key)

    async def _requested(self, draft: Draft, fields: dict[str, Any]) -> Ref:
        """A field that is not on the form would be refused: label and priority go where they fit."""
        there = {field.fieldId for field in await self.asked_for()}
        values = {name: value for name, value in fields.items() if name in there or name in draft.fields}
        values["summary"] = fields["summary"]
        values["description"] = words_of(self.http.name, draft.body, draft.op_id, TextFormat.JIRA)
        asked = {
            "serviceDeskId": self.config.service_desk,
            "requestTypeId": self.config.request_type,
            "requestFieldValues": values,
        }
        answer = await self.http.post(f"{DESK}/request", asked, op_id=draft.op_id)
        made = read(Requested, answer)
        return ref_to(self.http, self.config, made.issueId, made.issueKey)

    async def asked_for(self) -> tuple[FormField, ...]:
        """What stands on the request type's form."""
        if self.form is None:
            desk, kind = self.config.service_desk, self.config.request_type
            answer = await self.http.get(f"{DESK}/servicedesk/{desk}/requesttype/{kind}/field")
            self.form = read(_Form, answer).requestTypeFields
        return self.form
