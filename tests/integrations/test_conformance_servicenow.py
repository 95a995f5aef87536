"""The ServiceNow connector, measured by every rule of the conformance suite on a played instance.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.servicenow_world import ServiceNowWorld


class TestServiceNow(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "moved-is-told": "ServiceNow merges no incidents: a duplicate is cancelled, or resolved as a child",
        "a-crowd-is-heard": "its journals have no order within a second: they come whole and once each",
    }

    @pytest.fixture
    def world(self) -> ServiceNowWorld:
        return ServiceNowWorld()
