"""The PagerDuty connector, measured by every rule of the conformance suite on a played account."""

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
