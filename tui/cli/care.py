"""Commands that keep a register in order: serve, verify, doctor."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from register.overdue import forgotten
from register.store import RegisterUnavailable, Store, is_private, leases, open_store
from register.store.mishaps import in_the_way
from register.store.shared import worth_a_look
from tui.cli.answer import Answer
from tui.cli.credential_health import credentials_of
from tui.cli.feeds import feeds_of
from tui.cli.finding import Finding
from tui.cli.here import here
from tui.cli.page_health import answers_of, anybody_paged, pages_of
from tui.cli.policy_health import GUARD_RAILS, policy_of
from tui.cli.progress import bar
from tui.cli.supplier_health import suppliers_of
from tui.cli.trouble import FOUND_FAULTS, WrongUse
from tui.session import session_from
from tui.spooled import spool_of

_SMALLEST: Final = (80, 24)
_ROOM: Final = 100
"""Megabytes of free disk below which it is time to make room."""


def serve(
    until_idle: Annotated[bool, typer.Option(help="end when nothing has been to do for ten minutes")] = False,
    webhooks: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="take suppliers' webhooks in here, as 127.0.0.1:8790")
    ] = "",
) -> Answer:
    """Send what is to be sent and listen to suppliers, until Ctrl-C."""
    from integrations import worker
    from integrations.door import VARIABLE

    env = {**os.environ, VARIABLE: webhooks} if webhooks else os.environ
    code = worker.run(session_from(os.environ).register_url, env, until_idle=until_idle)
    return Answer({"ended": code == 0}, code=code)


def verify(
    since: Annotated[
        str, typer.Option(metavar="SEQ:HASH", help="a head written down earlier: walk from there only")
    ] = "",
) -> Answer:
    """Prove that the register is what its events say."""
    from register.verify import Anchor
    from register.verify import verify as verified

    try:
        anchor = Anchor.parse(since) if since else None
    except ValueError as error:
        raise WrongUse(f"{error} Nothing was looked at.", ask="since") from error
    with here() as at, bar("Verifying") as progress:
        verdict = verified(at.store, since=anchor, progress=progress)
    unproved = sorted(verdict.unproved, key=lambda number: int(number[4:]))
    data = {
        "ok": verdict.ok,
        "since": anchor and str(anchor),
        "events": verdict.events,
        "incidents": verdict.incidents,
        "seq": verdict.seq,
        "hash": verdict.hash,
        "faults": verdict.faults,
        "unproved": unproved,
    }
    if verdict.ok:
        told = [
            f"Everything {'since then ' if anchor else ''}holds."
            f" Events: {verdict.events:,}, incidents: {verdict.incidents:,}.",
            f"Head: {verdict.seq}:{verdict.hash}",
        ]
        return Answer(data, told + _unproved(unproved))
    todo = "Stop Muster, keep a copy of the register as it is, and compare it with a backup."
    return Answer(data, [*verdict.faults, todo], FOUND_FAULTS)


def _unproved(numbers: Sequence[str]) -> list[str]:
    if not numbers:
        return []
    some = ", ".join(numbers[:5]) + (f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else "")
    return [f"Their events hold, their rows cannot be proved (redacted, or of a newer Muster): {some}."]


def doctor() -> Answer:
    """Look whether all that Muster needs is here."""
    found = [finding for look in LOOKS for finding in look()]
    data = [{"name": f.name, "ok": f.ok, "says": f.says, "todo": f.todo} for f in found]
    ok = all(finding.ok for finding in found)
    return Answer({"ok": ok, "findings": data}, [str(f) for f in found], 0 if ok else FOUND_FAULTS)


def _python() -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()} at {sys.executable}")


def _register() -> Iterator[Finding]:
    url = session_from(os.environ).register_url
    try:
        store = open_store(url)
        seq, path = store.seq(), store.path
    except RegisterUnavailable as error:
        yield Finding("register", False, str(error), "MUSTER_REGISTER names another one")
        return
    if path is None:
        yield Finding("register", True, f"PostgreSQL, shared, {seq:,} events")
    else:
        import pysqlite3

        whose = "private" if is_private(url) else "shared"
        yield Finding("register", True, f"{path}, {whose}, {seq:,} events")
        yield from _room(path)
        if whose == "shared":
            yield from _shared(path)
        yield Finding("sqlite", True, f"{pysqlite3.sqlite_version} (the library that Muster brings)")
    until = leases.running_until(store, leases.WORKER)
    yield from policy_of(store)
    yield from credentials_of(store)
    yield from suppliers_of(store)
    yield from pages_of(store)
    yield from answers_of(store)
    yield from feeds_of(store)
    yield from _forgotten(store)
    store.close()
    yield _worker(until, private=is_private(url))


def _forgotten(store: Store) -> Iterator[Finding]:
    """Whether a step of an escalation was due, and nobody fired it."""
    now = datetime.now(UTC)
    found = forgotten(store, now)
    if found:
        more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
        todo = "call them yourself, and see that `muster serve` runs; `muster matrix audit` has each"
        yield Finding("escalation", False, f"{found[0].says(now)}{more}", todo)


def _room(path: Path) -> Iterator[Finding]:
    """Whether the file can be written, and for how long."""
    stuck = in_the_way(path)
    if stuck is not None:
        yield Finding("writing", False, f"nothing can be written: {stuck.what}", stuck.todo)
        return
    free = shutil.disk_usage(path.parent).free // 1_000_000
    if free < _ROOM:
        todo = "make room before it is full: nothing could be logged then"
        yield Finding("disk", False, f"{free:,} MB are free where the register lies", todo)


def _shared(path: Path) -> Iterator[Finding]:
    """Whether the group gets at all that stands beside the register, and what sharing promises."""
    for fault in worth_a_look(path):
        what, _, todo = fault.partition(": ")
        yield Finding("sharing", False, what, todo)
    yield Finding("sharing", True, GUARD_RAILS)


def _worker(until: datetime | None, *, private: bool) -> Finding:
    if until is not None and until > datetime.now(UTC):
        return Finding("worker", True, "running")
    if private:
        return Finding("worker", True, "not running; it is started when something is to be sent")
    return Finding("worker", False, "not running: nothing is sent", "run `muster serve` as a service")


def _spool() -> Iterator[Finding]:
    """What was said while a register was away, and is not in it."""
    looked = spool_of(session_from(os.environ)).look()
    waiting, refused = looked.waiting(), looked.refused()
    for fault in looked.faults:
        yield Finding("spool", False, fault)
    if refused:
        names = ", ".join(one.name for one in refused[:5])
        yield Finding("spool", False, f"{len(refused)} could not be entered: {names}", "`muster spool list`")
    if waiting:
        yield Finding("spool", True, f"waiting for the register: {len(waiting)}")
    if not looked.entries and not looked.faults:
        yield Finding("spool", True, "empty")


def _keyring() -> Iterator[Finding]:
    from integrations import secrets
    from integrations.door import VARIABLE

    store = secrets.describe()
    needed = store.usable or _wants_credentials() or secrets.is_sealed() or anybody_paged()
    if store.usable:
        yield Finding("keyring", True, store.name)
    elif needed or VARIABLE in os.environ:
        yield Finding("keyring", False, store.name, store.todo)
    else:
        yield Finding(
            "keyring", True, "none, and neither a supplier of vendors.toml nor anybody's `reach` needs one"
        )


def _wants_credentials() -> bool:
    from integrations.vendors import VendorsFileError, find_vendors_file, load_vendors

    try:
        known = load_vendors(find_vendors_file(os.environ)).values()
        return any(one.needs_secret or one.entitlement_secret for one in known)
    except VendorsFileError:
        return True


def _files() -> Iterator[Finding]:
    """Whether the files in this person's folder can be applied at all."""
    from integrations.policy_files import find_files
    from register.toml_file import FileFaults

    try:
        files = find_files(os.environ)
    except FileFaults as error:
        yield Finding("vendors.toml", False, str(error))
        return
    if files.matrix is not None:
        yield from _checked(files.matrix, _matrix_in)
    yield from _checked(files.vendors, _vendors_in)


