"""The Zendesk connector, measured by every rule of the conformance suite on a played account."""

from __future__ import annotations

import pytest

from integrations.conformance.suite import Suite
from tests.played.zendesk_world import ZendeskWorld


class TestZendesk(Suite):
    @pytest.fixture
    def world(self) -> ZendeskWorld:
        return ZendeskWorld()
