"""What vendors.toml says of AWS Support."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from integrations.connector import Theirs
from integrations.mapping import Fielded, States, Transitions, wrong
from register.incident import Priority

RESOLVED: Final = "resolved"
_STATES: Final = {
    "unassigned": Theirs.NEW,
    "opened": Theirs.NEW,
    "work-in-progress": Theirs.WORKING,
    "customer-action-completed": Theirs.WORKING,
    "reopened": Theirs.WORKING,
    "pending-customer-action": Theirs.WAITS_FOR_US,
    RESOLVED: Theirs.FIXED,
}
"""All that a case can be: we can set the last one alone."""
_TRANSITIONS: Final = {Theirs.CLOSED: RESOLVED}
_PRIORITIES: Final = {
    Priority.CRITICAL: "urgent",
    Priority.HIGH: "high",
    Priority.MODERATE: "normal",
    Priority.LOW: "low",
    Priority.PLANNING: "low",
}
"""`critical` takes their highest plans: see `check`."""
SERVICE: Final = "serviceCode"
CATEGORY: Final = "categoryCode"
Severity = Literal["low", "normal", "high", "urgent", "critical"]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/&() -]{1,100}$")]
Address = Annotated[str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]{1,255}$")]


class AwsSupportConfig(Fielded):
    """The keys of a [vendor.NAME] block that only AWS Support has."""

    service: Annotated[Code, Field(description="their code of the service that our cases are about")]
    category: Annotated[Code, Field(description="their code of the kind of trouble, of that service")]
    region: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z]{2,5}(-[a-z]+){1,3}-[0-9]{1,2}$"),
        Field(description="for which requests are signed: that of the address in `url`"),
    ] = "us-east-1"
    issue_type: Annotated[
        Literal["technical", "customer-service"], Field(description="what our cases are: technical, or not")
    ] = "technical"
    language: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z]{2}$"),
        Field(description="in which they write to us: en, zh, ja, ko, es, pt, fr or tr"),
    ] = "en"
    cc: Annotated[
        tuple[Address, ...],
        Field(max_length=10, description="who gets a mail of each word on our cases besides"),
    ] = ()
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Severity],
        Field(description="our priority, 1 to 5 → their severity"),
    ] = _PRIORITIES  # type: ignore[assignment]  # each of them is one of theirs

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        theirs = {"service": SERVICE, "category": CATEGORY}
        for ours, field in self.fields.items():
            if theirs.get(ours) != field:
                says = f'has {ours} = "{field}", and a case has no field besides its text but ' + ", ".join(
                    f'{name} = "{one}"' for name, one in theirs.items()
                )
                raise wrong("fields", says, self.fields)
        if self.close.field or self.close.fields:
            raise wrong("close", "takes `note` alone: a case has no field for how it ended", self)
        return self

    @property
    def kinds(self) -> set[tuple[str, str]]:
        """Every service with every category that a case of ours may be of."""
        services = {self.service, *self.service_names.values()}
        return {(one, kind) for one in services for kind in {self.category, *self.categories.values()}}
