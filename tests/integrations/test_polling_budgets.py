"""What each kind of supplier is asked, against our own budgets and its vendor's published limit.

The numbers are in `benchmarks/quotas.py`; `python -m benchmarks.asking` prints what is measured here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.asking import asked, sentence
from benchmarks.quotas import BONDS, EXCUSED, QUOTAS, SELDOM, allowed
from benchmarks.stands import STANDS
from integrations.systems import SYSTEMS
from integrations.vendor import system

ROOT = Path(__file__).parents[2]
UNWRITTEN = "practice"
"""Muster's own supplier to practise with: it has no page."""
OPEN = 40
"""Tickets open there."""
PAGED = 105
"""The same where the list of all that are open is told by the hundred: more than one page."""


def test_every_kind_that_can_be_polled_is_measured_and_its_limit_looked_up() -> None:
    told = {stand.kind for stand in STANDS.values()}
    assert told == {kind for kind in SYSTEMS if hasattr(system(kind), "changes")}
    assert set(SYSTEMS) <= set(QUOTAS)
    assert set(EXCUSED) <= told
    assert all(one.source and one.says for one in QUOTAS.values())
    assert all(one.why for one in EXCUSED.values())


@pytest.mark.parametrize("name", STANDS)
async def test_a_supplier_is_asked_no_more_than_its_budget_and_its_vendor_allow(name: str) -> None:
    kind = STANDS[name].kind
    may, quota = allowed(kind), QUOTAS[kind]
    one = await asked(name, PAGED if may.a_hundred else OPEN)
    assert one.quiet == may.quiet_at(one.bonds), "a quiet poll is one request, however many are open"
    assert one.seldom <= SELDOM
    assert may.quiet_bytes is None or one.quiet_bytes <= may.quiet_bytes
    assert one.ten <= may.ten_at(one.bonds), "ten changed tickets with a text each"
    assert quota.a_minute is None or one.busy(BONDS) < quota.a_minute, "a busy minute at 1,000 open"
    assert quota.lists is None or one.polls_a_minute(busy=True) * one.quiet < quota.lists
    if kind != UNWRITTEN:
        page = ROOT / "docs" / f"{kind.replace('_', '-')}.md"
        assert sentence(one) in " ".join(page.read_text().split()), f"{page.name} tells another figure"
