"""Other programs to be measured beside ours, each in an environment of its own: ours has none of them."""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Others:
    """An environment with these packages. Setting it up needs pip, and some minutes."""

    def __init__(self, name: str, packages: Sequence[str]) -> None:
        home = Path(".cache").resolve() / name
        self._python = home / "bin/python"
        if not self._python.exists():
            venv.create(home, with_pip=True)
        subprocess.run([self._python, "-m", "pip", "install", "--quiet", "--quiet", *packages], check=True)

    def told(self, script: str, *given: str) -> Any:
        """The JSON that a script prints there. given: told on its standard input: a key may be among it."""
        command = [str(self._python), "-c", script]
        done = subprocess.run(command, input=json.dumps(given), check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)
