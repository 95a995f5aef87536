"""`muster vendors systems`: what Muster speaks to, what each connector can, how far it may be relied on."""

from __future__ import annotations

from typing import Any

from integrations.connector import Cap, Info, Lagging, Strong
from integrations.levels import EXEMPT, NOT_OFFERED, PASSED, is_kept, level_of, on_record
from integrations.plugged import offers
from integrations.systems import SYSTEMS
from integrations.vendor import system
from tui.cli.answer import Answer
from tui.cli.tabular import columns


def systems() -> Answer:
    """List the kinds of ticketing system: what each connector can do, and its measured level."""
    more = offers()
    data = [_about(system(kind).info) for kind in SYSTEMS]
    data += [_about(one.system.info, one.by) for one in more if one.system is not None]
    rows = [
        [
            str(about["kind"]),
            str(about["title"]),
            str(about["level"]),
            f"{about['rules_kept']} of {about['rules_kept'] + len(about['not_kept'])}"
            if about["rules"]
            else "",
            *(str(len(about[what]) or "") for what in ("exempt", "not_offered")),
            str(about["looked_up"]),
            ", ".join(about["can"]),
        ]
        for about in data
    ]
    heading = ("KIND", "TITLE", "LEVEL", "RULES KEPT", "EXEMPT", "NOT OFFERED", "LOOKED UP", "CAN")
    told = [
        f"{about['kind']} does not keep: {', '.join(about['not_kept'])}"
        for about in data
        if about["not_kept"]
    ]
    told += [
        f"{about['kind']} is exempt from: {', '.join(about['exempt'])}" for about in data if about["exempt"]
    ]
    told += [f"{about['kind']} comes with {about['by']}." for about in data if about["by"]]
    told += [f"{one.kind} cannot be used: {one.fault}." for one in more if one.fault]
    data += [{"kind": one.kind, "by": one.by, "fault": one.fault} for one in more if one.fault]
    return Answer(
        data,
        [
            *columns(heading, rows),
            *told,
            "What the levels mean: docs/conformance.md. Why a rule is exempt: --json",
        ],
    )


def _about(info: Info, by: str = "") -> dict[str, Any]:
    """by: the distribution that it came with; empty for Muster's own."""
    rules = on_record(info.kind)
    lacks = sorted(name for name, (_, outcome) in rules.items() if not is_kept(outcome))
    return {
        "kind": info.kind,
        "title": info.title,
        "level": str(level_of(info.kind) or "not measured"),
        "rules": len(rules),
        "rules_kept": sum(outcome == PASSED for _, outcome in rules.values()),
        "not_kept": lacks,
        "exempt": {
            name: outcome.removeprefix(f"{EXEMPT}: ")
            for name, (_, outcome) in sorted(rules.items())
            if outcome.startswith(EXEMPT)
        },
        "not_offered": sorted(name for name, (_, outcome) in rules.items() if outcome == NOT_OFFERED),
        "can": [str(cap.name).lower() for cap in Cap if cap in info.caps],
        "looked_up": _looked_up(info),
        "settle_seconds": info.lookup.settle.total_seconds() if isinstance(info.lookup, Strong) else None,
        "oauth2": info.oauth2,
        "by": by,
        "fault": "",
    }


def _looked_up(info: Info) -> str:
    """How far an empty look-up of a ticket may be believed."""
    if isinstance(info.lookup, Strong):
        return "at once"
    return "late" if isinstance(info.lookup, Lagging) else "never"
