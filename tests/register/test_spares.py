"""Back to back: by how much a supplier's fix and our handover fit inside our promise, at the worst hour."""

from __future__ import annotations

from register.clocks.fit import Spare, misfits, spares
from tests.register.clockwork import HOUR, book, one_clock

DAY_AND_NIGHT = {"acme": {"fix": {"P1": "3h"}}}


def handed(hours: str = "30m") -> dict[str, object]:
    over = one_clock(hours, "24x7", kind="OLA", metric="handover")
    return {"resolution": one_clock("4h", "24x7")["it"], "handover": over["it"]}


def test_what_is_to_spare_is_what_our_promise_leaves() -> None:
    plain = book({"resolution": one_clock("4h", "24x7")["it"]}, contracts=DAY_AND_NIGHT)
    assert spares(plain) == [Spare("acme", "P1", "resolution", HOUR, "")]
    (found,) = spares(book(handed(), contracts=DAY_AND_NIGHT))  # type: ignore[arg-type]
    assert found.seconds == HOUR // 2


def test_hours_that_differ_count_at_the_worst_hour_and_as_the_check_does() -> None:
    office = {"acme": {"fix": {"P1": "3h"}, "calendar": "office", "beyond_promise": "no night shift"}}
    known = book({"resolution": one_clock("4h", "24x7")["it"]}, contracts=office)
    (found,) = spares(known)
    # logged on Friday at 15:00 UTC: two hours of theirs on that day, one on Monday until 09:00
    assert (found.seconds, found.beyond) == (4 * HOUR - 66 * HOUR, "no night shift")
    assert misfits(known) == []


def test_a_contract_for_other_services_stands_behind_nothing() -> None:
    ours = one_clock("4h", "24x7", when={"service": "Webshop"})
    theirs = {"acme": {"fix": {"P1": "9h"}, "services": ["Backup"]}}
    assert spares(book(ours, contracts=theirs)) == []
