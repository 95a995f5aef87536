"""Another process that is an engine: python -m tests.register.engine URL LEASE

It says `up`, then ticks while it has the lease, until it is killed.
"""

from __future__ import annotations

import asyncio
import sys

from integrations.hand import Hand
from integrations.one_engine import OneEngine
from integrations.ticking import Ticker
from register.core import Policy, new_id
from register.desk import ServiceDesk
from register.matrix_toml import read_matrix
from register.store import open_store
from tests.register.escalating import MATRIX


def say(sentence: str) -> None:
    print(sentence, flush=True)


def main() -> None:
    url, lease = sys.argv[1:]
    hand = Hand(ServiceDesk(open_store(url), Policy(matrix=read_matrix(MATRIX), version=1)))
    engine = OneEngine(hand, new_id(), lease=float(lease), tell=say)
    say("up")
    asyncio.run(Ticker(hand, say, every=0.2, engine=engine).run())


if __name__ == "__main__":
    main()
