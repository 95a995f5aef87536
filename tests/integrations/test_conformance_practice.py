"""The practice supplier's connector, measured by every rule of the conformance suite.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from worlds import PracticeWorld

from integrations.conformance.suite import Suite
from integrations.practice.server import running_practice


class TestPractice(Suite):
    @pytest.fixture
    def world(self) -> Iterator[PracticeWorld]:
        with running_practice(token="practice-token-1") as practice:
            yield PracticeWorld(practice)
