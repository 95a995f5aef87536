"""Another process that moves a register, and dies at a point: what the tests of moving start.

python -m tests.register.mover URL TARGET POINT      POINT: where it kills itself; - for nowhere
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime

from register.migrate import migrate
from register.store import open_store


def main() -> None:
    url, target, dies = sys.argv[1:]

    def fault(point: str) -> None:
        if point == dies:
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(url)
    print(migrate(store, target, datetime.now(UTC), fault=fault).seq)


if __name__ == "__main__":
    main()
