"""Their words and ours: what every connector's block says of states and priorities, in the same tables."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from integrations.connector import Draft, Reprioritise, Theirs
from integrations.errors import Rejected
from integrations.meant import priorities_meant
from register.incident import Impact, Priority, Urgency, priority_of
from register.text import Name
from register.translation import CELLS, ENDS, Translation, cell

States = Annotated[
    dict[Name, Theirs],
    Field(description="their status → new, working, waits_for_us, fixed, closed or refused"),
]
Transitions = Annotated[
    dict[Theirs, Name],
    Field(description="what we want → the status to set, where not the first in `states` that means it"),
]
Priorities = Annotated[
    dict[Annotated[Priority, Field(strict=False)], Name],
    Field(description="our priority, 1 to 5 → theirs"),
]
_MATRIX_MEANS: Final = 'our impact/urgency, as "high/low" → their priority, in place of `priorities`'


def _words(table: dict[str, str | int]) -> dict[str, str | int]:
    if not all(isinstance(word, str) for word in table.values()):
        raise ValueError("must have text in quotes for theirs")
    return table


def _numbers(table: dict[str, str | int]) -> dict[str, str | int]:
    if not all(isinstance(word, int) for word in table.values()):
        raise ValueError("must have whole numbers for theirs, without quotes")
    return table


Matrix = Annotated[dict[Name, Name | int], AfterValidator(_words), Field(description=_MATRIX_MEANS)]
NumberMatrix = Annotated[dict[Name, Name | int], AfterValidator(_numbers), Field(description=_MATRIX_MEANS)]


def _ends(codes: dict[str, str]) -> dict[str, str]:
    strange = [code for code in codes if code not in ENDS]
    if strange:
        raise ValueError(
            f"{', '.join(strange)} is no way in which anything ends: known are {', '.join(sorted(ENDS))}"
        )
    return codes


class ClosingWords(BaseModel, frozen=True, extra="forbid"):
    """What must go with closing one of their tickets, where that is a word alone."""

    note: Annotated[bool, Field(description="true if a word must go with it: it is asked for before")] = False


class Closing(ClosingWords, frozen=True):
    """What must go with closing one of their tickets, in fields of theirs."""

    field: Annotated[str, Field(description="their field for how it ended")] = ""
    codes: Annotated[
        dict[Name, Name],
        AfterValidator(_ends),
        Field(description='how it ended, as fixed_permanent, withdrawn, or "*" for all others → their word'),
    ] = {}
    fields: Annotated[
        dict[Name, Name], Field(description="further fields of theirs, and what always stands in them")
    ] = {}

    @model_validator(mode="after")
    def _codes_have_a_place(self) -> Self:
        if bool(self.codes) != bool(self.field):
            key, lacks = ("field", "codes") if self.field else ("codes", "field")
            raise wrong(key, f"says nothing without `{lacks}`: write both", self)
        return self


def wrong(key: str, says: str, given: object) -> ValidationError:
    """A fault of a whole block at one of its keys, so that the line of that key is told."""
    error = InitErrorDetails(
        type=PydanticCustomError("mapping", "{says}", {"says": says}), loc=(key,), input=given
    )
    return ValidationError.from_exception_data("mapping", [error])


class Mapping(BaseModel, frozen=True, extra="forbid"):
    """The keys of a [vendor.NAME] block by which words are translated; a connector adds its own.

    Priorities go one way of three: by `priorities`, by `impact_urgency`, or, where a connector has fields
    for them (`Fielded`), as impact and urgency.
    """

    ways: ClassVar[tuple[str, ...]] = ("priorities", "impact_urgency")

    states: States
    transitions: Transitions = {}
    impact_urgency: Matrix = {}
    close: Annotated[ClosingWords, Field(description="what must go with closing one of their tickets")] = (
        ClosingWords()
    )

    @model_validator(mode="after")
    def _transitions_are_states(self) -> Self:
        for raw in self.transitions.values() if "transitions" in self.model_fields_set else ():
            if raw not in self.states:
                raise wrong(
                    "transitions", f"name {raw!r}, which `states` does not: add it there", self.transitions
                )
        return self

    @model_validator(mode="after")
    def _priorities_go_one_way(self) -> Self:
        said = [way for way in self.ways if way in self.model_fields_set and getattr(self, way)]
        if len(said) > 1:
            raise wrong(
                said[1], f"says again what `{said[0]}` says: keep one of them, take out the other", self
            )
        if self.impact_urgency:
            _whole("impact_urgency", self.impact_urgency, CELLS)
        return self

    def raw_state(self, to: Theirs) -> str | None:
        """Their word for a state that we want, if there is one."""
        chosen = self.transitions.get(to)
        if chosen in self.states:
            return chosen
        return next((raw for raw, means in self.states.items() if means is to), None)

    def meaning(self, raw: str) -> Theirs:
        """What their word means to us."""
        return self.states.get(raw, Theirs.UNMAPPED)

    @property
    def translation(self) -> Translation:
        """The tables by which a rule looks our words up."""
        by_parts, close = bool(getattr(self, "impact", {})), self.close
        by_matrix = bool(self.impact_urgency)
        listed = {} if by_parts or by_matrix else getattr(self, "priorities", {})
        return Translation(
            priorities={int(ours): str(word) for ours, word in listed.items()},
            matrix={place: str(word) for place, word in self.impact_urgency.items()},
            impact={str(ours): word for ours, word in getattr(self, "impact", {}).items()},
            urgency={str(ours): word for ours, word in getattr(self, "urgency", {}).items()},
            categories=getattr(self, "categories", {}),
            services=getattr(self, "service_names", {}),
            codes=close.codes if isinstance(close, Closing) else {},
            note=close.note,
        )

    def priority_of(self, priority: Priority, impact: Impact | None, urgency: Urgency | None) -> Any:
        """Their priority for ours, None where nothing stands for it or they work it out by themselves."""
        if getattr(self, "impact", {}):
            return None
        if self.impact_urgency:
            return None if impact is None or urgency is None else self.impact_urgency[f"{impact}/{urgency}"]
        return getattr(self, "priorities", {}).get(priority)

    def meant(self, raw: str) -> tuple[Priority, ...]:
        """Which of our priorities one of theirs may stand for, the highest first; none if they grade it."""
        if getattr(self, "impact", {}):
            return ()
        if not self.impact_urgency:
            return priorities_meant(getattr(self, "priorities", {}), raw)
        cells = ((impact, urgency) for impact in Impact for urgency in Urgency)
        fit = {priority_of(*at) for at in cells if str(self.impact_urgency[cell(*at)]) == raw}
        return tuple(sorted(fit))

    @property
    def theirs(self) -> list[Any]:
        """Every priority of theirs that we would set."""
        if getattr(self, "impact", {}):
            return []
        table = self.impact_urgency or getattr(self, "priorities", {})
        return list(dict.fromkeys(table.values()))

    @property
    def unranked(self) -> list[str]:
        """Our priorities that nothing stands for."""
        if self.impact_urgency or getattr(self, "impact", {}):
            return []
        return [str(p) for p in Priority if p not in getattr(self, "priorities", {})]


def unranked(vendor: str, config: Mapping, priority: Priority, word: str = '"THEIRS"') -> Rejected:
    """What is said where nothing of theirs stands for our priority."""
    if config.impact_urgency:
        return Rejected(
            f"{vendor} is told a priority by impact and urgency, and this was asked for before either was"
            " kept: nothing was sent. Drop it, and ask for it anew."
        )
    return Rejected(
        f"No priority of {vendor} stands for {priority}: nothing was sent. "
        f"Add it to `priorities` in vendors.toml ({priority.value} = {word})."
    )


def named_priority(vendor: str, config: Mapping, asked: Draft | Reprioritise) -> str:
    """Their word for the priority that is asked for; Rejected, with what to do, where there is none."""
    priority = asked.priority if isinstance(asked, Draft) else asked.to
    theirs = config.priority_of(priority, asked.impact, asked.urgency)
    if theirs is None:
        raise unranked(vendor, config, priority)
    return str(theirs)


def priority_for(vendor: str, config: Mapping, asked: Draft | Reprioritise) -> str | None:
    """The same; None for a new ticket where they work it out of fields of theirs."""
    by_parts = bool(getattr(config, "impact", {})) and isinstance(asked, Draft)
    return None if by_parts else named_priority(vendor, config, asked)


def state_for(vendor: str, config: Mapping, to: Theirs, word: str = "THEIR STATE") -> str:
    """Their word for a state that we want; Rejected, with what to do, where there is none."""
    raw = config.raw_state(to)
    if raw is None:
        raise stateless(vendor, to, word)
    return raw


def stateless(vendor: str, to: Theirs, word: str = "THEIR STATE") -> Rejected:
    """What is said where no state of theirs means what we want."""
    return Rejected(
        f"No state of {vendor} means {to}: nothing was sent. "
        f'Add it to `states` in vendors.toml ("{word}" = "{to}").'
    )


class Fielded(Mapping, frozen=True):
    """A system with fields of its own, which a block fills by name: contract, category, impact, …"""

    ways: ClassVar[tuple[str, ...]] = ("priorities", "impact_urgency", "impact")

    fields: Annotated[
        dict[Name, Name],
        Field(
            description="our name → their field: names of `entitlement` (the rest stands in the text), "
            "impact, urgency, category, service"
        ),
    ] = {}
    impact: Annotated[dict[Impact, Name], Field(description="our impact → theirs")] = {}
    urgency: Annotated[dict[Urgency, Name], Field(description="our urgency → theirs")] = {}
    categories: Annotated[
        dict[Name, Name], Field(description='our category, "*" for all others → what their field is set to')
    ] = {}
    service_names: Annotated[
        dict[Name, Name], Field(description='our service, "*" for all others → what their field is set to')
    ] = {}
    close: Annotated[Closing, Field(description="what must go with closing one of their tickets")] = Closing()

    @model_validator(mode="after")
    def _tables_have_fields(self) -> Self:
        tables = {
            "impact": self.impact,
            "urgency": self.urgency,
            "category": self.categories,
            "service": self.service_names,
        }
        keys = {"category": "categories", "service": "service_names"}
        for name, table in tables.items():
            key = keys.get(name, name)
            if table and name not in self.fields:
                raise wrong(
                    key, f'goes nowhere: name their field for it in `fields` ({name} = "THEIRS")', table
                )
            if name in self.fields and not table:
                says = f"names one for {name}, which needs a table `{key}`: ours = theirs"
                raise wrong("fields", says, self)
        if self.impact or self.urgency:
            _whole("impact", self.impact, tuple(Impact))
            _whole("urgency", self.urgency, tuple(Urgency))
        return self


def _whole(key: str, table: object, places: tuple[str, ...]) -> None:
    """Raise unless a table has a word at each place, and nothing else."""
    named = [str(place) for place in table] if isinstance(table, dict) else []
    lacks = [place for place in places if place not in named]
    strange = [place for place in named if place not in places]
    if strange:
        raise wrong(key, f"has {', '.join(strange)}, where only {', '.join(places)} can stand", table)
    if lacks:
        raise wrong(key, f"has nothing for {', '.join(lacks)}: add it", table)
