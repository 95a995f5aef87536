"""The two lines at the top: who, which register, how fresh, may I write; and the figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from register.plain import clip, one_line
from tui.format import clock, day_and_wall, duration, wall
from tui.messages import Freshness, Reach
from tui.model import Model
from tui.signs import plain
from tui.widgets.lines import Line

NOTHING_SENT = "‼ NOTHING IS BEING SENT: start muster serve"
MODES = (("board", "1 Board"), ("matrix", "2 Matrix"), ("vendors", "3 Vendors"), ("outbox", "4 Outbox"))


def header(model: Model, mode: str, width: int, now: float) -> Line:
    """Return the context line; what matters least gives way first when it is narrow."""
    fresh, signs = model.freshness, model.signs
    who = " · ".join(part for part in (one_line(model.session.login), model.role) if part)
    name = one_line(model.register_name)
    state = _state(fresh, now, model)
    alarm = plain(NOTHING_SENT if fresh.sending is False else fresh.alarm, signs)
    modes = " ".join(title for _, title in MODES)
    title = next(text.split(" ")[1] for key, text in MODES if key == mode)
    variants: Sequence[tuple[str, ...]] = (
        (f"MUSTER  {modes}  ", who, name, alarm, state),
        (f"MUSTER {title} ", who, name, alarm, state),
        (title, who, clip(name, 16), alarm, state),
        (clip(one_line(model.session.login), 12), clip(name, 10), alarm, state),
        (clip(who, 16), clip(name, 10), alarm.partition(":")[0], state),
    )
    for parts in variants:
        texts = [plain(part, signs) for part in parts if part]
        if sum(cell_len(text) + 2 for text in texts) < width:
            break
    bad = ("STALE",)
    pieces: list[tuple[str, str]] = [(" ", "bar")]
    for text in texts:
        pen = "bar-bad" if text and (text in alarm or bad[0] in text) else "bar"
        pieces += [(text, pen), ("  ", "bar")]
    return _pushed_right(pieces, width)


def _pushed_right(pieces: list[tuple[str, str]], width: int) -> Line:
    """Return the pieces with the last one at the right edge."""
    *left, last, _ = pieces
    used = sum(cell_len(text) for text, _ in left) + cell_len(last[0]) + 1
    return (*left, (" " * max(0, width - used), "bar"), last, (" ", "bar"))


def _state(fresh: Freshness, now: float, model: Model) -> str:
    if fresh.reach is Reach.LIVE:
        return f"{model.signs.live} live {wall(now, model.zone)}"
    if model.as_of is not None and fresh.reach is not Reach.STALE:
        doing = "reading the past" if fresh.reach is Reach.OPENING else "read only"
        return f"AS OF {day_and_wall(model.as_of, model.zone)}, {doing}"
    if fresh.reach is Reach.OPENING:
        as_of = f", as of {clock(fresh.since, now, model.zone)}" if fresh.since else ""
        return f"{model.signs.stale} opening{as_of}"
    if not fresh.since:
        return f"{model.signs.stale} STALE, never heard"
    age = duration(now - fresh.since)
    return f"{model.signs.stale} STALE {wall(fresh.since, model.zone)}, {age}"


def counts(model: Model, width: int, new_above: int, shown: int) -> Line:
    """Return the figures, in short where it is narrow, with what is filtered and what is out of sight."""
    sums, signs = model.counts, model.signs
    wide = width >= 100
    gap, dot = ("   ", f" {signs.dot} ") if wide else (" ", " ")
    others = dot.join(f"P{p} {sums[f'p{p}']}" for p in (2, 3))
    pieces: list[tuple[str, str]] = [
        (f" P1 {sums['p1']}", "bad" if sums["p1"] else ""),
        (f"{dot}{others}{'    ' if wide else '  '}", ""),
    ]
    for key, label in (("mine", "mine"), ("unassigned", "unassigned"), ("overdue", "overdue")):
        pieces.append((f"{label} {sums[key]}{gap}", _pen(key, sums[key])))
    pieces.append((f"our turn {sums['our_turn']}{gap}", "warn" if sums["our_turn"] else ""))
    if wide:
        pieces.append((f"with suppliers {sums['suppliers']}{gap}", ""))
    if sums["needs_you"]:
        verb = "needs" if sums["needs_you"] == 1 else "need"
        text = (
            f"{sums['needs_you']} {verb} you {signs.alarm}" if wide else f"{signs.alarm}{sums['needs_you']}"
        )
        pieces.append((f"{text}{gap}", "bad"))
    if sums["quiet"]:
        pieces.append((f"{signs.mute} {'silenced ' if wide else ''}{sums['quiet']}{gap}", "warn"))
    if new_above:
        pieces.append((f"{new_above} new above" + (" (g)" if wide else ""), "warn"))
        pieces.append((gap, ""))
    if model.sieve:
        pieces.append((f"/{one_line(model.sieve.good)}  {shown} of {len(sums)}", "strong"))
    return tuple(pieces)


def _pen(key: str, value: int) -> str:
    if not value:
        return ""
    return {"overdue": "bad", "unassigned": "warn"}.get(key, "")
