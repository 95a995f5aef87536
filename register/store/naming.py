"""Names in a command: the people whom it means, by the side table; nobody is meant who is not there."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from register.core import Command, NotFound, PersonField, Policy
from register.store.transaction import Transaction
from register.toml_file import near


def refuse_strangers(command: Command, transaction: Transaction, policy: Policy) -> None:
    """Nothing is given to a login that nobody has; where a matrix names people, it knows who is there."""
    people = policy.matrix.people
    logins = [person.login for person in people.values() if person.login] if people else []
    for name in _ours(type(command)):
        login = getattr(command, name)
        if login and logins and login not in logins and transaction.met("person", login) is None:
            raise NotFound(
                f"Nobody here has the login {login!r}{near(login, logins, '.')} Nothing was done. Known:"
                f" {', '.join(logins[:12])}{'…' if len(logins) > 12 else ''}.",
                name,
            )


@cache
def _ours(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields that name one of us."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if any(isinstance(marker, PersonField) and marker.ours for marker in field.metadata)
    )


def with_person_ids(command: Command, transaction: Transaction) -> Command:
    """Return the command with the id of the side table in the place of each name."""
    named = _named(command, transaction)
    return command.model_copy(update=named) if named else command


def _named(model: BaseModel, transaction: Transaction) -> dict[str, Any]:
    """Return the fields of a model in which a person's id takes the place of a name."""
    changes: dict[str, Any] = {}
    for name, kind in _may_name_people(type(model)):
        value = getattr(model, name)
        if not value:
            continue
        if kind is not None:
            changes[name] = (
                tuple(transaction.person(kind, one) for one in value)
                if isinstance(value, tuple)
                else transaction.person(kind, value)
            )
        elif isinstance(value, tuple) and isinstance(value[0], BaseModel):
            changes[name] = tuple(_renamed(item, transaction) for item in value)
    return changes


@cache
def _may_name_people(model: type[BaseModel]) -> tuple[tuple[str, str | None], ...]:
    """Return the fields that are names, with the kind of person, and those that may hold such models."""
    found: list[tuple[str, str | None]] = []
    for name, field in model.model_fields.items():
        marker = next((m for m in field.metadata if isinstance(m, PersonField)), None)
        if marker is not None or "tuple" in str(field.annotation):
            found.append((name, None if marker is None else marker.kind))
    return tuple(found)


def _renamed(model: BaseModel, transaction: Transaction) -> BaseModel:
    named = _named(model, transaction)
    return model.model_copy(update=named) if named else model
