"""What we ask of Statuspage, held against the vendor's description of its API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connector import Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure
from integrations.statuspage.config import StatuspageConfig
from integrations.systems.statuspage import Statuspage
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

COMPONENT = "gcvfrw2r8w36"
CONFIG = StatuspageConfig.model_validate({"page": "2vp47kp8vp10", "component_status": {1: "major_outage"}})
REF = Ref(id="p31zjtct2jer", key="p31zjtct2jer")


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("statuspage")
    desk = desk_at(contract, Statuspage, CONFIG, root="")
    told = Draft(new_id(), "Checkout is down", "We look.", Priority.CRITICAL, {"component": COMPONENT})
    assert (await desk.create(told)).id
    assert (await desk.get(REF)).raw_state
    await desk.find(new_id(), datetime.now(UTC))
    assert (await desk.apply(REF, Comment(new_id(), "A cause is found."))).change_ids
    await desk.apply(REF, Transition(new_id(), Theirs.CLOSED, "All is well."))
    await desk.apply(REF, Transition(new_id(), Theirs.WORKING))
    await desk.apply(REF, Reprioritise(new_id(), Priority.LOW))
    assert (await desk.check()).account
    assert len(contract.asked) >= 9


async def test_a_credential_is_asked_for(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("statuspage")
    with pytest.raises(Failure):
        await desk_at(contract, Statuspage, CONFIG, "", root="").get(REF)
    contract.refused.clear()  # that was meant
