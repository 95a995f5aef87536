"""The Freshservice connector, measured by every rule of the conformance suite on a played Freshservice.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.freshservice_world import FreshserviceWorld


class TestFreshservice(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "their-state-is-heard": "its API tells no history of states: of two between two looks, the last",
        "their-priority-is-heard": "its API tells no history of priorities: of two, the last is heard",
    }

    @pytest.fixture
    def world(self) -> FreshserviceWorld:
        return FreshserviceWorld()
