"""What is taken out of an answer: by JMESPath from its body, or from one of its headers."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from integrations.rest.bounds import MOST_TIMES, slow, times
from integrations.rest.templates import Unfit, checked, compiled

_LONGEST: Final = 500
"""Characters of a value that a pattern is looked for in; a longer one has none."""


@functools.lru_cache(maxsize=2_048)
def _compiled(source: str) -> Any:
    return jmespath.compile(source)


def _checked(source: str) -> str:
    try:
        often = times(_compiled(source).parsed)
    except RecursionError:
        raise Unfit("is nested too deep") from None
    except (ParseError, LexerError) as error:
        at = int(getattr(error, "lex_position", None) or 0) + 1
        raise Unfit(f"is no JMESPath at character {at}: {source!r}") from None
    except JMESPathError as error:
        raise Unfit(f"is no JMESPath: {error}") from None
    if often > MOST_TIMES:
        raise Unfit(f"gives up to {often:.3g} times what it finds, and {MOST_TIMES} is the most")
    return source


def _regular(source: str) -> str:
    try:
        found = re.compile(source)
    except re.error as error:
        raise Unfit(f"is no regular expression at character {(error.pos or 0) + 1}") from None
    if source and found.groups != 1:
        raise Unfit("must have one group in brackets: what is taken")
    if why := slow(source):
        raise Unfit(why)
    return source


Path = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(_checked)]
"""A JMESPath (jmespath.org)."""


class Taken(BaseModel, frozen=True, extra="forbid"):
    """One value of an answer, where a path alone does not say it."""

    path: Annotated[Path | None, Field(description="JMESPath into the body")] = None
    header: Annotated[str, Field(description="in place of it: a header of the answer")] = ""
    pattern: Annotated[
        str,
        AfterValidator(_regular),
        Field(description="regular expression, whose group is what counts of it"),
    ] = ""
    value: Annotated[
        Annotated[str, AfterValidator(checked)] | None,
        Field(description="in place of these: a template, for what an earlier request gave"),
    ] = None


Take = Path | Taken


def searched(source: str, data: Any) -> Any:
    """What a path finds; None where there is nothing, or other data than it takes."""
    try:
        return _compiled(source).search(data)
    except (JMESPathError, TypeError, ValueError):
        return None


def taken(take: Take, data: Any, headers: Mapping[str, str], known: Mapping[str, Any] | None = None) -> Any:
    """One value; None where it is not there. known: what a template may take."""
    if isinstance(take, str):
        return searched(take, data)
    if take.value is not None:
        return compiled(take.value).made(known or {})
    found = headers.get(take.header.lower()) if take.header else searched(take.path or "@", data)
    if not take.pattern or found is None:
        return found
    text = str(found)
    hit = re.search(take.pattern, text) if len(text) <= _LONGEST else None
    return None if hit is None else hit[1]


def where(take: Take) -> str:
    """Where something should have stood, as its block says it."""
    if isinstance(take, str):
        return repr(take)
    if take.value is not None:
        return repr(take.value)
    return f"the header {take.header}" if take.header else repr(take.path or "@")


def rows(source: str, data: Any) -> Sequence[Any] | None:
    """The list that a path finds; None where it finds none."""
    found = searched(source, data)
    return found if isinstance(found, list) else None
