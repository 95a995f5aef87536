"""`muster rebuild`: what is derived from events, made again."""

from __future__ import annotations

from register.core import Refused, Role
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.progress import bar

MOST_TOLD = 10


def rebuild() -> Answer:
    """Make every row, clock and index again from the events: after a fault that `verify` has named."""
    from register.rebuild import rebuild as rebuilt

    with here() as at:
        if at.who.role < Role.ADMIN:
            raise Refused(
                f"This takes the role admin; you are {at.who.role.word}. Nothing was done. Ask an admin."
            )
        with bar("Rebuilding") as progress:
            done = rebuilt(at.store, progress)
    data = {"incidents": done.incidents, "mended": done.mended, "unproved": done.unproved}
    lines = [f"{done.incidents:,} incidents folded again; {len(done.mended):,} rows said something else."]
    if done.mended:
        more = len(done.mended) - MOST_TOLD
        told = ", ".join(done.mended[:MOST_TOLD]) + (f" and {more:,} more" if more > 0 else "")
        lines.append(f"Mended: {told}. `muster verify` proves the whole.")
    if done.unproved:
        lines.append(
            f"{len(done.unproved):,} were left as they are: their events do not tell all of them any more."
        )
    return Answer(data, lines)
