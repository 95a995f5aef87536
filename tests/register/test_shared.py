"""A register that a group of one host shares: who gets in, with which modes, and what is refused."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest

from register.core import Refused
from register.store import RegisterUnavailable, is_private, open_store, shared
from register.store.poke import folder_of
from register.store.shared import file_system, is_local, make_shared, worth_a_look
from register.store.watcher import Watcher
from tests import as_user
from tests.register.saying import ServiceDesk, log

pytestmark = pytest.mark.kills

OURS = str(os.getgid())


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody can pass through."""
    with tempfile.TemporaryDirectory(prefix="sh") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_all_that_is_made_is_open_to_the_group_and_to_nobody_else(place: Path, umask: int) -> None:
    register = place / "muster" / "r.db"
    before = os.umask(umask)
    try:
        assert make_shared(register, OURS) == []
        store = open_store(str(register))
        watcher = Watcher(store)
        log(ServiceDesk(store))
        found = {path.name: mode(path) for path in register.parent.iterdir()}
        (socket,) = folder_of(register).iterdir()
        assert mode(socket) == 0o660
        assert worth_a_look(register) == []
        watcher.close()
        store.close()
    finally:
        os.umask(before)
    assert mode(register.parent) == 0o2770
    assert found == {"r.db": 0o660, "r.db-wal": 0o660, "r.db-shm": 0o660, "r.db.poke": 0o2770}
    assert not is_private(str(store.url))


def test_done_again_it_mends_modes_and_loses_nothing(place: Path) -> None:
    register = place / "muster" / "r.db"
    make_shared(register, OURS)
    store = open_store(str(register))
    log(ServiceDesk(store))
    make_shared(register, OURS)
    assert store.seq() == 1
    store.close()
    register.parent.chmod(0o700)
    assert any("2770" in line for line in worth_a_look(register))


def test_an_init_that_was_interrupted_goes_on(place: Path) -> None:
    register = place / "muster" / "r.db"
    make_shared(register, OURS)
    register.chmod(0o600)  # made, and killed before it was opened to the group
    make_shared(register, OURS)
    assert mode(register) == 0o660


def test_a_register_of_ones_own_is_not_opened_to_others(place: Path) -> None:
    register = place / "r.db"
    open_store(str(register)).close()
    with pytest.raises(Refused, match="there already"):
        make_shared(register, OURS)
    assert mode(register) == 0o600


def test_a_folder_with_other_things_in_it_is_left_alone(place: Path) -> None:
    (place / "letters").touch()
    with pytest.raises(Refused, match="not a folder of"):
        make_shared(place / "r.db", OURS)
    assert mode(place) == 0o755


@pytest.mark.parametrize(("path", "says"), [("no/such/r.db", "make it first"), ("x/r.db", "no group")])
def test_what_is_missing_is_said(place: Path, path: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        make_shared(place / path, "no-such-group" if "group" in says else OURS)
    assert list(place.iterdir()) == []


def test_a_file_system_of_a_network_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "file_system", lambda path: "nfs4")
    with pytest.raises(Refused, match=r"nfs4.*PostgreSQL"):
        make_shared(place / "muster" / "r.db", OURS)
    assert list(place.iterdir()) == []


def test_which_file_systems_are_of_this_host() -> None:
    kinds = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs", "afs", "ocfs2")
    assert not [kind for kind in kinds if is_local(kind)]
    assert is_local(file_system(Path("/")))
    assert file_system(Path("/proc")) == "proc"


def test_a_shared_file_is_refused_on_an_sqlite_that_loses_writes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, own = place / "muster" / "r.db", place / "own.db"
    make_shared(register, OURS)
    monkeypatch.setattr(pysqlite3, "sqlite_version_info", (3, 51, 2))
    monkeypatch.setattr(pysqlite3, "sqlite_version", "3.51.2")
    with pytest.raises(RegisterUnavailable, match=r"3\.51\.2.*can lose.*3\.51\.3"):
        open_store(str(register))
    open_store(str(own)).close()  # nobody else writes here


def test_a_shared_register_is_never_made_by_the_way(place: Path) -> None:
    register = place / "muster" / "r.db"
    make_shared(register, OURS)
    with pytest.raises(RegisterUnavailable, match="muster init --group"):
        open_store(str(register.with_name("typo.db")))
    assert [path.name for path in register.parent.iterdir()] == ["r.db"]


def test_a_closed_way_is_told(place: Path) -> None:
    place.chmod(0o700)
    (note,) = make_shared(place / "muster" / "r.db", OURS)
    assert note.startswith(f"{place} is closed to")
    assert "chmod a+x" in note


# Real users. No accounts are needed, but root is: run these as root to have them.

GROUP = 4700
MEMBERS = ((4701, "022"), (4702, "077"), (4703, "077"))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: three Unix users need root to be played")


