"""The suppliers as a person choosing one sees them: those that the register has adopted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.messages import Row

if TYPE_CHECKING:
    from register.leaving import Receives
    from register.store import Store
    from register.store.vendors import VendorHealth
    from register.translation import Translation
    from tui.session import Session


REMOVED: Final = "Removed"
"""The label of what does not go."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier that can be engaged. `why_not` is a sentence when it cannot."""

    name: str
    title: str
    system: str
    production: bool
    services: tuple[str, ...] = ()
    phone: str = ""
    contacts: tuple[str, ...] = ()  # whom to call there, by level, a line each
    by_hand: bool = False  # a person speaks to them
    receives: Receives | None = None  # what it may receive; None: as is usual
    translation: Translation | None = None  # its tables, by which our words become theirs

    def may_have(self, what: str) -> bool:
        """Whether it may receive what goes along: `timeline` or `files`."""
        from register.leaving import USUALLY, May

        return (self.receives or USUALLY).lets(May(what))

    @property
    def goes(self) -> str:
        """How words get there: by themselves, or by a person who has them from the outbox."""
        return "YOU READ IT TO" if self.by_hand else "GOES TO"

    @property
    def environment(self) -> str:
        return "PRODUCTION" if self.production else "test"


@dataclass(frozen=True, slots=True)
class Along:
    """What of an incident may go along, and how much of it is internal and stays. files: ids."""

    notes: tuple[str, ...] = ()
    notes_left: int = 0
    files: tuple[str, ...] = ()
    files_left: int = 0


@dataclass(frozen=True, slots=True)
class Suppliers:
    """What is adopted, or the sentences that say why vendors.toml cannot be."""

    known: tuple[Supplier, ...] = ()
    faults: tuple[str, ...] = ()
    along: Along = Along()

    def named(self, name: str) -> Supplier | None:
        return next((one for one in self.known if one.name == name), None)


def read_suppliers(store: Store, session: Session, about: str = "") -> Suppliers:
    """Return the suppliers that the register has adopted; never raises for what is wrong with a file.

    about: the incident of which is told what may go along.
    """
    from integrations.policy_files import keep_up, vendors_now
    from register.toml_file import FileFaults
    from tui.who import env_of, person

    try:
        keep_up(store, env_of(session), person(session), "board")
        vendors = vendors_now(store, env_of(session))
    except FileFaults as error:
        return Suppliers(faults=error.faults)
    return Suppliers(
        tuple(
            Supplier(
                name=vendor.name,
                title=vendor.title,
                system=vendor.system_title,
                production=vendor.production,
                services=vendor.services,
                phone=vendor.phone,
                contacts=tuple(map(str, vendor.to_call)),
                by_hand=vendor.by_hand,
                receives=vendor.receives,
                translation=vendor.translation,
            )
            for vendor in vendors.values()
        ),
        along=_along(store, about) if about else Along(),
    )


def _along(store: Store, number: str) -> Along:
    from register.incident import Label
    from register.store.files import files_of
    from register.topics.notes import Noted

    events = (one.event for one in store.timeline(number))
    notes = [event for event in events if isinstance(event, Noted) and event.text]
    files = store.ask(lambda connection: files_of(connection, number))
    may, may_too = Label.SHAREABLE, [file.id for file in files if file.label is Label.SHAREABLE]
    told = tuple(note.text for note in notes if note.label is may)
    return Along(told, len(notes) - len(told), tuple(may_too), len(files) - len(may_too))


def webhooks_refused(health: VendorHealth) -> str:
    """Return since when webhooks in a supplier's name are refused, and why; empty where none is."""
    bell = health.bell
    if not bell.refused or bell.refused_since is None:
        return ""
    return f"webhook refused: {bell.refused_why}, since {bell.refused_since.astimezone():%H:%M}"


def what_they_get(
    row: Row, supplier: Supplier, message: str, notes: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Return what a new ticket would say to this supplier, as labels and texts, and what is taken out of it.

    By the rule by which the register lets it out: what stands here is what goes. notes: that go along.
    """
    from register.leaving import USUALLY, cleared
    from register.topics.engagement import with_notes
    from register.topics.letting_out import title_as

    message = with_notes(message, notes)
    what = supplier.receives or USUALLY
    title, text = title_as(row["number"], row["title"], what), cleared(message, what)
    removed = "; ".join(map(str, (*cleared(row["title"], what).removed, *text.removed)))
    told = [(REMOVED, removed)] if removed else []
    fields = ", ".join(f"{name} {value}" for name, value in what.entitled(row["service"] or "").items())
    fields = ", ".join(filter(None, (fields, *(f"{name} (keyring)" for name in what.secret))))
    told += [("Contract", fields)] if fields else []
    return [("Title", title), *_their_words(row, supplier), *told, ("Text", text.text)]


def _their_words(row: Row, supplier: Supplier) -> list[tuple[str, str]]:
    """How urgent it is, in our word and theirs, and under what they keep it."""
    from register.incident import Priority
    from register.translation import NO_TABLES

    table = supplier.translation or NO_TABLES
    grades = table.graded(Priority(row["p"]), row.get("impact"), row.get("urgency"))
    theirs = ", ".join(word if name == "priority" else f"{name} {word}" for name, word in grades.items())
    if not grades and (table.matrix or table.by_parts):
        theirs = "by impact and urgency"  # which a row of the board does not have
    kept = table.kept_under(row.get("category") or "", row["service"] or "")
    lacks = table.unnamed(row.get("category") or "", row["service"] or "")
    told = [(name.capitalize(), word) for name, word in kept.items()]
    told += [("Missing", f"no word of theirs for {ours or 'none'} in `{key}`") for key, ours in lacks.items()]
    return [("Priority", f"P{row['p']}" + (f", theirs: {theirs}" if theirs else "")), *told]


def nearest_first(suppliers: Sequence[Supplier], service: str) -> list[Supplier]:
    """Return those that look after this service first, otherwise in the file's order."""
    return sorted(suppliers, key=lambda one: service not in one.services)
