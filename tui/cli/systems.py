"""`muster vendors systems`: what Muster speaks to, what each connector can, how far it may be relied on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from integrations.connector import Cap, Info, Lagging, Strong
from integrations.levels import EXEMPT, NOT_OFFERED, PASSED, is_kept, level_of, on_record
from integrations.plugged import offers
from integrations.systems import SYSTEMS
from integrations.vendor import system
from tui.cli.answer import Answer
from tui.cli.tabular import columns

CAN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "comment_public": "WORD",
        "comment_private": "NOTE",
        "attach": "FILE",
        "set_state": "SET",
        "set_priority": "PRIO",
        "withdraw": "OFF",
        "poll": "HEAR",
        "webhook": "HOOK",
    }
)
"""What one connector can and another cannot, and what that is called above its column."""
_LEGEND: Final = (
    "All make tickets. KEPT: rules that are kept, of those tried. FOUND: when what we made is found there."
    " WORD, NOTE: words for all there, for their people alone. SET, PRIO: its state, its priority."
    " OFF: called off. HEAR: asked for news. HOOK: its webhooks are proved."
)


def systems() -> Answer:
    """List the kinds of ticketing system: what each connector can do, and its measured level."""
    more = offers()
    data = [_about(system(kind).info) for kind in SYSTEMS]
    data += [_about(one.system.info, one.by) for one in more if one.system is not None]
    rows = [
        [
            str(about["kind"]),
            str(about["level"]),
            f"{about['rules_kept']}/{about['rules_kept'] + len(about['not_kept'])}" if about["rules"] else "",
            "now" if about["looked_up"] == "at once" else str(about["looked_up"]),
            *("yes" if cap in about["can"] else "" for cap in CAN),
        ]
        for about in data
    ]
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
            *columns(("KIND", "LEVEL", "KEPT", "FOUND", *CAN.values()), rows),
            _LEGEND,
            *told,
            "What the levels mean: docs/conformance.md. More of each, and why a rule is exempt: --json",
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
