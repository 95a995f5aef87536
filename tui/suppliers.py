"""The suppliers as a person choosing one sees them, read from vendors.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier that can be engaged. `why_not` is a sentence when it cannot."""

    name: str
    title: str
    system: str
    production: bool
    services: tuple[str, ...] = ()
    phone: str = ""

    @property
    def environment(self) -> str:
        return "PRODUCTION" if self.production else "test"


@dataclass(frozen=True, slots=True)
class Suppliers:
    """What vendors.toml says, or the sentences that say why it cannot be read."""

    known: tuple[Supplier, ...] = ()
    faults: tuple[str, ...] = ()

    def named(self, name: str) -> Supplier | None:
        return next((one for one in self.known if one.name == name), None)


def read_suppliers(home: Path | None) -> Suppliers:
    """Return the suppliers of that folder's vendors.toml, or of the one found without; never raises."""
    from integrations.vendors import VendorsFileError, find_vendors_file, load_vendors

    env = {} if home is None else {"MUSTER_HOME": str(home)}
    try:
        vendors = load_vendors(find_vendors_file(env))
    except VendorsFileError as error:
        return Suppliers(faults=error.faults)
    return Suppliers(
        tuple(
            Supplier(
                name=vendor.name,
                title=vendor.title,
                system=vendor.info.title,
                production=vendor.production,
                services=vendor.services,
                phone=vendor.phone,
            )
            for vendor in vendors.values()
        )
    )


def nearest_first(suppliers: Sequence[Supplier], service: str) -> list[Supplier]:
    """Return those that look after this service first, otherwise in the file's order."""
    return sorted(suppliers, key=lambda one: service not in one.services)
