"""What a pull of many issues asks for: a page each hundred, on one connection."""

from __future__ import annotations

from benchmarks.pulling import measured
from benchmarks.replaying import replayed


def test_a_pull_is_one_request_a_hundred_on_one_connection() -> None:
    with replayed(250) as server:
        figures = measured(server, 250, 1, None)
    for _, requests, connections in (figures[:3], figures[3:]):
        assert (requests.ours, requests.reference) == (3, 3)
        assert connections.ours == 1
