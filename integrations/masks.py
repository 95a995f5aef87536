"""What must never be shown of a supplier's credential, in every form in which it may come back."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Protocol
from urllib.parse import quote

import orjson


class Masking(Protocol):
    """Takes its client's secrets out of a text, and cuts it; as `credential.Masks.over`."""

    def __call__(self, text: str, most: int | None = None) -> str: ...


def masks_of(values: Collection[str]) -> tuple[str, ...]:
    """The header values, each word of them, and both as addresses and JSON write them; the longest first."""
    said = [*values, *(value.replace("=", " ") for value in values)]  # as Token token=…
    words = {word for value in said for word in value.split() if len(word) > 6}  # not Bearer, Basic, token
    known = {*words, *map(_password, words), *values} - {""}
    forms = {form for one in known for form in (one, quote(one, safe=""), *_in_json(one))}
    return tuple(sorted(forms, key=len, reverse=True))


def _in_json(text: str) -> tuple[str, ...]:
    """As JSON writes it; as PHP does; and as those that keep HTML's signs out of it (Rails, Go)."""
    plain = orjson.dumps(text).decode()[1:-1]
    return (
        plain,
        plain.replace("/", r"\/"),
        plain.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"),
    )


def _password(word: str) -> str:
    """The password in the word of a Basic credential; empty where it is none."""
    try:
        plain = base64.b64decode(word, validate=True).decode()
    except ValueError:
        return ""
    password = plain.partition(":")[2]
    return password if len(password) > 3 else ""
