"""What a connector would ask is shown for every kind of system, and nothing is sent or read for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from integrations.practice.server import running_practice
from integrations.rehearsal import CREDENTIAL, Asked, rehearse
from integrations.vendors import Vendor, read_vendors
from register.effect import Enqueue
from register.store import open_store

PRACTICE = (
    '[vendor.v]\nconnector = "practice"\ntitle = "V"\nurl = "{}"\nenvironment = "test"\nauth = "none"\n'
)
RT = (
    '[vendor.v]\nconnector = "rt"\ntitle = "V"\nurl = "https://rt.example"\nenvironment = "test"\n'
    'queue = "Q"\nreference_field = "R"\n'
)
REDMINE = (
    '[vendor.v]\nconnector = "redmine"\ntitle = "V"\nurl = "https://red.example"\nenvironment = "test"\n'
    'project = "muster"\nreference_field = 1\n'
)
CREATE = '{"title":"db is down","body":"since noon","priority":1}'


def asked(text: str, tmp_path: Path) -> list[Asked]:
    vendor: Vendor = read_vendors(text)["v"]
    row = Enqueue(
        row_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        op_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        incident="INC-1",
        bond="b",
        vendor="v",
        kind="create",
        payload=CREATE,
    )
    store = open_store(f"sqlite:///{tmp_path}/r.db")
    try:
        return asyncio.run(rehearse(vendor, row, None, store))
    finally:
        store.close()


def test_the_request_is_whole_and_the_supplier_hears_nothing(tmp_path: Path) -> None:
    with running_practice() as practice:
        (one,) = asked(PRACTICE.format(practice.url), tmp_path)
        assert (one.method, one.url.startswith(practice.url)) == ("POST", True)
        assert "db is down" in one.body
        assert "since noon" in one.body
        assert practice.desk.tickets == ()


def test_a_basic_credential_is_read_as_it_is_written(tmp_path: Path) -> None:
    jira = '[vendor.v]\nconnector = "jira"\ntitle = "V"\nurl = "https://jira.example"\nenvironment = "test"\n'
    (one, *_) = asked(jira + 'project = "OPS"\nuser = "us@example.com"\n', tmp_path)
    assert one.headers["authorization"] == f"Basic base64 of us@example.com:{CREDENTIAL}"


@pytest.mark.parametrize(("text", "host"), [(RT, "rt.example"), (REDMINE, "red.example")])
def test_no_credential_is_read_for_it(
    text: str, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("the keyring was asked")

    monkeypatch.setattr("integrations.secrets.resolve", refuse)
    first, *_ = asked(text, tmp_path)
    assert f"https://{host}/" in first.url
    assert CREDENTIAL in " ".join(first.headers.values())
