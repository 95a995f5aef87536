"""The entry point: looks at the arguments alone before anything heavy is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tui.streams import LOST, forget, have_some, why_lost

DUMB = (
    "This terminal says it is dumb (TERM={term}): no full-screen board can be drawn.\n"
    "Here it is as text. For the real one set TERM to what the terminal is, as in\n"
    "TERM=xterm-256color."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run muster with these arguments; return the exit code."""
    if "MUSTER_KEY_FD" in os.environ:  # first of all: what is opened later could get that number
        from integrations.master_key import take

        take(os.environ)
    have_some()
    code, failed = 1, None
    try:
        code = _main(argv)
    except OSError as error:
        failed = error
    try:
        why = why_lost(failed)
    except BrokenPipeError:
        forget()  # whoever read us has enough
        return code
    if why is not None:
        print(LOST.format(why=why), file=sys.stderr)
        return code or 1
    if failed is not None:
        raise failed
    return code


def _main(argv: Sequence[str] | None) -> int:
    args = sys.argv[1:] if argv is None else list(argv)
    if args in (["--version"], ["-V"]):
        from importlib.metadata import version

        print(f"muster {version('muster')}")
        return 0
    if args and not args[0].startswith("--as-of"):
        from tui.cli import run

        return int(run(["list", *args] if args[0] == "--json" else args))
    if "--json" in args:
        from tui.cli import run

        return int(run(["list", *args]))
    if args:
        from tui.cli.past import board_moment

        moment = board_moment(args)
        return moment if isinstance(moment, int) else board(moment)
    return board()


def board(as_of: float | None = None) -> int:
    """Open the board; as text where there is no terminal to draw on. as_of: a past moment, epoch s."""
    from tui.session import session_from

    term = os.environ.get("TERM", "")
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        from tui.text_board import print_board

        return print_board(session_from(os.environ), as_of=as_of)
    if term in ("", "dumb"):
        from tui.text_board import print_board

        sys.stderr.write(DUMB.format(term=term or "not set") + "\n\n")
        return print_board(session_from(os.environ), as_of=as_of)
    from tui.fullscreen import run_board

    return run_board(session_from(os.environ), as_of)


if __name__ == "__main__":
    sys.exit(main())
