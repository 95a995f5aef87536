"""The PagerDuty connector, measured by every rule of the conformance suite on a played account.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.pagerduty import PagerDutyWorld


class TestPagerDuty(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "offers-states": "PagerDuty takes no files",
        "two-are-told": "while one is open there can be no second under its key",
    }

    @pytest.fixture
    def world(self) -> PagerDutyWorld:
        return PagerDutyWorld()
