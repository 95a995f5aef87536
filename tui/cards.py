"""What waits for a person's decision about a supplier, as cards: from what stands open to verbs. Pure.

A new kind of decision is a new row of `KINDS`: how it is found, what is said of it, and its keys. What a key
opens is the verb's own form, with these facts filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from register.asking import Asks, asked, spare
from register.contact import CALL_WHY, from_level
from register.incident import LIVE_BONDS, Bond, BondState, CallWhy
from register.plain import one_line
from tui.actions import CARD, Action, key_name
from tui.detail import Detail, wrapped
from tui.format import clock
from tui.model import Model
from tui.page_words import PAGED
from tui.widgets.lines import Line

NEXT: Final = Action("next_card", "o", "other card", "Bring the next card to the front", shown=True)
LATER: Final = 900
"""Seconds for which what is put off is not shown on this terminal."""
_BEHIND: Final = 3
"""Cards behind the front one that have a line of their own."""

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """One key of a card: a verb with these facts as its fields, or what the terminal does itself.

    given: facts that are fields of the verb. starts: what stands in a field to begin with, made of facts.
    wants: the fact without which this is no way.
    """

    key: str
    label: str
    verb: str = ""
    given: tuple[str, ...] = ("vendor",)
    starts: Mapping[str, str] = field(default_factory=dict)
    does: str = ""  # later | outbox | repair
    wants: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what stands open."""

    name: str
    says: str
    ways: tuple[Way, ...]
    found: Callable[[Detail, Model], Iterable[Facts]]


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that waits, as it is shown. more: lines of help, as whom to call."""

    kind: str
    says: str
    facts: Facts
    ways: tuple[Way, ...]
    more: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What it is about: another one as soon as anything of it is another."""
        return f"{self.kind} {sorted(self.facts.items())}"


def _bonds(detail: Detail) -> Iterator[Bond]:
    if detail.incident is not None:
        yield from detail.incident.bonds


def _live(detail: Detail) -> Iterator[Bond]:
    return (bond for bond in _bonds(detail) if bond.state in LIVE_BONDS)


def _key(bond: Bond) -> str:
    return one_line(bond.ref.key) if bond.ref is not None else ""


