"""The policy of a register, typed: people, teams, who owns what, and how long things stay.

A `Matrix` is what matrix.toml says; `register.matrix_toml` reads and checks it. Nothing here reads a
clock, a file or a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer, StringConstraints

from register.calendars import Calendar
from register.clocks.book import DEFAULT_CALENDARS, DEFAULT_CLOCKS, Book
from register.clocks.definition import ClockDefinition, Contract
from register.length import Period
from register.page_settings import Pages
from register.roles import PEOPLES_ROLES, Role
from register.rota import Rota
from register.steps import EscalationPolicy
from register.text import Login, Name, Slug
from register.zone import Zone

ANY: Final = "*"


def _role(given: Any) -> Any:
    if isinstance(given, Role):
        return given
    found = next((role for role in PEOPLES_ROLES if role.word == given), None)
    if found is None:
        raise ValueError(f"is no role: write {', '.join(role.word for role in PEOPLES_ROLES)}")
    return found


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"says {twice} twice: once is enough")
    return names


def _listed(given: Any) -> Any:
    """One text is a list of one."""
    return (given,) if isinstance(given, str) else given


def _about(given: Any) -> Any:
    """A text alone is the description."""
    return {"about": given} if isinstance(given, str) else given


AsRole = Annotated[Role, BeforeValidator(_role), PlainSerializer(lambda role: role.word)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(min_length=1)]


class Person(BaseModel, frozen=True, extra="forbid"):
    """`[people.KEY]`: one of us, known by uid, or by login where no uid is given."""

    name: Annotated[Name, Field(description="what people call them")]
    login: Annotated[Login | None, Field(description="their login on this host")] = None
    uid: Annotated[int | None, Field(strict=True, ge=0, lt=2**32, description="their number here")] = None
    role: Annotated[AsRole | None, Field(description="what they may do")] = None
    teams: Annotated[tuple[Slug, ...], Field(description="the teams they are in")] = ()
    zone: Annotated[Zone, Field(description="where they live, as a time zone")] = "UTC"
    reach: Annotated[
        tuple[Slug, ...],
        AfterValidator(_once),
        Field(max_length=5, description='by what they are paged, in this order, as ["sms", "mail"]'),
    ] = ()


class Team(BaseModel, frozen=True, extra="forbid"):
    """`[teams.KEY]`: a group that can own incidents."""

    name: Annotated[Name, Field(description="what people call it")]
    lead: Annotated[Slug | None, Field(description="who has authority over it, of [people]")] = None
    first_line: Annotated[
        bool, Field(strict=True, description="whether it answers the desk's calls: first line")
    ] = False
    hours: Annotated[Slug, Field(description="when it works: a calendar")] = "24x7"
    rota: Annotated[Slug | None, Field(description="by which rota it is on call")] = None
    policy: Annotated[Slug | None, Field(description="who is told of what it owns: of [policies]")] = None
    authority: Annotated[
        tuple[Slug, ...],
        BeforeValidator(_listed),
        AfterValidator(_once),
        Field(max_length=5, description="who stands above its lead, nearest first: of [people]"),
    ] = ()


class Service(BaseModel, frozen=True, extra="forbid"):
    """`[services]`: something that people use, and miss when it is away."""

    about: Annotated[str, StringConstraints(max_length=400)] = ""
    critical: Annotated[bool, Field(strict=True, description="whether the business stops without it")] = False


class Category(BaseModel, frozen=True, extra="forbid"):
    """`[categories]`: a kind of thing that goes wrong, and who owns it where no rule says otherwise."""

    about: Annotated[str, StringConstraints(max_length=400)] = ""
    team: Annotated[Slug | None, Field(description="the team that owns it")] = None


class Ownership(BaseModel, frozen=True, extra="forbid"):
    """`[[ownership]]`: these services with these categories are that team's. `*` stands for anything."""

    team: Annotated[Slug, Field(description="the team that owns them")]
    service: Annotated[Names, Field(description="services, or a pattern with *")] = (ANY,)
    category: Annotated[Names, Field(description="categories, or a pattern with *")] = (ANY,)
    policy: Annotated[Slug | None, Field(description="instead of the team's policy: of [policies]")] = None

    def fits(self, service: str, category: str) -> tuple[int, int] | None:
        """How exactly it names this pair, service and category each 0 (*) to 2 (by name); None if not."""
        found = _fit(self.service, service), _fit(self.category, category)
        return None if -1 in found else found


