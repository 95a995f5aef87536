"""The command line: reads what is asked, does it, tells it; mistakes are sentences, outcomes exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tui.cli.trouble import INTERRUPTED, PIPE_CLOSED, OutputLost, told
from tui.streams import LOST, forget, why_lost


def run(argv: Sequence[str]) -> int:
    """Carry out one command line; return its exit code. Never raises."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return _answered(argv)
    except BrokenPipeError:
        forget()  # whoever read us has gone
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        why = why_lost(error) if isinstance(error, OSError) else None
        return told(error if why is None else OutputLost(LOST.format(why=why)), as_json=asks_json(argv))


def asks_json(argv: Sequence[str]) -> bool:
    """Whether JSON is wanted, also of a command line that cannot be read."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in options


def _answered(argv: Sequence[str]) -> int:
    from tui.cli.answer import Answer, put
    from tui.cli.app import command

    answer = command().main(list(argv), prog_name="muster", standalone_mode=False)
    code = put(answer) if isinstance(answer, Answer) else int(answer or 0)
    sys.stdout.flush()
    return code
