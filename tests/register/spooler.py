"""Another process that keeps things in a spool, and enters them: what the kill runs start.

python -m tests.register.spooler URL FOLDER REGISTER_ID      for each line that comes in, a process that does
                                                             what the line says until it is killed

keep: say incidents, each with a note on it, and tell each command id once it is kept.
enter: enter what is in the spool, again and again.
both: the one, then the other.
enter:POINT: enter, and die by SIGKILL at that point of the second entry.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.replay import fields_of, replay
from register.spool import Entry, Spool, entry
from register.store import open_store
from register.topics.intake import Log
from register.topics.notes import Note

WHO = Principal("ana", Role.RESPONDER, "spool")


def keep(spool: Spool, register_id: str) -> None:
    """Say one incident and a note on it."""
    log = Log(title="Said just before the end", description="x" * 2000)
    said = _kept(spool, register_id, log, "")
    print("log", log.command_id, flush=True)
    note = Note(target=said.name, text="y" * 2000)
    _kept(spool, register_id, note, said.command_id)
    print("note", note.command_id, log.command_id, flush=True)


def _kept(spool: Spool, register_id: str, command: Log | Note, about: str) -> Entry:
    return spool.keep(
        entry(register_id, command.command_id, command.verb, fields_of(command), source="cli", about=about)
    )


def _mortal(spool: Spool, point: str) -> Callable[[str], None]:
    """Return a fault that kills this process when the second entry comes to that point."""
    if point == "noted":  # between the two writings of `is_entered`
        spool.drop = lambda entry: _second("noted", "noted")  # type: ignore[method-assign, assignment]
    return lambda at: _second(point, at)


_times: dict[str, int] = {}


def _second(point: str, at: str) -> bool:
    _times[at] = _times.get(at, 0) + 1
    if at == point and _times[at] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


def child(what: str, url: str, folder: str, register_id: str) -> None:
    spool = Spool(Path(folder))
    what, _, point = what.partition(":")
    desk = ServiceDesk(open_store(url)) if what != "keep" else None
    print("pid", os.getpid(), flush=True)
    while True:
        if what != "enter":
            keep(spool, register_id)
        if desk is not None:
            for one, number in replay(desk, WHO, spool, fault=_mortal(spool, point)).entered:
                print("entered", one.command_id, number, flush=True)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            child(line.strip(), *sys.argv[1:])
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
