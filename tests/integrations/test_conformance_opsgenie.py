"""The Opsgenie connector, measured by every rule of the conformance suite on a played Opsgenie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from integrations.conformance.suite import Suite
from tests.played.opsgenie import OpsgenieWorld


class TestOpsgenie(Suite):
    exempt: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def world(self) -> OpsgenieWorld:
        return OpsgenieWorld()
