"""Rules about a supplier that asks us to wait: it is believed, in whatever form it says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from integrations.conformance import line
from integrations.conformance.rules import rule
from integrations.conformance.stage import Stage
from integrations.errors import RateLimited, Unavailable
from integrations.levels import Level

WAIT = timedelta(seconds=120)


async def _waits(at: Stage, told: timedelta | None, **header: str) -> None:
    """Writes and reads are put off as long as was said, and nothing was made."""
    ref, op_id = await at.ticket(), at.op()
    for fits in (line.writes, line.reads):
        at.line.spoil(line.says(429, **header), fits)
        asked = at.desk.create(at.draft(op_id)) if fits is line.writes else at.desk.get(ref)
        failure = await at.fails(RateLimited, asked)
        if told is None:
            assert failure.retry_after is None
        else:
            assert failure.retry_after is not None
            assert abs(failure.retry_after - told) <= timedelta(seconds=10)
    assert await at.world.tickets(op_id) == 0


@rule(Level.SILVER, "waits-seconds", "429 with seconds")
async def _(at: Stage) -> None:
    await _waits(at, WAIT, retry_after="120")


@rule(Level.SILVER, "waits-date", "429 with an HTTP date")
async def _(at: Stage) -> None:
    await _waits(at, WAIT, retry_after=format_datetime(datetime.now(UTC) + WAIT, usegmt=True))


@rule(Level.SILVER, "waits-iso", "429 with an ISO 8601 time")
async def _(at: Stage) -> None:
    await _waits(at, WAIT, retry_after=(datetime.now(UTC) + WAIT).isoformat(timespec="seconds"))


@rule(Level.SILVER, "waits-untold", "429 without a word of how long")
async def _(at: Stage) -> None:
    await _waits(at, None)


@rule(Level.SILVER, "waits-when-down", "503 with a wait, on a read")
async def _(at: Stage) -> None:
    ref = await at.ticket()
    at.line.spoil(line.says(503, retry_after="7"), line.reads)
    failure = await at.fails(Unavailable, at.desk.get(ref))
    assert failure.retry_after == timedelta(seconds=7)
