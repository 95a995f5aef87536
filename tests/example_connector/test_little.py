"""The suite of Little Desk's connector.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

import pytest

from integrations.conformance.suite import Suite
from integrations.levels import Level
from tests.played.little import LittleWorld


class TestLittleDesk(Suite):
    target = Level.BRONZE

    @pytest.fixture
    def world(self) -> LittleWorld:
        return LittleWorld()
