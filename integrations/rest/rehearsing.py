"""Every request of an operation, shown and not sent: what only an answer tells has a name in its place."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from integrations.errors import NotSent, OpId
from integrations.rest.pages import PLACES
from integrations.rest.paths import Take, Taken
from integrations.rest.running import Runner, Told
from integrations.rest.steps import Step, Template
from integrations.rest.templates import Awaited, compiled


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that was shown. when: the condition on which it is made, where an answer decides it."""

    step: Step
    when: str


class Rehearsal(Runner):
    """Runs operations over a line that leads nowhere, and goes on as if each request had been answered.

    seen: the requests in their order. awaited: what stands for a value → the request that tells it.
    """

    asks = False

    @classmethod
    def of(cls, runner: Runner) -> Rehearsal:
        return cls(runner.http, runner.headers)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[Seen] = []
        self.awaited: dict[str, str] = {}
        self._when = ""

    @property
    def open(self) -> tuple[str, ...]:
        """What may stand in a request in place of a value: a name for it, or the template that wants it."""
        told = set(self.awaited.values())
        wants = [
            source
            for one in self.seen
            for _, source, path in one.step.templates
            if any(name in told for name, _ in compiled(source, path=path).names)
        ]
        return tuple(dict.fromkeys([*self.awaited, *wants]))

    def readable(self, text: str) -> str:
        """A part of a request, with what stands for a value as it is written here."""
        for name in self.open:
            for form in (quote(name), quote(name, safe=""), quote_plus(name)):
                text = text.replace(form, name)
        return text

    def _is_wanted(self, when: Template, known: Mapping[str, Any]) -> bool:
        """Where an answer decides it, it is shown."""
        told = set(self.awaited.values())
        self._when = when if any(name in told for name, _ in compiled(when).names) else ""
        return bool(self._when) or super()._is_wanted(when, known)

    async def _step(
        self, operation: str, step: Step, known: Mapping[str, Any], op_id: OpId, repeatable: bool
    ) -> Told:
        place = PLACES[step.paging.kind](step.paging) if step.paging else None
        self.seen.append(Seen(step, self._when))
        self._when = ""
        with suppress(NotSent):
            await self._asked(step, known, place, op_id, repeatable)
        given = {
            name: self._stands_for(operation, step, name, take, known) for name, take in step.gives.items()
        }
        return Told(step, given, () if step.rows is None else (given,))

    def _stands_for(self, operation: str, step: Step, name: str, take: Take, known: Mapping[str, Any]) -> Any:
        """What later requests get of this one."""
        if isinstance(take, Taken) and take.value is not None:
            return compiled(take.value).made(known)
        by = step.name or operation
        stands = Awaited(f"<{by}{'' if step.rows is None else '[0]'}.{name}>")
        self.awaited[stands] = by
        return stands
