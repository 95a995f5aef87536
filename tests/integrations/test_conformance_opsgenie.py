"""The Opsgenie connector, measured by every rule of the conformance suite on a played Opsgenie.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.opsgenie import OpsgenieWorld


class TestOpsgenie(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "their-priority-is-heard": "it tells no history of priorities to programs: of two, the last is heard",
    }

    @pytest.fixture
    def world(self) -> OpsgenieWorld:
        return OpsgenieWorld()
