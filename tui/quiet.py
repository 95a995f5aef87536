"""What must not be overlooked: maintenance, silence, a faulty policy file, a handover. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from register.plain import one_line
from tui.detail import Detail, wrapped
from tui.format import ahead, clock, wall, zone_name
from tui.messages import Row
from tui.model import Model
from tui.widgets.lines import Line

MOST_LINES = 3
"""Lines that a fault of a policy file takes at the most."""


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance: epoch seconds. services: none named means all."""

    id: str
    services: tuple[str, ...]
    begin: float
    end: float
    why: str

    def covers(self, service: str) -> bool:
        """Whether a row's service is in it; a long name was cut for the row."""
        cut, name = service.casefold(), service.casefold().removesuffix("…")
        known = (one.casefold() for one in self.services)
        return not self.services or any(one == cut or (cut != name and one.startswith(name)) for one in known)


def windows_now(model: Model) -> list[Window]:
    """The maintenances of now, those that end first before the others."""
    there = (one for one in model.in_force.windows if model.now() < one.end)
    return sorted(there, key=lambda one: (one.end, one.id))


def notices(model: Model, width: int) -> list[Line]:
    """Return the lines between the header and the board; mostly none."""
    return [*_fault(model, width), *_handed(model, width), *_maintenance(model, width)]


def _handed(model: Model, width: int) -> list[Line]:
    """Who hands over to whoever sits here, and waits for their word."""
    if not model.handed:
        return []
    from tui.handing_words import Eye, handed_line  # mostly nobody hands over

    return handed_line(model.handed, Eye.of(model), width)


def _fault(model: Model, width: int) -> list[Line]:
    told = model.in_force
    if not told.faults:
        return []
    more = f" (and {len(told.faults) - 1} more)" if len(told.faults) > 1 else ""
    since = f" adopted {clock(told.since, model.now(), model.zone)} {zone_name(told.since, model.zone)}"
    holds = f"The policy{since if told.since else ' that is built in'} holds on."
    text = f"{model.signs.alarm} {holds} {one_line(told.faults[0])}{more}"
    return wrapped(text, width, "bad", most=MOST_LINES)


def _maintenance(model: Model, width: int) -> list[Line]:
    windows = windows_now(model)
    if not windows:
        return []
    head = f" {model.signs.mute} maintenance: "
    text = f" {model.signs.dot} ".join(_one(one, model) for one in windows)
    if cell_len(head) + cell_len(text) > width:
        parts = ("everything" if not all(one.services for one in windows) else _count(windows),)
        text = f"{parts[0]}, the first until {_until(windows[0].end, model)} (muster maintenance list)"
    return [((head + text, "warn"),)]


def _one(window: Window, model: Model) -> str:
    return f"{one_line(', '.join(window.services)) or 'everything'} until {_until(window.end, model)}"


def _count(windows: list[Window]) -> str:
    services = {name.casefold() for one in windows for name in one.services}
    return f"{len(services)} services" if len(services) > 1 else "1 service"


def _until(at: float, model: Model) -> str:
    now = model.now()
    soon = at - now < 12 * 3600
    return wall(at, model.zone) if soon else f"{ahead(at, now, model.zone)} {zone_name(at, model.zone)}"


def why_quiet(row: Row, model: Model, detail: Detail | None = None) -> list[tuple[str, str]]:
    """Until when nobody is paged for it, each reason with a pen. detail: of it; then with what people say."""
    said = []
    silence = None if detail is None or detail.incident is None else detail.incident.silence
    if "mute" in row:
        said.append((f"silenced until {_until(row['mute'], model)}", "" if silence is None else silence.why))
    for one in windows_now(model):
        if one.covers(row["service"]):
            what = one_line(row["service"]) if one.services else "everything"
            told = f"{what} in maintenance until {_until(one.end, model)}"
            said.append((told, "" if detail is None else one.why))
    signs = model.signs
    return [(f"{signs.mute} {what}{f': {one_line(why)}' if why else ''}", "warn") for what, why in said]
