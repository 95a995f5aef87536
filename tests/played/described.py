"""A system without a connector, as the world that is seen through a `rest` block: the played Redmine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from integrations.systems.rest import Rest
from integrations.vendors import read_vendors
from tests.played.redmine import RedmineWorld

BLOCK = Path(__file__).parents[1] / "described" / "redmine.toml"


class DescribedWorld(RedmineWorld):
    """The same Redmine, of which vendors.toml alone knows."""

    system: ClassVar[Any] = Rest

    def __init__(self) -> None:
        super().__init__()
        self.config: Any = read_vendors(BLOCK.read_text())["redmine"].config
