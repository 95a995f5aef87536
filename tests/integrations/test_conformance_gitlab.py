"""The GitLab connector, measured by every rule of the conformance suite on a played GitLab.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

import pytest

from integrations.conformance.suite import Suite
from tests.played.gitlab import GitLabWorld


class TestGitLab(Suite):
    @pytest.fixture
    def world(self) -> GitLabWorld:
        return GitLabWorld()