class Host:
    """Three users in one group, one outside of it, and a register they were given."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.register = place / "muster" / "r.db"
        os.chown(place, MEMBERS[0][0], GROUP)

    def run(self, uid: int, *what: str, gids: str = f"{GROUP}", umask: str = "077") -> tuple[int, str, str]:
        home = self.place / f"home-{uid}"
        if not home.exists():
            home.mkdir()
            os.chown(home, uid, uid)
        env = os.environ | {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "MUSTER_HOME": str(home),
            "MUSTER_REGISTER": str(self.register),
        }
        return as_user.run(uid, f"{uid},{gids}", umask, what, env)


@pytest.fixture
def host(place: Path) -> Host:
    made = Host(place)
    code, _, err = made.run(MEMBERS[0][0], "muster", "init", "--group", str(GROUP), umask=MEMBERS[0][1])
    assert (code, err) == (0, "")
    return made


@as_root
def test_each_of_the_group_reads_and_writes_whoever_was_first(host: Host) -> None:
    for n, (uid, umask) in enumerate(MEMBERS, start=1):
        assert host.run(uid, "muster", "log", f"by {uid}", umask=umask)[0] == 0
        code, out, _ = host.run(uid, "muster", "show", str(n), umask=umask)
        assert (code, f"uid-{uid}" in out) == (0, True)
    code, out, _ = host.run(MEMBERS[2][0], "muster", "verify")
    assert (code, "incidents: 3" in out) == (0, True)
    assert mode(host.register) == 0o660
    assert host.register.stat().st_gid == GROUP


@as_root
def test_who_is_not_in_the_group_is_told_so(host: Host) -> None:
    for what in (("list",), ("log", "let me in"), ("doctor",), ()):
        code, out, err = host.run(4709, "muster", *what, gids="4709")
        assert code == (1 if what == ("doctor",) else 5)
        assert f"open to the group {GROUP} only" in out + err
        assert "Traceback" not in err


# Who may what there

ADMIN, RESPONDER, VIEWER = (uid for uid, _ in MEMBERS)


def roles(host: Host, of: int, **words: str) -> None:
    """Write the matrix.toml of one user: everybody by uid, in the role that is said."""
    uids = {"admin": ADMIN, "responder": RESPONDER, "viewer": VIEWER}
    lines = ['default_role = "viewer"', 'fallback_team = "desk"', "[teams.desk]", 'name = "Desk"']
    for name, role in words.items():
        person = f'name = "{name.capitalize()} Sample"', f"uid = {uids[name]}", f'role = "{role}"'
        lines += [f"[people.{name}]", *person, 'teams = ["desk"]']
    home = host.place / f"home-{of}"
    if not home.exists():
        home.mkdir()
        os.chown(home, of, of)
    (home / "matrix.toml").write_text("\n".join(lines))


@as_root
def test_three_users_may_what_the_matrix_says_until_an_admin_applies_another(host: Host) -> None:
    code, out, _ = host.run(ADMIN, "muster", "matrix", "show", umask="022")
    assert (code, f"uid-{ADMIN}, who made the register" in out) == (0, True)
    roles(host, ADMIN, admin="admin", responder="responder", viewer="viewer")
    assert host.run(RESPONDER, "muster", "log", "before")[0] == 0  # without a matrix everybody coordinates
    assert host.run(ADMIN, "muster", "apply", umask="022")[0] == 0

    assert host.run(RESPONDER, "muster", "log", "by a responder")[0] == 0
    for uid, what in ((VIEWER, ("log", "by a viewer")), (VIEWER, ("take", "1"))):
        code, out, err = host.run(uid, "muster", *what)
        assert (code, out) == (3, "")
        assert "takes the role responder; you are viewer. Nothing was done." in err
        assert "Who may: Admin Sample, Responder Sample." in err
    code, out, _ = host.run(VIEWER, "muster", "list")
    assert (code, "by a responder" in out) == (0, True)
    roles(host, RESPONDER, responder="admin")
    code, _, err = host.run(RESPONDER, "muster", "apply")
    assert (code, "takes the role admin; you are responder" in err) == (3, True)
    assert "Who may: Admin Sample." in err

    roles(host, ADMIN, admin="admin", responder="viewer", viewer="responder")
    assert host.run(ADMIN, "muster", "apply", umask="022")[0] == 0
    assert host.run(VIEWER, "muster", "log", "may now")[0] == 0
    assert host.run(RESPONDER, "muster", "log", "may not any more")[0] == 3

    roles(host, ADMIN, viewer="responder")
    code, _, err = host.run(ADMIN, "muster", "apply", umask="022")
    assert (code, "names no admin" in err) == (3, True)
    roles(host, ADMIN, viewer="admin")
    code, _, err = host.run(ADMIN, "muster", "apply", umask="022")
    assert (code, "you would be viewer" in err) == (3, True)
    assert host.run(ADMIN, "muster", "apply", "--yes", umask="022")[0] == 0
    assert host.run(ADMIN, "muster", "log", "gave it away", umask="022")[0] == 3
    code, out, _ = host.run(VIEWER, "muster", "verify")
    assert (code, "incidents: 3" in out) == (0, True)
    assert mode(host.register) == 0o660
