"""Tokens by which somebody acknowledges one page: random, and signed, so that a forged one costs nothing.

A token says nothing about whom or what it is for: that is in the register, behind its digest. Letters and the
digits 2 to 7 alone, so that no mail program breaks it and no chat reads markup in it. Pure, but for `fresh`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from typing import Final

_RANDOM: Final = 20
_SIGNATURE: Final = 10
"""Bytes. What is guessed is the random part; this only spares the register the question."""
LENGTH: Final = (_RANDOM + _SIGNATURE) * 8 // 5
_SHAPE: Final = re.compile(rf"[a-z2-7]{{{LENGTH}}}")
_IN_TEXT: Final = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z2-7]{{{LENGTH}}}(?![A-Za-z0-9])")
_MOST_IN_TEXT: Final = 20


def fresh(key: bytes, register: str) -> str:
    """Return a new token. register: its id, for a key may serve several."""
    rand = secrets.token_bytes(_RANDOM)
    return _text(rand + _signature(key, register, rand))


def is_ours(token: str, key: bytes, register: str) -> bool:
    """Whether a token was made with this key for this register; told in constant time."""
    if not _SHAPE.fullmatch(token):
        return False
    raw = base64.b32decode(token.upper())
    return hmac.compare_digest(raw[_RANDOM:], _signature(key, register, raw[:_RANDOM]))


def digest(token: str) -> str:
    """Return what stands in the register for it."""
    return hashlib.sha256(token.encode()).hexdigest()


def fingerprint(key: bytes) -> str:
    """Return what a key is known by; nothing of it can be told from that."""
    return hmac.new(key, b"muster page key", hashlib.sha256).hexdigest()[:12]


def tokens_in(text: str) -> Iterator[str]:
    """What looks like tokens in a text, each once."""
    found = (
        match[0].lower() for _, match in zip(range(_MOST_IN_TEXT), _IN_TEXT.finditer(text), strict=False)
    )
    yield from dict.fromkeys(found)


def _signature(key: bytes, register: str, rand: bytes) -> bytes:
    said = b"muster ack 1\0" + register.encode() + b"\0" + rand
    return hmac.new(key, said, hashlib.sha256).digest()[:_SIGNATURE]


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower()
