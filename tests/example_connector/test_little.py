"""The suite of Little Desk's connector."""

import pytest

from integrations.conformance.suite import Suite
from integrations.levels import Level
from tests.played.little import LittleWorld


class TestLittleDesk(Suite):
    target = Level.BRONZE

    @pytest.fixture
    def world(self) -> LittleWorld:
        return LittleWorld()
