"""The Matrix screen in plain text: who would be told now, who is on call, how far what is open has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from register.live import Live
from register.pressing import hidden
from register.store.adopted import Adopted
from register.store.rosters import roster_now
from tui.chips import Chips
from tui.cli.here import Here
from tui.cli.tabular import columns
from tui.format import ahead, duration
from tui.matrix_reading import Place, StepNow, Stretch, grid
from tui.matrix_table import step_text
from tui.matrix_told import NO_POLICY
from tui.messages import Row
from tui.model import Model
from tui.run_words import chip, nobody


class Shown:
    """The matrix as of now, and what is open, for one answer."""

    def __init__(self, at: Here, found: Adopted) -> None:
        now = datetime.now(UTC)
        roster = roster_now(at.store, found.policy.matrix)
        self.grid = grid(roster, at.people, now, found.policy.version)
        live = Live.nowhere()
        _, rows = at.store.rows(at.who)
        live.apply(rows, (), at.people, 1)
        self._model = Model(at.session, live)
        self._model.eyes.now = now.timestamp()
        self._chips = Chips(self.grid, live.rows)

    # For a program

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it. Times are moments; `after` is seconds from the first step."""
        return {
            "at": _moment(self.grid.at),
            "lines": [self._line(at, place) for at, place in enumerate(self.grid.places)],
            "on_call": {rota: [_stretch(one) for one in some] for rota, some in self.grid.shifts.items()},
        }

    def _line(self, at: int, place: Place) -> dict[str, Any]:
        return {
            "category": place.category or None,
            "services": list(place.services),
            "team": place.team,
            "policy": place.policy,
            "steps": [_step(step) for step in place.steps],
            "authority": list(place.authority),
            "rota": place.rota,
            "open": self._chips.count(at),
            "live": [_row(row) for row in self._chips.first(at)],
        }

    # For a person

    def lines(self) -> list[str]:
        """Return it as lines; where no policy is written, what to do about it."""
        if not self.grid.policies:
            return ["", *NO_POLICY]
        rows = [
            (*_where(place), place.team, place.policy or "", self._who(place)) for place in self.grid.places
        ]
        told = ["", *columns(("CATEGORY", "SERVICE", "TEAM", "POLICY", "WHO IS TOLD NOW, AND THEN"), rows)]
        if self.grid.shifts:
            told += ["", *columns(("ROTA", "ON CALL FOR THE NEXT 24 HOURS"), self._rotas())]
        if live := list(self._live()):
            told += ["", *columns(("CATEGORY", "SERVICE", "OPEN, THE MOST URGENT FIRST"), live)]
        return told

    def _who(self, place: Place) -> str:
        if not place.steps:
            return "nobody: no policy is for it"
        told = [
            f"{'now' if at == 0 else f'+{duration(step.after)}'} "
            f"{step_text(place, at, self._model, self.grid.at)[0]}"
            for at, step in enumerate(place.steps)
        ]
        above = ", ".join(place.authority) or nobody(self._model.signs)
        return f"{'; '.join(told)}; then {above} (authority)"

    def _rotas(self) -> Iterator[Sequence[str]]:
        for rota, some in self.grid.shifts.items():
            told = [self._until(one, last=one is some[-1]) for one in some]
            yield rota, ", ".join(told)

    def _until(self, one: Stretch, *, last: bool) -> str:
        names = " and ".join(one.names) or nobody(self._model.signs)
        return names if last else f"{names} until {ahead(one.end, self.grid.at, self._model.zone)}"

    def _live(self) -> Iterator[Sequence[str]]:
        for at, place in enumerate(self.grid.places):
            count, some = self._chips.count(at), self._chips.first(at)
            if count:
                chips = [chip(row, self._model.eyes, self._model.zone) for row in some]
                more = [f"+{count - len(some)} more"] if count > len(some) else []
                yield *_where(place), ", ".join([*chips, *more])


def _where(place: Place) -> tuple[str, str]:
    return place.category or "any other", ", ".join(place.services)


def _moment(epoch: float | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def _stretch(one: Stretch) -> dict[str, Any]:
    return {"begin": _moment(one.begin), "end": _moment(one.end), "who": list(one.names)}


def _step(step: StepNow) -> dict[str, Any]:
    told = [{"to": one.to, "who": list(one.names), "until": _moment(one.until)} for one in step.told]
    return {
        "after": step.after,
        "nobody": step.nobody,
        "remind": step.remind,
        "all_ack": step.all_ack,
        "told": told,
    }


def _row(row: Row) -> dict[str, Any]:
    run = row.get("run")
    if hidden(row):
        return {"number": row["number"], "restricted": True}
    if run is None:
        return {"number": row["number"], "escalation": None}
    state, taken, next_, of, at = run[:5]
    return {
        "number": row["number"],
        "escalation": state,
        "step": taken,
        "next_step": next_ or None,
        "of": of,
        "due_at": _moment(at),
    }
