"""TLS that fails, over a real socket: nothing is sent, and a sentence says why."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority

from integrations import trust
from integrations.connector import Draft
from integrations.errors import NotSent
from integrations.http import Http
from integrations.practice.config import PracticeConfig
from integrations.practice.server import running_practice
from integrations.systems.practice import PracticeDesk
from register.incident import Priority

SECRET = "token-of-acme-1"
DRAFT = Draft("01J0000000000000000000000A", "Pump leaks", "please look", Priority.HIGH)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this host trusts."""
    made = Authority()
    monkeypatch.setattr(trust, "trusted", lambda: ssl.create_default_context(cadata=made.pem))
    return made


async def made(file: Path) -> Any:
    """What comes of making a ticket at a supplier with this certificate."""
    with running_practice(token=SECRET, tls=file) as practice:
        headers = PracticeDesk.headers(PracticeConfig(), SECRET)
        async with Http(practice.url, headers, name="acme") as client:
            try:
                return await PracticeDesk(client, PracticeConfig()).create(DRAFT)
            except NotSent as raised:
                failure = raised
        assert practice.desk.tickets == ()
        assert SECRET not in failure.why
        return failure


async def test_a_trusted_one_is_spoken_to(authority: Authority, tmp_path: Path) -> None:
    assert (await made(authority.signs(tmp_path / "pem"))).id


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"days": -30}, "its certificate has ended"),
        ({"days": 30}, "is the clock of this host right?"),
        ({"address": "127.0.0.9"}, "is for another address"),
    ],
)
async def test_one_that_is_not_right_is_told_apart(
    authority: Authority, tmp_path: Path, about: Any, says: str
) -> None:
    failure = await made(authority.signs(tmp_path / "pem", **about))
    assert isinstance(failure, NotSent)
    assert says in failure.why


async def test_one_that_nobody_here_trusts_is_refused(tmp_path: Path) -> None:
    failure = await made(Authority().signs(tmp_path / "pem"))
    assert isinstance(failure, NotSent)
    assert "not trusted here" in failure.why