def _matrix_in(path: Path) -> str:
    from register.matrix_toml import read_matrix
    from register.toml_file import text_of

    matrix = read_matrix(text_of(path))
    return f"{len(matrix.people)} people, {len(matrix.teams)} teams"


def _vendors_in(path: Path) -> str:
    from integrations.vendors import load_vendors

    return ", ".join(load_vendors(path)) or "no supplier"


def _checked(path: Path, read: Callable[[Path], str]) -> Iterator[Finding]:
    from register.toml_file import FileFaults

    try:
        yield Finding(path.name, True, f"{path}: {read(path)}")
    except FileFaults as error:
        for fault in error.faults:
            says = fault.removeprefix(f"{path.name}: ").removeprefix(f"{path.name} ")  # it stands before that
            yield Finding(path.name, False, says)


def _terminal() -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Finding("terminal", True, "none here: the board is printed as text")
        return
    size = shutil.get_terminal_size()
    colour = "without colour (NO_COLOR)" if os.environ.get("NO_COLOR") else "with colour"
    yield Finding(
        "terminal",
        term not in ("", "dumb"),
        f"TERM={term or 'not set'}, {size.columns}×{size.lines}, {colour}",
        "" if term not in ("", "dumb") else "set TERM to what the terminal is, xterm for instance",
    )
    if size.columns < _SMALLEST[0] or size.lines < _SMALLEST[1]:
        yield Finding("size", False, "smaller than 80×24", "make the window larger")


LOOKS: Final[tuple[Callable[[], Iterator[Finding]], ...]] = (
    _python,
    _register,
    _spool,
    _keyring,
    _files,
    _terminal,
)
