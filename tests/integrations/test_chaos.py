"""The chaos matrix: each mood × each operation × each point at which the engine may die.

A sample of it runs always; `make test-chaos` runs it whole.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest
from chaos_kit import MOODS, OPERATIONS, POINTS, play

from integrations.practice.server import running_practice

Combination = tuple[str, str, str]
_LONG = ("hangs", "drip", "wait", "10 MB", "slow")
SHORT = [mood for mood in MOODS if not mood.startswith(_LONG)]
"""Moods that are over soon."""


async def _play_all(home: Path, combinations: Iterable[Combination]) -> None:
    """Side by side, each with a supplier and a register of its own; all that went wrong is told."""
    some = list(combinations)
    with ExitStack() as stack:
        cases = [
            play(stack.enter_context(running_practice()), home / str(place), *one)
            for place, one in enumerate(some)
        ]
        ends = await asyncio.gather(*cases, return_exceptions=True)
    wrong = {one: end for one, end in zip(some, ends, strict=True) if isinstance(end, BaseException)}
    assert not wrong, "\n\n".join(f"{one}: {type(end).__name__} {end}" for one, end in wrong.items())


@pytest.mark.kills
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_bad_day(operation: str, tmp_path: Path) -> None:
    """Two of them, the same ones each time."""
    pick = random.Random(operation)
    await _play_all(tmp_path, ((pick.choice(SHORT), operation, pick.choice(POINTS)) for _ in range(2)))


@pytest.mark.kills
async def test_their_people_are_busy_at_the_same_moment(tmp_path: Path) -> None:
    combinations = [("busy", "transition", "answered"), ("another priority", "priority", "claimed")]
    combinations += [("split", "close", "heard"), ("merged away, answer lost", "transition", "hearing")]
    await _play_all(tmp_path, combinations)


@pytest.mark.chaos
@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_bad_day(mood: str, operation: str, tmp_path: Path) -> None:
    await _play_all(tmp_path, ((mood, operation, point) for point in POINTS))
