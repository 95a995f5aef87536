"""What a person is told when an alert came in, and when an incident ends whose alert still fires."""

from __future__ import annotations

from register.core import World, remarks
from register.incident import Alert, Incident, Severity, State
from register.length import told
from register.plain import one_line
from register.topics.alerts import Status, TakeAlert, known_alert
from register.topics.resolution import Cancel, Close, Resolve

_WORST_FIRST = tuple(Severity)


@remarks.register
def _(command: TakeAlert, world: World, after: Incident | None) -> tuple[str, ...]:
    known = known_alert(world)
    if world.alert.counted:
        return ("This very message was taken in before: nothing was written.",)
    if command.status is Status.OK:
        return (_of_ok(command, known),)
    if after is None or after.alert is None:
        return ()
    if known is None or known[0].number != after.number:
        return _of_new(after, after.alert, world)
    return _of_known(command, *known, after, world)


def _of_ok(command: TakeAlert, known: tuple[Incident, Alert] | None) -> str:
    if known is None:
        key, service = one_line(command.key), one_line(command.service)
        return f"No alert {key} of {service} is known here: nothing was opened and nothing written."
    found, alert = known
    if not alert.firing:
        return f"The alert of {found.number} was over already: nothing has changed."
    if not found.is_open:
        return f"The alert is over, too. {found.number} stays {found.state.lower()}."
    return f"The alert is over. {found.number} stays open until somebody resolves it."


def _of_new(after: Incident, alert: Alert, world: World) -> tuple[str, ...]:
    said = []
    if alert.recurrence_of is not None:
        said.append(f"The alert is back: {alert.recurrence_of} had it before. This is a new incident.")
    if world.alert.beside is not None:
        firing = world.alert.firing + 1
        said.append(
            f"It is related to {world.alert.beside}: {firing} such alerts fire within the correlation window."
        )
    return tuple(said)


def _of_known(
    command: TakeAlert, found: Incident, alert: Alert, after: Incident, world: World
) -> tuple[str, ...]:
    if found.state is State.RESOLVED:
        return (f"{found.number} was resolved a short while ago and is open again.",)
    count = world.alert.count + 1
    said = [f"{found.number} is open for this alert already: it was said {count} times by now."]
    if _WORST_FIRST.index(command.severity) < _WORST_FIRST.index(alert.severity):
        said.append(
            f"It is {command.severity} now, no longer {alert.severity}. The priority stays {after.priority}:"
            " look whether that is still right."
        )
    return tuple(said)


def _still(after: Incident | None, then: str) -> tuple[str, ...]:
    if after is None or after.alert is None or not after.firing:
        return ()
    source = one_line(after.alert.source)
    return (f"The alert still fires: {source} has not said that it is over. {then}",)


@remarks.register
def _(command: Resolve, world: World, after: Incident | None) -> tuple[str, ...]:
    window = told(world.policy.matrix.flap_window)
    return _still(
        after,
        f"{command.target} stays marked so and nobody is told anew; if it is said again within {window},"
        f" {command.target} opens again, later it is a new incident.",
    )


@remarks.register
def _(command: Close, world: World, after: Incident | None) -> tuple[str, ...]:
    return _still(after, "When it is said again, that is a new incident.")


@remarks.register
def _(command: Cancel, world: World, after: Incident | None) -> tuple[str, ...]:
    return _still(after, "When it is said again, that is a new incident.")
