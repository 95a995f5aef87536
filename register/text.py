"""Text that comes from outside, made safe once, at the door.

Nothing here loses what a person wrote: only characters that a terminal, a database or a reader's eye
would act on instead of show are taken out (control characters, lone surrogates, bidi overrides).
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from register.plain import clean as clean
from register.plain import clip as clip
from register.plain import one_line as one_line

MAX_TITLE: Final = 200
"""Characters in a title. Request Tracker cuts a subject there, without a word."""
MAX_TEXT: Final = 65_536
"""Characters in a note or message. Longer things are files."""


def _cleaned(value: object) -> object:
    return clean(value).strip() if isinstance(value, str) else value


def _lined(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})


def _shows(text: str) -> bool:
    """Whether there is anything in it that a reader sees: more than spaces, joiners and accents alone."""
    return any(unicodedata.category(sign) not in _UNSEEN for sign in text)


def _title(value: str) -> str:
    if not _shows(value):
        raise ValueError("is empty: say in a few words what is wrong")
    if len(value) > MAX_TITLE:
        raise ValueError(
            f"has {len(value):,} characters, {MAX_TITLE} at most: shorten it, put the rest in a note"
        )
    return value


def _text(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise ValueError(f"has {len(value):,} characters, {MAX_TEXT:,} at most: attach longer text as a file")
    return value


def _words(value: str) -> str:
    if not value:
        raise ValueError("is empty: write at least a word")
    return _text(value)


Title = Annotated[str, BeforeValidator(_lined), AfterValidator(_title)]
"""One line of 1 to 200 characters."""
Text = Annotated[str, BeforeValidator(_cleaned), AfterValidator(_text)]
"""Any number of lines, possibly none, up to 65,536 characters."""
Words = Annotated[str, BeforeValidator(_cleaned), AfterValidator(_words)]
"""Like Text, and not empty."""
Name = Annotated[str, BeforeValidator(_lined), StringConstraints(min_length=1, max_length=80)]
"""A short name in one line: of a service, a person, a team."""
SLUG: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
"""A name used as a key: lower-case letters, digits, `-` and `_`."""
LOGIN: Final = r"^[^\s:/]{1,64}$"
Login = Annotated[str, StringConstraints(pattern=LOGIN)]
"""What somebody is known by on a host."""
