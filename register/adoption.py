"""The texts of a policy as the register keeps them: the tables of its files as JSON, without comments.

Pure. A file's own reader has checked them before; what was adopted is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from register.contact import Contact
from register.core import VendorFacts
from register.leaving import MOST_BYTES, USUAL, May, Receives
from register.length import Period
from register.matrix_toml import FILE, typed_leniently
from register.merging import OWNERS, Owner, Shared
from register.policy import DEFAULT_MATRIX, Matrix
from register.text import one_line
from register.translation import tables_of

BY_HAND: Final = "manual"
"""`connector` of a supplier with no system that could be spoken to."""
_PERIOD: Final = TypeAdapter[timedelta](Period)
NOTHING: Final = ""
"""The text where there is no matrix.toml: the built-in matrix holds."""


def as_text(tables: Mapping[str, Any]) -> str:
    """Return a file's tables as one line of JSON, in the file's order."""
    return json.dumps(tables, ensure_ascii=False, separators=(",", ":"), default=str)  # str: dates


def tables_in(text: str) -> dict[str, Any]:
    """Return the tables that `as_text` wrote."""
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def digest_of(*texts: str) -> str:
    """Return one digest of several texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def matrix_in(text: str) -> Matrix:
    """Return the matrix of an adopted text. What this program cannot read in it stands as left out."""
    if text == NOTHING:
        return DEFAULT_MATRIX
    tables = tables_in(text)
    try:
        return Matrix.model_validate(tables)
    except ValidationError:  # of another version of Muster
        return typed_leniently(FILE, tables)


def vendors_in(text: str) -> dict[str, VendorFacts]:
    """Return what the register knows of the suppliers of an adopted text."""
    blocks = tables_in(text).get("vendor", {})
    return {name: _facts(name, block) for name, block in blocks.items()}


def _facts(name: str, block: Mapping[str, Any]) -> VendorFacts:
    return VendorFacts(
        name,
        one_line(str(block.get("title", name))),
        block.get("environment") == "production",
        str(block.get("on_resolved", "propose")),
        by_hand=block.get("connector") == BY_HAND,
        p1=str(block.get("p1", "ticket")),
        phone=one_line(str(block.get("phone", ""))),
        receives=_receives(block),
        translation=tables_of(block),
        contacts=tuple(_contacts(block.get("contacts", ()))),
        owner=_owners(block.get("owner")),
        closes_after=_period(block.get("closes_after")),
    )


def _owners(given: Any) -> Mapping[Shared, Owner]:
    """Who owns which field; what this program cannot read of it is as is usual."""
    table = given if isinstance(given, dict) else {}
    known = {field: table[field] for field in Shared if table.get(field) in tuple(Owner)}
    return {**OWNERS, **{field: Owner(said) for field, said in known.items()}}


def _contacts(given: Iterable[Any]) -> Iterator[Contact]:
    """Those that this program can read; the file's own reader has told of the others."""
    for one in given:
        with suppress(ValidationError):
            yield Contact.model_validate(one)


def _receives(block: Mapping[str, Any]) -> Receives:
    """What a block lets out; a word that this program does not know lets nothing out."""
    said = block.get("may_receive")
    return Receives(
        may=USUAL if said is None else frozenset(kind for kind in May if kind in said),
        patterns=tuple(map(str, block.get("redact", ()))),
        most_bytes=int(block.get("max_attachment", MOST_BYTES)),
        upload=one_line(str(block.get("upload", ""))),
        entitlement={
            str(service): {str(name): one_line(str(value)) for name, value in told.items()}
            for service, told in block.get("entitlement", {}).items()
        },
        required=tuple(map(str, block.get("entitlement_required", ()))),
        secret=tuple(map(str, block.get("entitlement_secret", ()))),
    )


def _period(said: object) -> timedelta | None:
    """A length of time; None where there is none, or one that this program cannot read."""
    try:
        return None if said is None else _PERIOD.validate_python(said)
    except ValidationError:  # of another version of Muster
        return None


def without_person(text: str, uid: int | None, login: str) -> str:
    """Return an adopted matrix text without what it says of a person: what a redaction may keep of it."""
    key = matrix_in(text).person(uid, login)
    if key is None:
        return text
    tables = tables_in(text)
    del tables["people"][key]
    for team in tables.get("teams", {}).values():
        if team.get("lead") == key:
            del team["lead"]
    return as_text(tables)
