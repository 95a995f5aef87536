"""The connector for mail, measured by every rule of the conformance suite, on played SMTP and IMAP.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.email import EmailWorld, playing

_NO_WAIT = "SMTP (4yz) and IMAP ([LIMIT], [UNAVAILABLE]) have no place in which to say how long to wait"


class TestEmail(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "offers-states": "a mail sets nothing: the engine tells states and priorities in words",
        "waits-seconds": _NO_WAIT,
        "waits-date": _NO_WAIT,
        "waits-iso": _NO_WAIT,
        "waits-when-down": _NO_WAIT,
        "moved-is-told": "a thread stays the one that we began: that they merged it is words for a person",
    }

    @pytest.fixture
    async def world(self) -> AsyncIterator[EmailWorld]:
        async with playing() as mail:
            yield EmailWorld(mail)