class Correlation(BaseModel, frozen=True, extra="forbid"):
    """`[correlation]`: when alerts are told to belong together. They are related, never merged."""

    window: Annotated[Period, Field(description="how long after the first one")] = timedelta(minutes=15)
    same: Annotated[
        tuple[Literal["service", "category", "source"], ...],
        Field(min_length=1, description='what must be alike: "service", "category", "source"'),
    ] = ("service",)


class Retention(BaseModel, frozen=True, extra="forbid"):
    """`[[retention]]`: what is over for so long loses its texts and people. A legal hold goes first."""

    after: Annotated[Period, Field(description="how long after the incident was closed")]
    service: Annotated[Names, Field(description="of which services, or a pattern with *")] = (ANY,)
    category: Annotated[Names, Field(description="of which categories, or a pattern with *")] = (ANY,)

    def fits(self, service: str, category: str) -> bool:
        return _fit(self.service, service) >= 0 and _fit(self.category, category) >= 0


def _fit(patterns: Iterable[str], word: str) -> int:
    """2 by name, 1 by a pattern, 0 by * alone, -1 not at all. Capitals do not matter."""
    word = word.casefold()
    return max((_degree(pattern.casefold(), word) for pattern in patterns), default=-1)


def _degree(pattern: str, word: str) -> int:
    if pattern == ANY:
        return 0
    if ANY in pattern:
        return 1 if fnmatchcase(word, pattern.replace("[", "[[]").replace("?", "[?]")) else -1
    return 2 if pattern == word else -1


def _slugs(kind: str) -> Any:
    return Field(default_factory=dict, description=kind)


