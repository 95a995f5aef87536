"""The Jira connector, measured by every rule of the suite on a played site, in three editions.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

import pytest

from integrations.conformance.suite import Suite
from tests.played.jira_world import JiraWorld


class TestJiraCloud(Suite):
    @pytest.fixture
    def world(self) -> JiraWorld:
        return JiraWorld("cloud")


class TestServiceDesk(Suite):
    @pytest.fixture
    def world(self) -> JiraWorld:
        return JiraWorld("desk")


class TestDataCenter(Suite):
    @pytest.fixture
    def world(self) -> JiraWorld:
        return JiraWorld("datacenter")