def _calls(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _live(detail):
        if bond.call is not None:
            passed = bond.promised_until if bond.call.why is CallWhy.PROMISE else None
            at = clock((passed or bond.engaged_at).timestamp(), model.eyes.now, model.zone)
            why = CALL_WHY[bond.call.why].format(at=at)
            page = "" if bond.call.page is None else PAGED[bond.call.page]
            yield {"vendor": bond.vendor, "why": why + page, "level": str(bond.call.level)}


def _by_hand(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _bonds(detail):
        if bond.to_hand:
            texts = "text waits" if bond.to_hand == 1 else "texts wait"
            yield {"vendor": bond.vendor, "texts": f"{bond.to_hand} {texts}", "level": "1"}


def _sendings(state: str) -> Callable[[Detail, Model], Iterator[Facts]]:
    def found(detail: Detail, model: Model) -> Iterator[Facts]:
        for row in detail.waiting:
            if row.state == state:
                ticket = "yes" if row.what == "create" else ""
                what = "the new ticket" if ticket else f"a {row.what}"
                facts = {"vendor": row.vendor, "what_row": what, "row_id": row.row_id, "ticket_row": ticket}
                yield {**facts, "why": one_line(row.why)}

    return found


def _fixed(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _live(detail):
        if bond.state is BondState.FIXED:
            again = f", disputed {bond.disputed}× before" if bond.disputed else ""
            yield {"vendor": bond.vendor, "key": _key(bond), "state": one_line(bond.raw_state) + again}


def _asides(detail: Detail, model: Model) -> Iterator[Facts]:
    for aside in detail.asides:
        yield {"vendor": aside.vendor, "change": aside.change_id, "why": one_line(aside.why)}


def _duplicates(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _live(detail):
        others = spare(bond)
        if others and Asks.DUPLICATES in asked(bond, detail.incident.priority):
            keys = ", ".join(one_line(ref.key) for ref in others)
            facts = {"vendor": bond.vendor, "ours": _key(bond), "others": keys, "other": others[0].key}
            yield {**facts, "what": Asks.DUPLICATES.value}


def _priority(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _live(detail):
        if Asks.PRIORITY in asked(bond, detail.incident.priority):
            theirs = one_line(bond.their_priority) or str(bond.told_priority)
            ours = str(detail.incident.priority)
            yield {"vendor": bond.vendor, "theirs": theirs, "ours": ours, "what": Asks.PRIORITY.value}


def _differs(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _bonds(detail):
        for one in bond.differences:
            facts = {"vendor": bond.vendor, "what": one.field.value, "key": _key(bond)}
            yield {**facts, "ours": one_line(one.ours), "theirs": one_line(one.theirs)}


def _links(detail: Detail, model: Model) -> Iterator[Facts]:
    for bond in _live(detail):
        for link in bond.links:
            facts = {"vendor": bond.vendor, "ours": _key(bond), "how": one_line(link.how)}
            yield {**facts, "ticket": one_line(link.ref.key)}


def _paused(*, by_person: bool) -> Callable[[Detail, Model], Iterator[Facts]]:
    def found(detail: Detail, model: Model) -> Iterator[Facts]:
        for vendor in dict.fromkeys(bond.vendor for bond in _bonds(detail)):
            if vendor in detail.paused and detail.paused[vendor][1] is by_person:
                why, _, since = detail.paused[vendor]
                at = clock(since.timestamp(), model.eyes.now, model.zone)
                yield {"vendor": vendor, "why": one_line(why), "since": at}

    return found


def _over(detail: Detail, model: Model) -> Iterator[Facts]:
    incident = detail.incident
    if incident is not None and not incident.is_open:
        for bond in _live(detail):
            if bond.state is not BondState.FIXED:
                yield {"vendor": bond.vendor, "key": _key(bond), "state": incident.state.lower()}


_LATER: Final = Way("minus", "later", does="later")
_AGAIN: Final = Way("exclamation_mark", "look, then send again", "retry", ("row_id",))
_THERE: Final = Way("equals_sign", "it is there as …", "adopt", ("row_id",), wants="ticket_row")
_DROP: Final = Way("x", "drop", "drop", ("row_id",))

KINDS: Final[tuple[Kind, ...]] = (
    Kind("call", "CALL {vendor}: {why}.", (Way("d", "called: log it", "call"), _LATER), _calls),
    Kind(
        "by hand",
        "{texts} to be read to {vendor}, or pasted.",
        (Way("4", "the text (Outbox)", does="outbox"),),
        _by_hand,
    ),
    Kind(
        "in doubt",
        "{vendor}: it is not known whether {what_row} arrived: {why}.",
        (_AGAIN, _THERE, _DROP),
        _sendings("ambiguous"),
    ),
    Kind(
        "failed",
        "{vendor}: {what_row} failed: {why}.",
        (Way("exclamation_mark", "try again", "retry", ("row_id",)), _THERE, _DROP),
        _sendings("dead"),
    ),
    Kind(
        "fixed",
        "{vendor} says that {key} is fixed: {state}.",
        (Way("plus", "accept", "accept"), Way("minus", "not fixed, tell them", "dispute")),
        _fixed,
    ),
    Kind(
        "aside",
        "What {vendor} did could not be taken in: {why}.",
        (
            Way("exclamation_mark", "read it once more", "reread", ("vendor", "change")),
            Way("equals_sign", "noted", "noted", ("vendor", "change")),
            Way("x", "discard", "discard", ("vendor", "change")),
        ),
        _asides,
    ),
    Kind(
        "differs",
        "Both changed the {what} of {key} at {vendor}: {ours} is ours, {theirs} is theirs.",
        (
            Way("plus", "ours holds", "settle", ("vendor", "what"), {"keep": "ours"}),
            Way("minus", "theirs holds", "settle", ("vendor", "what"), {"keep": "theirs"}),
        ),
        _differs,
    ),
    Kind(
        "linked",
        "{vendor}: {ours} {how} {ticket}. Is that about this, too?",
        (
            Way("plus", "hear it, too", "relink", ("vendor", "ticket"), {"also": "yes"}),
            Way("minus", "leave it", "relink", ("vendor", "ticket"), {"drop": "yes"}),
        ),
        _links,
    ),
    Kind(
        "duplicates",
        "{vendor} has more than one ticket of it: we write on {ours}, there is {others}, too.",
        (
            Way("equals_sign", "which one stays", "relink", starts={"ticket": "{other}"}),
            Way("minus", "this one: leave", "leave", ("vendor", "what")),
        ),
        _duplicates,
    ),
    Kind(
        "priority",
        "{vendor} works at {theirs}, ours is {ours}.",
        (
            Way("plus", "offer ours", "reprioritise"),
            Way("minus", "leave", "leave", ("vendor", "what")),
        ),
        _priority,
    ),
    Kind(
        "open with them",
        "It is {state} here, and {vendor} works on {key} still.",
        (
            Way("c", "tell them", "reply", starts={"message": "On our side this is {state}."}),
            Way("w", "withdraw", "withdraw", starts={"reason": "On our side this is {state}."}),
            Way("minus", "leave it open", does="later"),
        ),
        _over,
    ),
    Kind(
        "paused",
        "Nothing is sent to {vendor} since {since}: {why}.",
        (Way("r", "repair", does="repair"),),
        _paused(by_person=False),
    ),
    Kind(
        "held back",
        "Nothing is sent to {vendor} since {since}, a person holds it back: {why}.",
        (Way("Z", "let it go on", "unpause"),),
        _paused(by_person=True),
    ),
)
"""In the order in which they stand: what costs most first."""


def cards_of(detail: Detail | None, model: Model) -> list[Card]:
    """Return what waits for a person, without what was put off at this terminal."""
    if detail is None:
        return []
    found = (_card(kind, facts, detail) for kind in KINDS for facts in kind.found(detail, model))
    return [card for card in found if model.put_off.get(card.mark, 0.0) <= model.eyes.now]


def _card(kind: Kind, facts: Facts, detail: Detail) -> Card:
    ways = tuple(way for way in kind.ways if not way.wants or facts.get(way.wants))
    known = {name: text.rstrip(".") for name, text in facts.items()}
    more: tuple[str, ...] = ()
    if "level" in facts:
        contacts = from_level(detail.to_call.get(facts["vendor"], ()), int(facts["level"]))
        more = tuple(one_line(str(contact)) for contact in contacts)
    return Card(kind.name, kind.says.format_map(known), facts, ways, more)


def repair_words(vendor: str) -> str:
    """What to type where a supplier's credential was refused."""
    return (
        f"On the host that sends, as the user who runs `muster serve`: `muster vendors login {vendor}`. It"
        " asks for the credential, tests it, and sending goes on; what waits goes out in order."
    )


def actions_for(card: Card | None, several: bool) -> tuple[Action, ...]:
    """Return the keys of the card in front."""
    if card is None:
        return ()
    ways = tuple(
        Action(
            CARD + way.key,
            way.key,
            way.label,
            f"{way.label[:1].upper()}{way.label[1:]}: {card.says}",
            shown=True,
            writes=bool(way.verb),
            opens=bool(way.verb) or way.does == "outbox",
        )
        for way in card.ways
    )
    return (*ways, NEXT) if several else ways


def lines_of(cards: list[Card], front: int, model: Model, width: int) -> list[Line]:
    """Return the front card in full and the others in a line each."""
    if not cards:
        return []
    signs, card = model.signs, cards[front]
    count = f"  ({front + 1} of {len(cards)})" if len(cards) > 1 else ""
    said = wrapped(f"{signs.alarm} {card.says}{count}", width, "bad", most=3)
    lines: list[Line] = [((signs.cursor, "bad"), *line) for line in said]
    lines += [((f"    {text}", ""),) for text in card.more[:3]]
    lines.append(_keys(card, model))
    others = [one for at, one in enumerate(cards) if at != front]
    for one in others[:_BEHIND]:
        first = wrapped(one.says, width - 4, "", most=1)
        lines += [((f"  {signs.dot} ", "dim"), *line) for line in first]
    if len(others) > _BEHIND:
        lines.append(((f"    {signs.more} {len(others) - _BEHIND} more", "dim"),))
    return lines


def _keys(card: Card, model: Model) -> Line:
    """The keys of the card; who may not press them is told so beforehand."""
    usable = [way for way in card.ways if not way.verb or way.verb in model.may]
    pieces: list[tuple[str, Any]] = [("    ", "")]
    for way in usable:
        pieces += [(f"[{key_name(way.key)}]", "strong"), (f" {way.label}   ", "")]
    if len(usable) < len(card.ways):
        who = f"a {model.role}" if model.role else "you"
        why = "this board shows the past" if model.as_of is not None else f"read-only for {who}"
        left = ", ".join(way.label for way in card.ways if way not in usable)
        pieces.append((f"{left}: {why}", "dim"))
    return tuple(pieces)
