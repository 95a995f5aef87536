"""The Statuspage connector, measured by every rule of the conformance suite on a played page.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.statuspage import StatuspageWorld


class TestStatuspage(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "offers-words": "a page for the public: nothing is heard from it",
        "offers-states": "a page for the public takes no files",
    }

    @pytest.fixture
    def world(self) -> StatuspageWorld:
        return StatuspageWorld()
