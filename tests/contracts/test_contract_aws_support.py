"""What we ask of AWS Support, held against AWS's own description of the API (botocore's model).

The description is told apart by path where AWS goes by a header, and knows JSON by its usual type: `_respelt`
does that to each request, which is signed before. Its answers are examples of every field's type, so that
what a connector reads back may fit nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from integrations.aws_support.config import AwsSupportConfig
from integrations.connector import Attach, Comment, Draft, Ref, Theirs, Transition
from integrations.errors import Failure
from integrations.systems.aws_support import AwsSupport
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract
from tests.played.aws_support import KEY, SECRET

pytestmark = pytest.mark.contracts

REF = Ref(id="case-12345678910-2013-c4c1d2bf33c5cf47", key="1234567890")
CONFIG = AwsSupportConfig(service="amazon-s3", category="other", cc=("ops@customer.example",))


def _respelt(request: httpx.Request) -> None:
    assert request.headers["content-type"] == "application/x-amz-json-1.1"
    assert request.headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/")
    request.headers["content-type"] = "application/json"
    request.url = request.url.copy_with(path=f"/{request.headers['x-amz-target']}")


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("aws-support")
    desk = desk_at(contract, AwsSupport, CONFIG, f"{KEY}:{SECRET}", change=_respelt)
    content = b"trace"
    file = Attach(new_id(), "trace.log", "text/plain", hashlib.sha256(content).hexdigest(), content)
    asked = (
        desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.CRITICAL)),
        desk.get(REF),
        desk.get(Ref(id="1234567890", key="1234567890")),
        desk.find(new_id(), datetime.now(UTC)),
        desk.find_comment(REF, new_id()),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Transition(new_id(), Theirs.CLOSED)),
        desk.apply(REF, file),
        desk.history(REF),
        desk.changes(None),
        desk._cases.by_id([REF.id]),
        desk._cases.words(REF.id, datetime.now(UTC)),
        desk._api.answer("ResolveCase", {"caseId": REF.id}),
        desk._api.answer("AddCommunicationToCase", {"caseId": REF.id, "communicationBody": "x"}),
        desk._api.answer("DescribeSeverityLevels", {"language": "en"}),
    )
    for one in asked:
        with contextlib.suppress(Failure):  # what is answered is an example, in which little fits
            await one
    done = {request.url.path.rpartition(".")[2] for request in contract.asked}
    assert done == {
        "CreateCase",
        "DescribeCases",
        "DescribeCommunications",
        "AddCommunicationToCase",
        "ResolveCase",
        "AddAttachmentsToSet",
        "DescribeSeverityLevels",
    }
