"""Another process that holds a register's transaction open: python -m tests.register.holder URL

It says `held`, and lets go when a line comes in, or when it is killed.
"""

from __future__ import annotations

import sys

from register.core import new_id
from register.desk import ServiceDesk
from register.store import open_store


def main() -> None:
    desk = ServiceDesk(open_store(sys.argv[1]))
    with desk.store.write(new_id()):
        print("held", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
