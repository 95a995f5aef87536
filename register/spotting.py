"""Where in a text something stands that looks like a credential, a number of a person's, or a key.

Patterns look at a text as it reads: compatibility forms as plain letters, signs that nobody sees left out,
so that neither hides anything. Each takes time in proportion to the text, whatever is in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
"""Signs without a width: a secret with one in it is that secret still to whoever copies it."""


def folded(text: str) -> tuple[str, Sequence[int]]:
    """Return the text as patterns look at it, and for each of its signs the place where it stood."""
    if text.isascii():
        return text, range(len(text))
    plain: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if _UNSEEN.match(sign):
            continue
        reads = sign if sign.isascii() else unicodedata.normalize("NFKC", sign)
        plain.append(reads)
        places += [place] * len(reads)
    return "".join(plain), places


Proof = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression; where it has a group `gone`, that alone is meant. holds: whether a hit is one."""

    source: str
    flags: int = re.IGNORECASE
    holds: Proof = bool


class Spot:
    """Finds places by several patterns, which are compiled when they are first asked: they take a while."""

    def __init__(self, *patterns: Pattern) -> None:
        self._patterns = patterns

    @cached_property
    def _compiled(self) -> tuple[tuple[re.Pattern[str], str | int, Proof], ...]:
        made = ((re.compile(one.source, one.flags), one.holds) for one in self._patterns)
        return tuple((one, "gone" if "gone" in one.groupindex else 0, holds) for one, holds in made)

    def __call__(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern, group, holds in self._compiled:
            for found in pattern.finditer(text):
                start, end = found.span(group)
                if holds(text[start:end]):
                    yield start, end


# Credentials

_CALLED: Final = (
    r"(?:pass[_-]?(?:word|wd|wort|code|ord)|kennwort|contrase(?:ñ|n)a|mot de passe|secret|token|credential"
    r"|api[ _-]?key|access[ _-]?key|private[ _-]?key|(?<![A-Za-z])(?:pwd|pin|puk|otp|pw))s?"
)
_PHRASE: Final = r"(?:pass[ _-]?phrase|seed[ _-]?phrase|recovery[ _-]?(?:key|code|phrase)s?)"
_PLAIN_WORD: Final = (
    r"(?!(?:wrong|expired|incorrect|not|required|missing|invalid|unknown|the|an?|being|reset|changed|correct"
    r"|rejected|refused|accepted|ok|okay|needed|set|stored|lost|locked|empty|in|on|at|by|of|to|and|or|no"
    r"|asked|rotated|revoked|too|still|also|only|fine|valid|sent|gone|here|there|now)(?![\w@#$%^&*!-]))"
)
_VALUE: Final = r"(?P<gone>\"[^\"\n]{1,2000}\"|'[^'\n]{1,2000}'|`[^`\n]{1,2000}`|\S+)"


def _is_random(value: str) -> bool:
    """Whether letters of both sizes and digits change so often that no name and no path looks like it."""
    kinds = ["u" if sign.isupper() else "l" if sign.islower() else "d" for sign in value if sign.isalnum()]
    if len(set(kinds)) < 3:
        return False
    changes = sum(one != other for one, other in pairwise(kinds))
    return changes >= 0.33 * len(kinds)


CREDENTIALS: Final = (
    Pattern(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    ),
    Pattern(r"(?<=://)[^/?#\s:]{0,200}:[^/?#\s]{1,1000}(?=@)"),
    Pattern(r"(?<=://)[^/?#\s:@]{20,1000}(?=@)", holds=lambda value: any(map(str.isdigit, value))),
    Pattern(r"(?<=://)[^\s:/@]{1,100}:(?!\d{1,5}(?:[/?#\s]|$))[^\s@]{1,500}(?=@)"),
    Pattern(
        r"(?<![\w-])(?:proxy-)?(?:authorization|cookie|set-cookie|x-api-key|x-auth-token|x-[\w-]{1,40}-token)"
        r"[\"']?\s{0,9}:\s{0,9}(?P<gone>\S[^\r\n]*)"
    ),
    Pattern(r"(?<![\w-])(?:bearer|basic|token|apikey)\s{1,9}(?P<gone>(?=\S{0,200}\d)[\w.~+/=-]{16,})"),
    Pattern(_CALLED + r"[\"'`*_]{0,3}\s{0,9}(?::=|=>|->|→|[:=])[\s*_`]{0,9}" + _VALUE),
    Pattern(_PHRASE + r"[\"'`*_]{0,3}\s{0,9}(?::=|=>|->|[:=]|\bis\b)\s{0,9}(?P<gone>\S[^\r\n]*)"),
    Pattern(
        _CALLED
        + r"(?:\s{1,9}(?:for|of|to|on)\s{1,9}\S{1,60})?"
        + r"\s{1,9}(?:is|was|are|ist|lautet|now)\s{1,9}(?:now\s{1,9})?"
        + _PLAIN_WORD
        + _VALUE
    ),
    Pattern(_CALLED + r"\s{1,9}(?P<gone>(?=\S{0,60}[\d!$%&*#@^])(?=\S{0,60}[A-Za-z])(?!\[)\S{5,})"),
    Pattern(r"(?<![\w-])--?(?:password|passwd|pass|token|secret|api-?key)[ =](?!-)" + _VALUE),
    Pattern(
        r"<[\w:.-]{0,60}(?:password|passwd|secret|token|api-?key)[\w:.-]{0,60}(?:\s[^<>]{0,200})?>(?P<gone>[^<]+)"
    ),
    Pattern(
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{8,}"
        r"|sk[_-](?:live|test|ant|proj)[\w-]{8,}|(?:AKIA|ASIA)[0-9A-Z]{12,}|AIza[\w-]{30,}"
        r"|eyJ[\w-]{8,}(?:\.[\w-]*){0,4}|dop_v1_[0-9a-f]{16,}|npm_\w{16,}|\d+-\d+-[0-9a-f]{32})",
        flags=0,
    ),
    Pattern(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}={0,2}", holds=_is_random),
)

# Numbers


def _has_luhn(value: str) -> bool:
    digits = [int(sign) for sign in value if sign.isdigit()]
    doubled = [digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4) for at, digit in enumerate(digits[::-1])]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _is_iban(value: str) -> bool:
    signs = "".join(value.split()).upper()
    if not signs.isascii() or not 15 <= len(signs) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1


