"""The GitHub connector, measured by every rule of the conformance suite on a played GitHub."""

from __future__ import annotations

import pytest

from integrations.conformance.suite import Suite
from tests.played.github import GitHubWorld


class TestGitHub(Suite):
    @pytest.fixture
    def world(self) -> GitHubWorld:
        return GitHubWorld()
