"""A real Roundup (roundup-tracker.org) with two accounts, ours and the supplier's person.

Installed by pip into a virtual environment of its own, below the folder that MUSTER_PEER_ROUNDUP names; each
session has a tracker of its own, made from the classic template as it comes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

VERSION = "2.6.0"
FOLDER = Path(os.environ.get("MUSTER_PEER_ROUNDUP", "/var/tmp/muster-peers/roundup"))
_CROWD = """
import os, sys
from roundup import instance
from roundup.date import Date
home, login, issue, count = sys.argv[1:]
if os.getuid() == 0:
    its = os.stat(home)
    os.setgid(its.st_gid)
    os.setuid(its.st_uid)
db, at = instance.open(home).open(login), Date(".")
made = [db.msg.create(content=str(n), author=db.getuid(), date=at) for n in range(int(count))]
db.issue.set(issue, messages=[*db.issue.get(issue, "messages"), *made])
db.commit()
"""
"""Texts of one instant, as a script of the tracker's keeper writes them: by Roundup's own database."""
US, THEM = ("muster", "muster-secret-1"), ("lena", "lena-secret-1")


@dataclass(frozen=True)
class Roundup:
    """One that runs. home: its tracker's folder, for its own admin tool."""

    url: str
    home: Path
    bin: Path

    @property
    def rest(self) -> str:
        return f"{self.url}/rest"

    def admin(self, *command: str) -> str:
        return _ran([self.bin / "roundup-admin", "-i", self.home, *command])

    def crowds(self, issue: str, count: int) -> None:
        """So many texts of one instant.

        Not by its REST API: each request there opens the tracker anew, which takes half a second, and a text
        takes three. So a crowd would last longer than all other rules together.
        """
        _ran([self.bin / "python", "-c", _CROWD, self.home, THEM[0], issue, str(count)])


def _ran(command: Sequence[str | Path]) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def _installed() -> Path:
    """The folder of its programs; the tests are skipped, with why, where it cannot be installed."""
    found = FOLDER / f"venv-{VERSION}"
    if not (found / "bin/roundup-server").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _ran([sys.executable, "-m", "venv", found])
        pip = [str(found / "bin/pip"), "-q", "install", f"roundup=={VERSION}"]
        done = subprocess.run(pip, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            shutil.rmtree(found)
            pytest.skip(f"no Roundup: pip could not install it ({done.stderr.strip()[-200:]})")
    return found / "bin"


def _set(config: Path, **values: str) -> None:
    """Fill options in: each is in the file once, commented out where it has no default."""
    text = config.read_text()
    for name, value in values.items():
        section, key = name.split("__")
        begin = re.search(rf"(?m)^\[{section}\]", text)
        assert begin is not None, section
        head, tail = text[: begin.end()], text[begin.end() :]
        tail, count = re.subn(rf"(?m)^#? ?{key} *=.*$", f"{key} = {value}", tail, count=1)
        assert count == 1, name
        text = head + tail
    config.write_text(text)


@contextmanager
def running_roundup() -> Iterator[Roundup]:
    """A new tracker, not below pytest's own folder, which nobody but its owner may enter."""
    programs = _installed()
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        Path(name).chmod(0o755)
        with _running(programs, Path(name)) as made:
            yield made


@contextmanager
def _running(programs: Path, folder: Path) -> Iterator[Roundup]:
    home = folder / "tracker"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Roundup(f"http://127.0.0.1:{port}/t", home, programs)
    made.admin("install", "classic", "sqlite")
    _set(
        home / "config.ini",
        tracker__web=f"{made.url}/",
        tracker__email="tracker",
        mail__domain="localhost",
        mail__host="localhost",
        mail__debug=str(folder / "mail.log"),  # mails are written there, and go nowhere
        web__api_failed_login_limit="0",  # tests sign in with a wrong password again and again
    )
    made.admin("initialise", "admin-secret-1")
    for login, password in (US, THEM):
        about = (f"username={login}", f"password={password}", "roles=User", f"address={login}@localhost")
        made.admin("create", "user", *about)
    command = [str(programs / "roundup-server"), "-n", "127.0.0.1", "-p", str(port)]
    if os.getuid() == 0:  # it refuses to run as root
        _ran(["chown", "-R", "nobody:nogroup", folder])
        command += ["-u", "nobody", "-g", "nogroup"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen([*command, f"t={home}"], stdout=log, stderr=log)
    try:
        _answers(made, server)
        yield made
    finally:
        server.terminate()
        server.wait(10)


def _answers(made: Roundup, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{made.rest}/data/status", auth=US, timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        assert server.poll() is None, "roundup-server ended"
        assert time.monotonic() < until, "roundup-server does not answer"
        time.sleep(0.1)


class RoundupPerson:
    """Somebody who works in it: by its REST API, signed in with a name and password."""

    def __init__(self, client: httpx.AsyncClient, number: str) -> None:
        self.client = client
        self.number = number

    async def sees(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    async def makes(self, what: str, **fields: Any) -> str:
        answer = await self.client.post(f"/data/{what}", json=fields)
        assert answer.is_success, answer.text
        return str(answer.json()["data"]["id"])

    async def changes(self, issue: str, **fields: Any) -> None:
        """Reads its version and writes on it, again where somebody was in between."""
        for _ in range(5):
            etag = (await self.sees(f"/data/issue/{issue}"))["@etag"]
            answer = await self.client.patch(f"/data/issue/{issue}", json=fields, headers={"If-Match": etag})
            if answer.status_code != 412:
                break
        assert answer.is_success, answer.text

    async def writes(self, issue: str, text: str) -> None:
        message = await self.makes("msg", content=text, author=self.number, date=".")
        await self.changes(issue, **{"@op": "add", "messages": [message]})


def person(url: str, who: tuple[str, str], number: str) -> RoundupPerson:
    headers = {
        "X-Requested-With": "rest",
        "Accept": "application/json",
        "Origin": url.removesuffix("/t/rest"),
    }
    return RoundupPerson(httpx.AsyncClient(base_url=url, auth=who, headers=headers, timeout=30), number)


def numbers(made: Roundup) -> Mapping[str, str]:
    """The numbers of its accounts, by login."""
    answer = httpx.get(f"{made.rest}/data/user?@fields=username", auth=US, timeout=30)
    assert answer.is_success, answer.text
    told = answer.json()
    return {one["username"]: one["id"] for one in told["data"]["collection"]}
