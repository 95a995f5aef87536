"""What the terminal is opened on: which register, whose eyes, which folders. A plain value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from register.live import live_path
from register.login import login_of


@dataclass(frozen=True, slots=True)
class Session:
    """Where the register and the suppliers' file are, and who sits at the keyboard."""

    register_url: str
    home: Path
    login: str
    uid: int | None = None

    @property
    def live_path(self) -> Path:
        return live_path(self.register_url)

    @property
    def register_name(self) -> str:
        """The register's short name: its file's, or its database's."""
        tail = self.register_url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
        return tail.removesuffix(".db") or "register"


def session_from(environ: Mapping[str, str]) -> Session:
    """Return what MUSTER_REGISTER and MUSTER_HOME name, or this person's own register."""
    return Session(
        register_url=register_url(environ.get("MUSTER_REGISTER", "")),
        home=Path(environ.get("MUSTER_HOME", "") or _own("config")),
        login=login_of(os.getuid()),
        uid=os.getuid(),
    )


def register_url(named: str) -> str:
    """Return the database URL for a path, a URL, or nothing: then a register of one's own."""
    if "://" in named:
        return named
    path = Path(named).expanduser() if named else _own("data") / "register.db"
    return f"sqlite:///{path.absolute()}"


def _own(kind: str) -> Path:
    import platformdirs

    folders = {"config": platformdirs.user_config_dir, "data": platformdirs.user_data_dir}
    return Path(folders[kind]("muster"))
