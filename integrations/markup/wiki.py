"""Plain text as wiki marks: Textile as Redmine reads it, and Jira's; and what they write, as plain text.

Both show a sign that is written as an HTML entity and read nothing into it.
"""

from __future__ import annotations

import html
import re
from typing import Final

from integrations.markup.blocks import NBSP, Block, blocks, wide

_FOOTER: Final = re.compile(r"\[muster:[0-9A-Z]{26}\]")

# --- Textile, by lib/redmine/wiki_formatting/textile and the links of application_helper.rb (5.0) ---
_TEXTILE: Final = re.compile(
    r"[&<>*_+^~%@#|{}\[\]\\]"
    r"|(?<![^=])=|=(?==|$)|^="  # == and lines of =
    r"|^-|(?<![^\W_])-(?=\S)|-(?=-)|(?<=-)-"
    r"|\?(?=\?)|(?<=\?)\?"
    r"|!(?=\S)"
    r'|"(?=:)'
    r"|(?<=[A-Z0-9])\("
    r"|\br(?=\d)"
)
_PREFIXED: Final = re.compile(
    r"\b(attachment|document|version|forum|news|message|project|commit|source|export|user):"
)
_WORD_START: Final = re.compile(r"^([a-z]{1,10}\d*)([.(=<>)]+)")
_NOT_IN_PRE: Final = re.compile(r"</?(?:pre|code|kbd|notextile)\b|x%", re.IGNORECASE)


def textile_of(text: str) -> str:
    """Plain text as Textile that Redmine shows the same."""
    return "\n\n".join(_textile(block) for block in blocks(text))


def _textile(block: Block) -> str:
    if block.verbatim and not _NOT_IN_PRE.search(block.text):
        return f"<pre>{_without_gaps(block.lines)}</pre>"
    return "\n".join(_textile_line(line) for line in block.lines)


def _without_gaps(lines: list[str]) -> str:
    """Redmine makes one empty line of several, in <pre> too; one with a hard space it leaves alone."""
    return "\n".join(line or NBSP for line in lines)


def _textile_line(line: str) -> str:
    if _FOOTER.fullmatch(line):
        return line
    if not line:
        return "&#160;"
    said = _TEXTILE.sub(_entity, wide(line, NBSP))
    said = _PREFIXED.sub(r"\1&#58;", said)
    said = _WORD_START.sub(lambda m: m[1] + "".join(f"&#{ord(sign)};" for sign in m[2]), said)
    return _unlinked(said.replace(NBSP, "&#160;"))


def _unlinked(said: str) -> str:
    """Of an address with entities in it no link is made: they would be taken for a part of it."""
    return " ".join(
        word.replace("://", "&#58;//").replace("www.", "www&#46;") if "&#" in word else word
        for word in said.split(" ")
    )


def _entity(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(sign)};" for sign in found[0])


# --- Jira's wiki ---
_JIRA: Final = re.compile(
    r"[&<>*_+^~{}\[\]\\|!()#?]"
    r"|^-|(?<![^\W_])-(?=\S)|-(?=-)|(?<=-)-"
    r"|[:;](?=[-)(DPp|\\/])"
    r"|(?<=[A-Z])-(?=\d)|(?<=[A-Z]\d)-(?=\d)"
    r"|@(?=\w)"
)
_JIRA_START: Final = re.compile(r"^(h[1-6]|bq)\.")
_NOFORMAT: Final = "{noformat}"


def jira_of(text: str) -> str:
    """Plain text as Jira's wiki marks that Jira shows the same."""
    return "\n\n".join(_jira(block) for block in blocks(text))


def _jira(block: Block) -> str:
    if block.verbatim and _NOFORMAT not in block.text:
        return f"{_NOFORMAT}\n{block.text}\n{_NOFORMAT}"
    return "\n".join(_jira_line(line) for line in block.lines)


def _jira_line(line: str) -> str:
    if not line:
        return "&#160;"
    said = _JIRA_START.sub(r"\1&#46;", _JIRA.sub(_entity, wide(line, NBSP)))
    return _unlinked(said.replace(NBSP, "&#160;"))


# --- and back ---
_TAG: Final = re.compile(r"</?(?:code|kbd|notextile)\b[^<>\n]{0,200}>", re.IGNORECASE)
_TEXTILE_LINK: Final = re.compile(r'"([^"\n]{1,300})":(https?://[^\s<>"]{1,2000})')
_BRACES: Final = re.compile(r"\{(?:noformat|code|quote|color|panel)(?:[:=][^{}\n]{0,200})?\}")
_JIRA_LINK: Final = re.compile(
    r"\[([^\[\]|\n]{1,300})\|(https?://[^\[\]|\s]{1,2000})(?:\|[^\[\]\n]{0,100})?\]"
)
_JIRA_NAME: Final = re.compile(r"\[~([^\[\]\n]{1,100})\]")
_ESCAPE: Final = re.compile(r"\\([*_\-+^~{}\[\]|!()#?])")


def text_of_textile(text: str) -> str:
    """What Redmine's Textile says. Marks that hide nothing (*bold*, h1.) stay as they were typed."""
    parts: list[str] = []
    at = 0
    while at <= len(text):
        start = text.find("<pre>", at)
        end = text.find("</pre>", start) if start >= 0 else -1
        if end < 0:
            parts.append(_unmarked(text[at:]))
            break
        parts += (_unmarked(text[at:start]), _TAG.sub("", text[start + 5 : end]))
        at = end + 6
    return _trimmed("".join(parts))


def _unmarked(text: str) -> str:
    return html.unescape(_TEXTILE_LINK.sub(r"\1 (\2)", _TAG.sub("", text)))


def text_of_jira(text: str) -> str:
    """What Jira's wiki says. Marks that hide nothing stay as they were typed."""
    parts: list[str] = []
    for place, part in enumerate(_split(text, _NOFORMAT)):
        if place % 2:
            parts.append(part.removeprefix("\n").removesuffix("\n"))
        else:
            parts.append(_jira_unmarked(part))
    return _trimmed("".join(parts))


def _split(text: str, mark: str) -> list[str]:
    """The text between marks, every second part within a pair; one without its other is no mark."""
    parts = text.split(mark)
    if len(parts) % 2 == 0:
        parts[-2:] = [parts[-2] + parts[-1]]
    return parts


def _jira_unmarked(text: str) -> str:
    text = _JIRA_NAME.sub(r"@\1", _JIRA_LINK.sub(r"\1 (\2)", _BRACES.sub("", text)))
    return html.unescape(_ESCAPE.sub(r"\1", text))


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace(NBSP, " ").split("\n")).strip("\n")
