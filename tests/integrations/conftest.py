"""An engine over a register of its own, and a supplier, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from engine_kit import Engine, practice_file

from integrations.practice.server import Practice, running_practice
from register.store import Store, open_store
from register.verify import verify

pytest.register_assert_rewrite("chaos_kit", "kill_kit")


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running_practice() as running:
        yield running


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(str(tmp_path / "register.db"))
    yield store
    store.close()


@pytest.fixture
async def engine(practice: Practice, own_store: Store, tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine.over(own_store, practice_file(tmp_path, practice.url))
    yield made
    assert verify(own_store).faults == []
    await made.close()
    made.hand.close()
