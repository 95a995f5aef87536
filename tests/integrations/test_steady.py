"""What a worker does steadily goes on behind a fault of ours, and says so."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from integrations import steady
from integrations.ticking import Ticker
from integrations.worker import Worker
from register.store import RegisterUnavailable, Store
from tests.tui.cli_help import vendor_block


async def until(what: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)


async def test_a_fault_in_the_tick_is_told_and_the_next_tick_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[int] = []

    async def ticking(ticker: Ticker) -> None:
        ticks.append(1)
        raise KeyError("a fault of ours")

    monkeypatch.setattr(Ticker, "run", ticking)
    monkeypatch.setattr(steady.keep, "__defaults__", (0.05,))
    journal = io.StringIO()
    serving = Worker(store, {}, say=journal)
    running = asyncio.create_task(serving.run(sole=False))
    await until(lambda: len(ticks) > 2)
    serving.stop()
    await running
    assert "Doing what is due stopped by a fault of Muster: KeyError. It is begun anew." in journal.getvalue()


async def test_a_register_that_is_away_while_suppliers_are_read_ends_no_worker(
    store: Store, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the policy moves just while PostgreSQL is started anew."""
    (tmp_path / "vendors.toml").write_text(vendor_block())
    journal = io.StringIO()
    serving = Worker(store, {"MUSTER_HOME": str(tmp_path)}, say=journal)
    read, tries = serving._known.read, []

    def sometimes() -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise RegisterUnavailable("The register does not answer.")
        return read()

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0.05)

    monkeypatch.setattr(serving._known, "read", sometimes)
    monkeypatch.setattr(serving, "_pause", at_once)
    running = asyncio.create_task(serving.run(sole=False))
    await until(lambda: len(tries) > 1 or running.done())
    serving.stop()
    await running
    assert len(tries) > 1
    assert "The register does not answer." in journal.getvalue()
