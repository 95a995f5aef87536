"""Suppliers' contracts where the policy is shown: what they promise, and whether ours can be kept by it."""

from __future__ import annotations

from typing import Any

from register.clocks.book import Book
from register.clocks.definition import Contract, Target
from register.clocks.fit import Spare, spares
from register.clocks.span import told
from tui.cli.tabular import columns


def contracts_data(book: Book) -> list[dict[str, Any]]:
    """Return every contract, as --json tells it."""
    found = spares(book)
    return [
        {
            "supplier": vendor,
            **contract.model_dump(mode="json", exclude={"services"}),
            "services": contract.services,
            "back_to_back": [
                {"priority": one.priority, "clock": one.clock, "seconds_to_spare": one.seconds}
                for one in found
                if one.vendor == vendor
            ],
        }
        for vendor, contract in book.contracts.items()
    ]


def contract_lines(book: Book) -> list[str]:
    """Return a line for each supplier and priority; nothing where no contract is adopted."""
    if not book.contracts:
        return []
    found = spares(book)
    rows = [
        _row(contract, about, [one for one in found if (one.vendor, one.priority) == about])
        for vendor, contract in book.contracts.items()
        for about in _priorities(vendor, contract)
    ]
    heading = ("CONTRACT", "FOR", "ACKNOWLEDGE", "UPDATE", "FIX", "ON", "NUDGE", "BACK TO BACK")
    why = [
        f"{vendor} may be late: {contract.beyond_promise}"
        for vendor, contract in book.contracts.items()
        if contract.beyond_promise
    ]
    return ["", *columns(heading, rows), *why]


def _priorities(vendor: str, contract: Contract) -> list[tuple[str, str]]:
    """The supplier with each priority for which anything is promised."""
    known = {priority for targets in contract.targets().values() for priority in targets}
    return [(vendor, priority) for priority in sorted(known)]


def _row(contract: Contract, about: tuple[str, str], found: list[Spare]) -> tuple[str, ...]:
    _, priority = about
    targets = (contract.acknowledge, contract.update, contract.fix)
    nudge = ", ".join(f"{percent} %" for percent in contract.nudge)
    return (
        *about,
        *(_target(some.get(priority)) for some in targets),
        contract.calendar,
        nudge,
        "; ".join(_fits(one) for one in found),
    )


def _target(target: Target | None) -> str:
    if target is None:
        return ""
    return f"{target.within} on {target.calendar}" if target.calendar else target.within


def _fits(one: Spare) -> str:
    """With our handover before it, at the worst hour of a week."""
    if one.seconds is None:
        return f"{one.clock}: NEVER IN TIME"
    return f"{one.clock}: {told(abs(one.seconds))} {'to spare' if one.seconds >= 0 else 'TOO LATE'}"
