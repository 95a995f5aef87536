"""What a rule asks before it lets words out to a supplier: may it have them, and what is left of them."""

from __future__ import annotations

from register.core import World, refuse_unless
from register.incident import Incident, Visibility
from register.leaving import NOTHING_MORE, May, Receives, Removal, cleared, is_empty
from register.text import MAX_TITLE, clip
from register.translation import NO_TABLES, Translation


def receives(world: World, vendor: str) -> Receives:
    """What this supplier may receive by the policy of now."""
    facts = world.policy.vendors.get(vendor)
    return NOTHING_MORE if facts is None else facts.receives


def hidden_from(incident: Incident, what: Receives) -> bool:
    """Whether the incident is restricted, and this supplier may receive nothing of such."""
    return incident.visibility is Visibility.RESTRICTED and not what.lets(May.RESTRICTED)


def refuse_hidden(incident: Incident, vendor: str, what: Receives) -> None:
    refuse_unless(
        not hidden_from(incident, what),
        f"{incident.number} is restricted, and {vendor} may receive nothing of restricted incidents. Nothing"
        f' was done: open it (`muster unrestrict {incident.number}`), or have "restricted" put into'
        f" may_receive of {vendor} in vendors.toml.",
    )


def words_for(incident: Incident, world: World, vendor: str, text: str, ask: str = "message") -> str:
    """Return these words as the supplier gets them; refused where it may get none, or nothing is left."""
    if not text:
        return text
    refuse_hidden(incident, vendor, receives(world, vendor))
    told = cleared(text, receives(world, vendor))
    refuse_unless(
        not is_empty(told),
        f"Nothing of it may leave to {vendor}: {'; '.join(map(str, told.removed))}. Nothing was done: say it"
        " in other words, or by phone.",
        ask=ask,
    )
    return told.text


def entitled(incident: Incident, world: World, vendor: str) -> dict[str, str]:
    """Return what they ask for before they help; refused where some of it is missing."""
    what = receives(world, vendor)
    found = what.entitled(incident.service)
    missing = [name for name in what.required if not found.get(name) and name not in what.secret]
    of = f"service {incident.service}" if incident.service else "an incident without a service"
    refuse_unless(
        not missing,
        f"{vendor} asks for {', '.join(missing)}, and vendors.toml has none for {of}. Nothing was done: put"
        f" it into `entitlement` of {vendor}, or set the service that it is about (`muster correct`).",
        ask="vendor",
    )
    return found


def tables(world: World, vendor: str) -> Translation:
    """The tables by which our words become this supplier's, by the policy of now."""
    facts = world.policy.vendors.get(vendor)
    return NO_TABLES if facts is None else facts.translation


def kept_under(incident: Incident, world: World, vendor: str) -> tuple[str, str]:
    """Return our category and service, where they are told this supplier; refused without words of theirs."""
    table = tables(world, vendor)
    for key, ours in table.unnamed(incident.category, incident.service).items():
        what = "category" if key == "categories" else "service"
        lacks = f"for {what} {ours}" if ours else f"for an incident without a {what}"
        refuse_unless(
            False,
            f"{vendor} is told the {what}, and `{key}` in vendors.toml has nothing {lacks}. Nothing was done:"
            f' add it there ("*" stands for all others), or set another {what} (`muster correct`).',
            ask="vendor",
        )
    return (
        incident.category if table.categories else "",
        incident.service if table.services else "",
    )


def refuse_closing(world: World, vendor: str, ended: str, note: str, ask: str = "note") -> None:
    """Refuse to have a supplier's ticket closed without what they want with it."""
    table = tables(world, vendor)
    refuse_unless(
        not table.note or note,
        f"{vendor} closes no ticket without a word (`close` in vendors.toml). Nothing was done: say why.",
        ask=ask,
    )
    refuse_unless(
        not table.codes or table.code(ended) is not None,
        f"{vendor} wants to know how it ended, and `close.codes` in vendors.toml has nothing for {ended}."
        ' Nothing was done: add it there ("*" stands for all others).',
    )


def title_for(incident: Incident, world: World, vendor: str) -> str:
    """Return what their ticket is called."""
    return title_as(incident.number, incident.title, receives(world, vendor))


def title_as(number: str, title: str, what: Receives) -> str:
    """Return an incident's title as a supplier gets it: our number alone, where it may not have more."""
    return clip(cleared(title, what).text, MAX_TITLE) if what.lets(May.TITLE) else f"Incident {number}"


def removed_from(world: World, vendor: str, *texts: str) -> tuple[str, ...]:
    """Return what was taken out of these texts, as a sentence, or nothing."""
    return told_of(vendor, [one for text in texts for one in cleared(text, receives(world, vendor)).removed])


def told_of(vendor: str, removed: list[Removal]) -> tuple[str, ...]:
    """Return one sentence on what was taken out, or nothing."""
    if not removed:
        return ()
    counts: dict[tuple[str, str], int] = {}
    for one in removed:
        counts[one.what, one.why] = counts.get((one.what, one.why), 0) + one.count
    said = "; ".join(str(Removal(what, count, why)) for (what, why), count in counts.items())
    return (f"Taken out before it goes to {vendor}: {said}.",)
