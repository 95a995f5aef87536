"""Text formats: what we write shows as it was written, and what they write is read whatever it is."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from integrations.markup.formats import MOST_READ, TextFormat, plain, written
from integrations.markup.hidden import said
from integrations.markup.html import text_of_html
from register.marker import marker_of, sign
from register.text import clean

ULID = "01K7ZB3X5N8Q2R4T6V8W0Y1Z3A"
PIECES = (
    *(
        "*",
        "**",
        "_",
        "__",
        "#1",
        "#12",
        "{code}",
        "{noformat}",
        "{{x}}",
        "[x]",
        "[[x]]",
        "-",
        "--",
    ),
    *(
        "- a",
        "h1. ",
        "bq. ",
        "p(c). ",
        "@name",
        "@here",
        "!a!",
        "!12",
    ),
    *(
        "http://x.test/a_b_c?d=*e*&f=1",
        "<tag>",
        "</pre>",
        "<pre>",
        "```",
        "~~~",
        "`",
        "\\",
        "\\\\",
    ),
    *(
        "|",
        "||",
        "+",
        "^",
        "~",
        "??",
        "%",
        "x%x%",
        "==",
        "===",
        '"a":http://b.test',
        "ABC(x)",
    ),
    *(
        "ABC-12",
        "r12",
        "user:bob",
        "commit:abc",
        "&amp;",
        "&",
        "&#42;",
        ":)",
        "(!)",
        "1. ",
        "2) ",
    ),
    *(
        "> q",
        "# t",
        "🧯",
        "é",
        "שלום",
        "\t",
        "  ",
        " ",
        "\n",
        "\n\n",
        "\n\n\n",
        "word",
        "word.",
        "a1",
    ),
    *(
        "0",
        ":smile:",
        "[1]",
        "=",
        "'",
        '"',
        "$x$",
        "://",
        "[a](b)",
        "![i](u)",
        "***",
        "---",
        "___",
    ),
    *(
        "[x]: http://y",
        "<!-- c -->",
        "%{c}x%",
        "/close",
        "\n/label ~bug",
        "\n/var/log/x\n",
    ),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
LOG = (
    "2026-11-27 10:00 ERROR  *** db[3] failed ***\n    at @host#12 {code}\n\n\n- see h1. <tag> &amp; C:\\new"
)


def lines(text: str) -> list[str]:
    """A text as it is seen: without spaces at ends of lines, or empty lines around; a tab is four spaces."""
    shown = clean(text).replace("\u00a0", " ").replace("\t", "    ").strip("\n ")
    return [line.rstrip() for line in shown.split("\n")]


def seen(text: str, how: TextFormat) -> str:
    """What a reader there sees. Markdown is rendered by a parser that is not ours."""
    told = written(text, how)
    if how in (TextFormat.MARKDOWN, TextFormat.GITLAB):
        return text_of_html(MarkdownIt("commonmark").render(told))
    return plain(told, how)


@pytest.mark.parametrize("how", TextFormat)
@given(text=TEXTS)
@example(text=LOG)
@settings(max_examples=120, deadline=None)
def test_what_we_write_is_what_is_seen(how: TextFormat, text: str) -> None:
    text = clean(text).strip()
    assert lines(seen(text, how)) == lines(text)


@pytest.mark.parametrize("how", TextFormat)
@given(text=TEXTS)
@settings(max_examples=40, deadline=None)
def test_our_marker_is_found_in_every_format(how: TextFormat, text: str) -> None:
    told = written(sign(text, ULID), how)
    assert marker_of(plain(told, how)) == ULID
    if how in (TextFormat.TEXTILE, TextFormat.MARKDOWN, TextFormat.TEXT):
        assert marker_of(told) == ULID, "a search in the text that they keep finds it, too"


REDMINE_MENTION = re.compile(r"(?:^|\W)@[A-Za-z0-9_\-@.]+")
"""By lib/redmine/acts/mentionable.rb, which looks at the text as it was sent, without what is in <pre>."""


@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_nobody_is_called_by_what_we_write_in_textile(text: str) -> None:
    told = re.sub(r"<pre>.*?</pre>", "", written(clean(text), TextFormat.TEXTILE), flags=re.DOTALL)
    assert not REDMINE_MENTION.search(told)


@given(text=TEXTS)
@example(text="/close")
@example(text="see\r/close")
@example(text="a ` tick\n\n@lena look\n/close")
@example(text="```\n/close\n```\n\n> /close\n\n  /close")
@settings(max_examples=120, deadline=None)
def test_no_line_of_ours_is_a_command_to_gitlab(text: str) -> None:
    """By its lib/gitlab/quick_actions/extractor.rb, which drops \\r; what it takes for code is no help."""
    told = written(sign(text, ULID), TextFormat.GITLAB).replace("\r", "")
    assert not re.search(r"^/\w", told, re.MULTILINE)


def test_a_path_stays_a_path_and_a_command_is_seen_as_it_was_typed() -> None:
    assert written("/close", TextFormat.GITLAB) == "\\/close"
    assert "&#47;close" in written("@lena\n/close", TextFormat.GITLAB)
    assert seen("@lena\n/close <now>", TextFormat.GITLAB) == "@lena\n/close <now>"


SIGNS = {
    TextFormat.TEXTILE: (
        re.compile(r"<pre>.*?</pre>", re.DOTALL),
        re.compile(r"[<>*_+^~%@#|{}\[\]\\]|==|--|\?\?"),
    ),
    TextFormat.JIRA: (
        re.compile(r"\{noformat\}\n.*?\n\{noformat\}", re.DOTALL),
        re.compile(r"[<>*_+^~#|{}\[\]\\!()]|--"),
    ),
}


@pytest.mark.parametrize("how", SIGNS)
@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_no_sign_that_means_something_there_goes_out_bare(how: TextFormat, text: str) -> None:
    shaped, signs = SIGNS[how]
    told = re.sub(r"&#?\w+;", "", shaped.sub("", written(clean(text), how)))
    assert not signs.search(told)


def test_running_words_stay_readable_as_they_are_sent() -> None:
    """Who reads their mail sees the source: it is left alone where nothing can be read into it."""
    text = "The pump is down since 10:30, see https://x.test/a.\nPlease call Ms. O'Neil (desk).\n\nThanks"
    assert written(text, TextFormat.TEXTILE) == text
    assert written(text, TextFormat.MARKDOWN) == text.replace("\nPlease", "  \nPlease").replace(
        "https://x.test/a", "<https://x.test/a>"
    )


@pytest.mark.parametrize(
    ("how", "said", "is_read"),
    [
        (TextFormat.HTML, "<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        (TextFormat.HTML, "<pre>a\n\n\n  b</pre>", "a\n\n\n  b"),
        (TextFormat.HTML, '<a href="https://x.test/1">the log</a>', "the log (https://x.test/1)"),
        (TextFormat.HTML, '<a href="https://x.test/1">https://x.test/1</a>', "https://x.test/1"),
        (TextFormat.HTML, "<script>alert(1)</script>seen<style>b{}</style>", "seen"),
        (TextFormat.HTML, "<ul><li>one<li>two</ul>", "- one\n- two"),
        (TextFormat.HTML, "cut <b off", "cut <b off"),
        (TextFormat.HTML, '1 < 2 &lt; 3 &amp;&amp; <b title="a>b">x</b>', "1 < 2 < 3 && x"),
        (TextFormat.HTML, "<head><title>t</title><body>seen", "seen"),
        (TextFormat.TEXTILE, '"the log":https://x.test/1 is *here*', "the log (https://x.test/1) is *here*"),
        (TextFormat.TEXTILE, '<pre><code class="ruby">\n  x &amp; y</code></pre>', "  x &amp; y"),
        (TextFormat.TEXTILE, "open <pre> and never closed &#42;", "open <pre> and never closed *"),
        (TextFormat.JIRA, "{code:java}\nx\n{code} [log|https://x.test/1] [~bob] \\*a\\*", None),
        (TextFormat.JIRA, "one {noformat} alone", "one  alone"),
        (TextFormat.ADF, "no document", "no document"),
        (TextFormat.ADF, None, ""),
        (TextFormat.ADF, {"type": "doc", "content": "odd"}, ""),
        (
            TextFormat.ADF,
            {"type": "doc", "content": [1, None, {"type": "text"}, {"type": "text", "text": 3}]},
            "",
        ),
    ],
)
def test_what_they_write_is_read(how: TextFormat, said: object, is_read: str | None) -> None:
    if is_read is not None:
        assert plain(said, how) == is_read
    else:
        assert plain(said, how).split() == ["x", "log", "(https://x.test/1)", "@bob", "*a*"]


def _nodes(*inside: Any, kind: str = "paragraph", **more: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(inside), **more}


def test_an_atlassian_document_is_read_with_its_lists_links_and_people() -> None:
    link = {"type": "link", "attrs": {"href": "https://x.test/1"}}
    words: list[Any] = [
        {"type": "text", "text": "see "},
        {"type": "text", "text": "the log", "marks": [link]},
        {"type": "hardBreak"},
        {"type": "mention", "attrs": {"text": "@bob"}},
    ]
    items = [
        _nodes(_nodes({"type": "text", "text": one}), kind="listItem") for one in ("restart", "look again")
    ]
    code = _nodes({"type": "text", "text": "a\n  b"}, kind="codeBlock")
    document = _nodes(_nodes(*words), _nodes(*items, kind="bulletList"), code, kind="doc", version=1)
    assert plain(document, TextFormat.ADF) == (
        "see the log (https://x.test/1)\n@bob\n\n- restart\n\n- look again\n\na\n  b"
    )


def test_a_document_nested_deeper_than_python_is_read() -> None:
    deep: Any = {"type": "text", "text": "bottom"}
    for _ in range(20_000):
        deep = _nodes(deep, kind="blockquote")
    assert plain(_nodes(deep, kind="doc"), TextFormat.ADF) == "bottom"


HOSTILE = (
    *(
        "<",
        "<!--",
        "<a ",
        '<a b="',
        "<pre>",
        "</pre>",
        "<template>",
        "<p>",
        "&",
        "&#",
        "&#42;",
        "</a>",
        "<a>x",
    ),
    *(
        "<‹",
        "<!‹",
        "[",
        "[x|",
        "[~",
        "{",
        "{code:",
        "{noformat}",
        '"x":',
        '"',
        "\\",
        "`",
        "@",
        "*",
        "<script>",
        "![",
        "\n> ",
    ),
)


@pytest.mark.parametrize("how", [TextFormat.HTML, TextFormat.TEXTILE, TextFormat.JIRA])
def test_no_message_of_theirs_keeps_us_long(how: TextFormat) -> None:
    """The measure is their length, not what they made of it."""
    for piece in HOSTILE:
        for end in ("", ">"):
            said = piece * (2 * MOST_READ // len(piece)) + end
            before = time.process_time()
            plain(said, how)
            assert time.process_time() - before < 10, (piece, end)


@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_place_of_a_document_is_read(said: Any) -> None:
    for how in TextFormat:
        assert isinstance(plain(said, how), str)
        assert isinstance(plain({"type": "doc", "content": said}, how), str)


def test_a_text_that_is_long_and_empty_is_looked_through_in_no_time() -> None:
    begun = time.perf_counter()
    assert said(" " * 100_000 + "x") == ("x", None)
    assert time.perf_counter() - begun < 10
