"""The tick: what is due is done, whatever is the matter with another incident."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from register.desk import ServiceDesk
from register.incident import HoldReason, State
from register.store import RegisterUnavailable
from register.topics.hold import PutOnHold
from register.watch import tick
from tests.register.saying import ANA, log, look, sql


def test_an_incident_that_cannot_be_read_keeps_no_other_one_asleep(desk: ServiceDesk, clock: Any) -> None:
    for number in (log(desk), log(desk)):
        until = clock.now + timedelta(hours=1)
        desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, on="CHG-1", until=until))
    sql(desk.store, "UPDATE incident SET doc = '{' WHERE n = 1")
    clock.passes(hours=2)
    with pytest.raises(RegisterUnavailable, match="INC-1"):
        tick(desk, clock())
    assert look(desk, "INC-2").state is not State.ON_HOLD
