"""The AWS Support connector, measured by every rule of the conformance suite on a played AWS Support.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.aws_support import AwsSupportWorld

_RESOLVES = "a case can be resolved by its API and given no other state: test_aws_support.py does that"


class TestAwsSupport(Suite):
    """Each rule is a test of its own."""

    exempt: ClassVar[Mapping[str, str]] = {
        "state-is-set": _RESOLVES,
        "state-may-be-said-again": _RESOLVES,
        "their-state-is-heard": "its API tells no history of states: of two between two looks, the last",
        "moved-is-told": "AWS merges no cases: one that is related stands beside the other",
        "offers-states": "its API changes the severity of no case",
    }

    @pytest.fixture
    def world(self) -> AwsSupportWorld:
        return AwsSupportWorld()
