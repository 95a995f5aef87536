"""The text formats of suppliers' systems: one table, by which everything that we write and read goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from integrations.markup.adf import adf_of, text_of_adf
from integrations.markup.html import html_of, text_of_html
from integrations.markup.markdown import gitlab_of, markdown_of
from integrations.markup.wiki import jira_of, text_of_jira, text_of_textile, textile_of
from register.marker import sign
from register.text import MAX_TEXT, clean

MOST_READ: Final = 4 * MAX_TEXT
"""Characters of a message of theirs that are read at all: markup takes more room than words."""


class TextFormat(StrEnum):
    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"
    GITLAB = "gitlab"
    TEXTILE = "textile"
    JIRA = "jira"
    ADF = "adf"


def _as_it_is(text: str) -> str:
    return text


_WRITE: Final[Mapping[TextFormat, Callable[[str], Any]]] = MappingProxyType(
    {
        TextFormat.TEXT: _as_it_is,
        TextFormat.HTML: html_of,
        TextFormat.MARKDOWN: markdown_of,
        TextFormat.GITLAB: gitlab_of,
        TextFormat.TEXTILE: textile_of,
        TextFormat.JIRA: jira_of,
        TextFormat.ADF: adf_of,
    }
)
_READ: Final[Mapping[TextFormat, Callable[[str], str]]] = MappingProxyType(
    {
        TextFormat.TEXT: _as_it_is,
        TextFormat.HTML: text_of_html,
        TextFormat.MARKDOWN: _as_it_is,  # made to be read as it is typed
        TextFormat.GITLAB: _as_it_is,
        TextFormat.TEXTILE: text_of_textile,
        TextFormat.JIRA: text_of_jira,
    }
)


def written(text: str, how: TextFormat) -> Any:
    """Our words in a format: a string, or for ADF a document. They show as they were written."""
    return _WRITE[how](text)


def signed(body: str, op_id: str, how: TextFormat) -> Any:
    """Our words under our operation id, in a format."""
    return written(sign(body, op_id), how)


def plain(said: object, how: TextFormat) -> str:
    """Their words as plain text, clean of what a terminal would obey. Never raises, whatever they sent."""
    if how is TextFormat.ADF and not isinstance(said, str):
        return clean(text_of_adf(said))
    if not isinstance(said, str):
        return ""
    reader = _READ.get(how, _as_it_is)
    return clean(reader(clean(said[:MOST_READ])))