_GAP: Final = r"[ ().\-/\u2010-\u2015]{0,3}"
CARDS: Final = (Pattern(r"(?<![\d+.])[2-6](?:[ -]?\d){12,18}(?!\d)", holds=_has_luhn),)
ACCOUNTS: Final = (
    Pattern(
        r"(?<![a-z0-9])[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?![a-z0-9])",
        holds=_is_iban,
    ),
)
HASHES: Final = (Pattern(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,}(?![0-9A-Za-z])"),)
PHONES: Final = (
    Pattern(rf"(?<![\w+])\+{_GAP}\d(?:{_GAP}\d){{6,14}}(?!\d)"),
    Pattern(rf"(?<![\w.,:/-])00[1-9](?:{_GAP}\d){{7,14}}(?!\d)"),
    Pattern(r"(?<![\w(])\(0?\d{1,4}\)[ -]?\d(?:[ -]?\d){4,10}(?!\d)"),
    Pattern(r"(?<![\w.:/-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])"),
    Pattern(
        r"(?<![a-z])(?:tel(?:ephone|efon)?|tlf|phone|mobile?|mob|cell|call|ring|fax|dial|handy|whatsapp|sms|duty)"
        r"[\s:.#]{1,6}(?:(?:me|us|him|her|them|on|at|is|nr|no|number)[\s:.#]{1,6}){0,3}"
        rf"(?P<gone>\d(?:{_GAP}\d){{5,14}})(?!\d)"
    ),
)
MAILS: Final = (Pattern(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),)
