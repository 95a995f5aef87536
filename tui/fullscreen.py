"""Opening the full-screen board quickly: the copy on disk first, the register after the first paint."""

from __future__ import annotations

import gc
import os
import sys

from register.live import Live
from tui.session import Session
from tui.signs import signs_for

THEME = "ansi-dark"
"""The terminal's own sixteen colours: few bytes, the reader's contrast; under NO_COLOR none at all."""


def run_board(session: Session, as_of: float | None = None) -> int:
    """Run the board until the person leaves it; return the exit code. as_of: a past moment, epoch s."""
    gc.disable()  # the app enables it again once the first screen stands
    os.environ.setdefault("TEXTUAL_THEME", THEME)  # textual reads it when it is imported
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]  # the convention: an empty value asks for nothing
    from tui.app import MusterApp

    signs = signs_for(sys.stderr.encoding, os.environ)
    if as_of is None:
        from tui.follow import Follower

        live = Live.open(session.live_path)
        app = MusterApp(session, live, Follower(session, live.seen_as), signs)
    else:
        from tui.past import Past

        app = MusterApp(session, Live.nowhere(), Past(session, as_of), signs, as_of)
    app.run(mouse=os.environ.get("MUSTER_MOUSE") == "1")
    return app.return_code or 0
