"""Paths and patterns of a `rest` block that could take all memory or all time are refused when read."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import jmespath
import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from integrations.rest.bounds import slow, times
from integrations.rest.paths import Path, Taken, taken
from integrations.rest.templates import Wanting, compiled

PATH: TypeAdapter[str] = TypeAdapter(Path)


@pytest.mark.parametrize(
    ("path", "often"),
    [
        ("id", 1),
        ("items[?state=='open'].id | [0]", 1),
        ("items[*].{id: id, title: title, who: [author.name, author.id]}", 4),
        ("@ | [@,@][] | [@,@][]", 4),
        ("map(&[@,@,@], items)[]", 3),
        ("items[*].join('" + "x" * 80 + "', tags)", 10),
    ],
)
def test_how_often_a_path_gives_what_it_finds(path: str, often: int) -> None:
    assert times(jmespath.compile(path).parsed) == often


@pytest.mark.parametrize(
    "path",
    ["@" + " | [@,@][]" * 60, "@" + "|[@,@]" * 60 + "|to_string(@)", "[" * 450 + "@"],
    ids=["flattened", "as text", "unended"],
)
def test_a_path_that_grows_without_bound_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match=r"times what it finds|nested too deep|is no JMESPath"):
        PATH.validate_python(path)


def test_a_path_nested_beyond_reading_is_refused() -> None:
    with pytest.raises(ValidationError, match="nested too deep"):
        PATH.validate_python("[" * 490 + "@" + "]" * 490)


@pytest.mark.parametrize(
    "pattern",
    [
        "^((?:a+)+)$",
        "(a*)*b",
        "((?:a|a)+)$",
        "((?:a{1,9}){1,9})b",
        r"(\d*\d*\d*)x",
        "(a?a?a?a?a?a?a?a?a?aaaaaaaaa)",
        "(?P<all>(?:x+)+)y",
        "((?=a+)+b)",
    ],
)
def test_a_pattern_that_may_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"repeats a group|are the most"):
        Taken(path="id", pattern=pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"/tickets/(\d+)$", "https://acme.example/tickets/4711", "4711"),
        (r"\[#([A-Z]{2,5}-[0-9]+)\]", "Re: [#ACME-12] Pump", "ACME-12"),
        (r'W/"(.*?)"', 'W/"abc"', "abc"),
        (r"(?:issue|ticket)s?[ +*?]*(\w+)", "tickets + x1", "x1"),
        (r"^(?:https://)?([^/]+)", "https://acme.example/a", "acme.example"),
    ],
)
def test_a_pattern_that_takes_one_value_is_taken(pattern: str, text: str, found: str) -> None:
    assert slow(pattern) == ""
    assert taken(Taken(path="id", pattern=pattern), {"id": text}, {}) == found


def test_the_slowest_pattern_that_is_taken_ends_soon() -> None:
    worst = r"(a+a+)$"
    began = time.process_time()
    assert taken(Taken(path="id", pattern=worst), {"id": "a" * 499 + "b"}, {}) is None
    assert time.process_time() - began < 9
    assert re.search(worst, "aab") is None


def test_what_is_too_long_is_not_cut_into_another_value() -> None:
    assert taken(Taken(path="id", pattern=r"(\d+)$"), {"id": "7" * 501}, {}) is None


@pytest.mark.parametrize("template", ["{{ told.number }}", "no. {{ told.deep }}", "{{ told.deep | lower }}"])
def test_a_value_nested_beyond_reading_fills_no_template(template: str) -> None:
    """An answer may be as deep as JSON is read: that fills no template, and ends nothing of ours."""
    deep = orjson.loads("[" * 1_020 + "]" * 1_020)
    with pytest.raises(Wanting):
        compiled(template).made({"told": SimpleNamespace(deep=deep)})