class Matrix(BaseModel, frozen=True, extra="forbid"):
    """matrix.toml, typed. `register.matrix_toml.read_matrix` makes it, and has checked that it holds.

    default_role: of whoever [people] does not give one.
    fallback_team: who owns what no rule and no category gives to a team.
    auto_close_after: so long after it was resolved an incident closes by itself.
    flap_window: an alert that comes again so soon after its incident was resolved opens it again.
    """

    default_role: Annotated[AsRole, Field(description="what those may do who are not in [people]")] = (
        Role.RESPONDER
    )
    fallback_team: Annotated[
        Slug, Field(description="the team that owns what no rule and no category gives to another")
    ]
    auto_close_after: Annotated[
        Period, Field(description="how long after it was resolved an incident closes by itself")
    ] = timedelta(days=5)
    flap_window: Annotated[
        Period, Field(description="how soon an alert that is back opens its resolved incident again")
    ] = timedelta(minutes=30)
    people: dict[Slug, Person] = _slugs("a table for each: [people.NAME]")
    teams: dict[Slug, Team] = _slugs("a table for each: [teams.NAME]")
    services: dict[Name, Annotated[Service, BeforeValidator(_about)]] = _slugs('NAME = "what it is for"')
    categories: dict[Name, Annotated[Category, BeforeValidator(_about)]] = _slugs(
        'NAME = { about = "…", team = "…" }'
    )
    ownership: tuple[Ownership, ...] = Field((), description="a [[ownership]] for each rule")
    correlation: Correlation = Correlation()
    pages: Pages = Pages()
    retention: tuple[Retention, ...] = Field((), description="a [[retention]] for each rule")
    calendars: dict[Slug, Calendar] = _slugs("a table for each: [calendars.NAME]")
    clocks: dict[Slug, ClockDefinition] = _slugs("a table for each: [clocks.NAME]")
    contracts: dict[Slug, Contract] = _slugs("a table for each supplier: [contracts.NAME]")
    default_policy: Annotated[
        Slug | None, Field(description="who is told where neither rule nor team says: of [policies]")
    ] = None
    rotas: dict[Slug, Rota] = _slugs("a table for each: [rotas.NAME]")
    policies: dict[Slug, EscalationPolicy] = _slugs("a table for each: [policies.NAME]")

    @cached_property
    def book(self) -> Book:
        """What is promised: 24x7 and office are always there, the built-in clocks where none are given."""
        return Book({**DEFAULT_CALENDARS, **self.calendars}, self.clocks or DEFAULT_CLOCKS, self.contracts)

    # Who owns what

    def owning_team(self, service: str, category: str) -> str:
        """The key of the one team that owns this pair; either may be empty. Total: there is always one.

        The rule that names the pair most exactly, then the category's team, then the fallback.
        """
        rule = self._rule(service, category)
        if rule is not None:
            return rule.team
        own = self.categories.get(self.category_named(category) or "")
        return own.team if own is not None and own.team is not None else self.fallback_team

    def _rule(self, service: str, category: str) -> Ownership | None:
        best: tuple[tuple[int, int], Ownership] | None = None
        for rule in self.ownership:
            fit = rule.fits(service, category)
            if fit is not None and (best is None or beats(fit, best[0])):
                best = fit, rule
        return None if best is None else best[1]

    def policy_for(self, team: str, service: str, category: str) -> str | None:
        """The key of the policy that says who is told: the rule's while its team has it, the team's, or none.

        team: who owns it now, whom a person may have passed it to.
        """
        rule, own = self._rule(service, category), self.teams.get(team)
        named = rule.policy if rule is not None and rule.team == team else None
        return named or (None if own is None else own.policy) or self.default_policy

    def above(self, team: str) -> tuple[str, ...]:
        """The keys of those with authority over a team: its lead, then who stands above, nearest first."""
        own = self.teams.get(team)
        chain_ = () if own is None else (*((own.lead,) if own.lead else ()), *own.authority)
        return tuple(dict.fromkeys(chain_))

    def service_named(self, said: str) -> str | None:
        """The service as the matrix writes it, whatever the capitals; None where it declares no such one."""
        return self._services.get(said.casefold())

    def category_named(self, said: str) -> str | None:
        return self._categories.get(said.casefold())

    @cached_property
    def _services(self) -> Mapping[str, str]:
        return {name.casefold(): name for name in self.services}

    @cached_property
    def _categories(self) -> Mapping[str, str]:
        return {name.casefold(): name for name in self.categories}

    # Who may do what

    def person(self, uid: int | None, login: str) -> str | None:
        """The key of the person with this uid; of the one with this login where that one gives no uid."""
        by_uid = (key for key, one in self.people.items() if uid is not None and one.uid == uid)
        by_login = (key for key, one in self.people.items() if one.uid is None and one.login == login)
        return next(chain(by_uid, by_login), None)

    @cached_property
    def pages_anybody(self) -> bool:
        """Whether anybody is paged here at all: whether anybody says by what."""
        return any(one.reach for one in self.people.values())

    def role_of(self, uid: int | None, login: str) -> Role:
        """What this person may do by the matrix alone."""
        key = self.person(uid, login)
        role = None if key is None else self.people[key].role
        return self.default_role if role is None else role

    def who_may(self, role: Role) -> tuple[str, ...]:
        """The names of the people who have at least this role."""
        return tuple(one.name for one in self.people.values() if (one.role or self.default_role) >= role)

    def teams_of(self, uid: int | None, login: str) -> tuple[str, ...]:
        key = self.person(uid, login)
        return () if key is None else self.people[key].teams

    def first_line(self) -> tuple[str, ...]:
        """The keys of the teams that answer the desk's calls; the fallback where none says so."""
        found = tuple(key for key, team in self.teams.items() if team.first_line)
        return found or (self.fallback_team,)


def beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a fit is the more exact one: nowhere less, and somewhere more."""
    return one != other and one[0] >= other[0] and one[1] >= other[1]


DEFAULT_MATRIX: Final = Matrix(
    default_role=Role.COORDINATOR,
    fallback_team="service-desk",
    teams={"service-desk": Team(name="Service desk", first_line=True)},
)
"""What holds where nothing is adopted: one team owns everything; services and categories are free text."""
