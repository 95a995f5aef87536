"""Thirty days of escalations: ticking at every due instant and ticking once, late, tell the same people.

Neither tells anybody twice, early or never, as far as the audit finds; and it finds what is planted.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from register.audit import OVERDUE, Wrong, audited
from register.auditing import audit
from register.store import Store
from register.verify import verify
from tests.register.simulating import Month, Stretches, apart, in_order, lived, month, stretches

SEED = int(os.environ.get("MUSTER_SEED", "29"))


def both(store: Store, emptied: Callable[[Store], None], month: Month) -> tuple[int, int, int]:
    """Live a month twice; return how many steps were fired, how often two were apart, and told otherwise."""
    found: list[dict[str, tuple[list[object], Stretches]]] = []
    steps = 0
    for late in (None, random.Random(SEED)):
        emptied(store)
        desk = lived(store, month, late)
        audited_ = audit(store, month.end)
        assert audited_.faults == [], [one.says for one in audited_.faults][:5]
        assert verify(store).faults == []
        steps += audited_.fired
        numbers = [one.number for one in store.incidents(everything=True)]
        found.append({number: stretches(desk, number) for number in numbers})
    assert found[0].keys() == found[1].keys()
    compared = steps_apart = 0
    for number, (people, engine) in found[0].items():
        others_people, others = found[1][number]
        if people != others_people:  # in the seconds between, a word was refused by one of them
            continue
        compared += 1
        for key in engine.keys() | others.keys():
            one, other = engine.get(key, []), others.get(key, [])
            assert in_order(one)
            assert in_order(other)
            by, otherwise = apart(one, other)
            assert by <= 1, (key, one, other)
            assert otherwise == [], key
            steps_apart += by
    assert compared >= 0.9 * len(found[0]), "most incidents are to be laid side by side"
    return steps, steps_apart, compared


@pytest.mark.timeout(300)
def test_a_sample_of_a_month_is_the_same_ticked_often_or_once_late(
    store: Store, emptied: Callable[[Store], None]
) -> None:
    steps, steps_apart, compared = both(store, emptied, month(SEED, 10, by_the_second=timedelta(seconds=40)))
    print(f"{steps} steps, {steps_apart} stretches a step apart, {compared} incidents")
    assert steps > 40


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_a_whole_month_is(store: Store, emptied: Callable[[Store], None], seed: int) -> None:
    steps, steps_apart, compared = both(store, emptied, month(seed, 300, by_the_second=timedelta(hours=3)))
    print(f"{steps} steps, {steps_apart} stretches a step apart, {compared} incidents")
    assert steps > 2000


def test_the_audit_finds_what_is_planted_in_a_month(store: Store) -> None:
    """One step that is taken out, doubled or moved before its time, wherever it stood."""
    end = month(SEED, 10, by_the_second=timedelta())
    lived(store, end)
    tried = 0
    for incident in store.incidents(everything=True):
        events = store.timeline(incident.number)
        steps = [n for n, one in enumerate(events) if one.kind == "step_fired"]
        clean = audited(incident.number, events, end.end)
        assert not any(one.is_grave for one in clean)
        for n in steps:
            step = events[n]
            twice = step._replace(command_id="again", at=step.at + timedelta(milliseconds=1))
            spoilt = {
                Wrong.DOUBLE: [*events[: n + 1], twice, *events[n + 1 :]],
                Wrong.EARLY: [
                    *events[:n],
                    step._replace(at=step.at - timedelta(minutes=3)),
                    *events[n + 1 :],
                ],
            }
            alone = sum(one.command_id == step.command_id for one in events) == 1
            for wrong, some in spoilt.items():
                if wrong is Wrong.EARLY and not alone:
                    continue
                found = [one.wrong for one in audited(incident.number, some, end.end) if one.is_grave]
                assert wrong in found or Wrong.NEEDLESS in found, (incident.number, n, wrong)
            soon = any(one.at - step.at <= OVERDUE for one in events[n + 1 :])
            if soon:  # somebody came within minutes: that it is gone is what `muster verify` finds
                continue
            without = [*events[:n], *events[n + 1 :]]
            assert audited(incident.number, without, end.end) != clean, n
            tried += 1
    assert tried > 20
