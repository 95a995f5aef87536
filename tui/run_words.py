"""How an incident's escalation reads: as a chip of the matrix, as a line of the pane. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Final

from register.plain import one_line
from register.pressing import hidden
from tui.columns import Eyes
from tui.format import ahead, duration
from tui.messages import Row
from tui.signs import Signs
from tui.widgets.lines import Line

_RANKS: Final = {"exhausted": 0, "triggered": 1, "suppressed": 2, "acknowledged": 3}
_LAST: Final = 9
_PENS: Final = {"exhausted": "bad", "triggered": "warn"}


def urgency(row: Row) -> tuple[int, float, int]:
    """What comes first: nobody answered, whose next step is nearest, held, acknowledged, the others."""
    run = row.get("run")
    if run is None:
        return _LAST, 0, row["n"]
    at = run[4]
    return _RANKS.get(run[0], _LAST), float("inf") if at is None else at, row["n"]


def pen_of(row: Row) -> str:
    """Return the pen of its chip; its words say the same."""
    run = row.get("run")
    return "dim" if run is None or hidden(row) else _PENS.get(run[0], "")


def chip(row: Row, eyes: Eyes, zone: tzinfo | None) -> str:
    """Return `INC-1042 2/4 ▸ 3/4 in 7m`, `INC-7 ‼ exhausted`, `INC-8 held until 14:00`."""
    number = one_line(row["number"])
    if hidden(row):
        return f"{number} restricted"
    run = row.get("run")
    if run is None:
        return f"{number} {row['state'].lower()}" if row["hold"] else number
    mute = f" {eyes.signs.mute}" if "mute" in row else ""
    return f"{number}{mute} {_STANDS.get(run[0], _as_it_says)(run, eyes, zone)}"


def _triggered(run: list[Any], eyes: Eyes, zone: tzinfo | None) -> str:
    _, taken, next_, of, at = run[:5]
    before = f"{taken}/{of}" if taken else ""
    if not next_ or at is None:
        return before or f"0/{of}"
    after = "again" if next_ == taken else f"{eyes.signs.pick} {next_}/{of}"
    return f"{before} {after} {in_time(at, eyes.now)}".strip()


def _held(run: list[Any], eyes: Eyes, zone: tzinfo | None) -> str:
    return "held" + ("" if run[4] is None else f" until {ahead(run[4], eyes.now, zone)}")


def _as_it_says(run: list[Any], eyes: Eyes, zone: tzinfo | None) -> str:
    return one_line(str(run[0]))


_STANDS: Final[Mapping[str, Callable[[list[Any], Eyes, tzinfo | None], str]]] = {
    "triggered": _triggered,
    "suppressed": _held,
    "acknowledged": lambda run, eyes, zone: "acked",
    "exhausted": lambda run, eyes, zone: f"{eyes.signs.alarm} exhausted",
}


def in_time(at: float, now: float) -> str:
    """Return `in 7m`, `in <1m`, or `now` where its time has come."""
    if at <= now:
        return "now"
    return f"in {duration(at - now)}" if at - now >= 60 else "in <1m"


def pane_line(row: Row, incident: Any, eyes: Eyes, zone: tzinfo | None) -> Line:
    """Return `step 2/4, next: infra lead at 02:13`; who is next, once the incident has been read.

    incident: a register.incident.Incident, or None.
    """
    run = row["run"]
    state, taken, next_, of, at = run[:5]
    when = "" if at is None else ahead(at, eyes.now, zone)
    step = f"step {taken}/{of}" if taken else "no step yet"
    if state == "acknowledged":
        told = f"{step}, acknowledged" + (f", asks again at {when}" if when else "")
    elif state == "suppressed":
        told = f"{step}, held" + (f" until {when}" if when else "")
    elif state == "exhausted":
        told = f"{eyes.signs.alarm} every step taken, nobody answered"
    elif next_ and when:
        who = _next_of(incident, next_, eyes)
        told = f"{step}, next{f': {who}' if who else ' step'} at {when}"
    else:
        told = step
    return ((f" {told}", _PENS.get(state, "")),)


def _next_of(incident: Any, next_: int, eyes: Eyes) -> str:
    run = None if incident is None else incident.run
    if run is None or next_ > len(run.plan.steps):
        return ""
    return ", ".join(target_words(to, run.plan.team, eyes.people) for to in run.plan.steps[next_ - 1].targets)


def target_words(to: str, team: str, people: Mapping[str, str]) -> str:
    """Return a target of a step in words: `infra on call`, `infra lead`, `all of infra`, `acme (supplier)`.

    team: who owns it. people: names by what stands behind `person:`.
    """
    kind, _, name = to.partition(":")
    form = _TARGETS.get(kind, "{}")
    return one_line(form.format(people.get(name, name) if kind == "person" else name or team))


_TARGETS: Final = {
    "oncall": "{} on call",
    "rota": "{} on call",
    "team": "all of {}",
    "lead": "{} lead",
    "supplier": "{} (supplier)",
}


def nobody(signs: Signs) -> str:
    """Return the words for a step that would tell no one."""
    return f"{signs.alarm} nobody"
