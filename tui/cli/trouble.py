"""What went wrong, as an exit code and a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from register.plain import clean, clip
from tui.width import fitted

if TYPE_CHECKING:
    from pydantic import ValidationError

DONE: Final = 0
FOUND_FAULTS: Final = 1
"""A check ended and found something wrong; or Muster itself failed."""
WRONG_USE: Final = 2
NOT_FOUND: Final = 4
SUPPLIER: Final = 6
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

CODES: Final[Mapping[str, int]] = {
    "tui.cli.trouble.WrongUse": WRONG_USE,
    "integrations.trying.Misused": WRONG_USE,
    "pydantic_core._pydantic_core.ValidationError": WRONG_USE,
    "register.toml_file.FileMissing": NOT_FOUND,
    "register.toml_file.FileFaults": WRONG_USE,
    "register.core.NotFound": NOT_FOUND,
    "register.core.Refused": 3,
    "register.store.engine.RegisterUnavailable": 5,
    "integrations.errors.Failure": SUPPLIER,
    "integrations.practice.server.PortTaken": SUPPLIER,
    "typer.exceptions.Abort": INTERRUPTED,
    "click.exceptions.Abort": INTERRUPTED,
}
"""By the name of the exception's type or the nearest one above it, so that nothing is imported to ask."""

_BROKEN_OFF: Final = "Broken off at a question: nothing was done."
_LONGEST: Final = 2_000
_MOST_LOG: Final = 1_000_000
_SAID: Final[Mapping[str, str]] = {
    "missing": "is needed",
    "string_type": "must be text",
    "extra_forbidden": "is not known here",
    "string_unicode": "is not readable text: write it in UTF-8",
    "timezone_aware": "needs a time zone",
    "int_parsing": "must be a whole number",
}


class OutputLost(Exception):
    """What we had to say could not be written."""


class WrongUse(Exception):
    """The command line asks for something that does not exist or cannot be read."""

    def __init__(self, sentence: str, ask: str = "") -> None:
        super().__init__(sentence)
        self.ask = ask


def told(error: BaseException, *, as_json: bool) -> int:
    """Say on stderr what happened; return the exit code."""
    code = code_of(error)
    message = clip(clean(sentence_of(error, code)), _LONGEST)
    if as_json:
        ask = clean(str(getattr(error, "ask", "") or _field(error))).strip("_")
        about = {"error": {"code": code, "message": message, "ask": ask}}
        print(json.dumps(about, ensure_ascii=True), file=sys.stderr)
    else:
        begun = code == INTERRUPTED and sys.stderr.isatty()  # the question's own line
        print(*[""] * begun, *fitted([message], sys.stderr), sep="\n", file=sys.stderr)
    return code


def code_of(error: BaseException) -> int:
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    known = next((CODES[name] for name in names if name in CODES), None)
    if known is None and any(name.endswith(".ClickException") for name in names):
        return WRONG_USE
    return FOUND_FAULTS if known is None else known


def sentence_of(error: BaseException, code: int) -> str:
    kind = type(error).__name__
    if kind == "ValidationError" and hasattr(error, "errors"):
        return in_words(error)  # type: ignore[arg-type]
    if hasattr(error, "format_message"):
        return _usage(error)
    if code == INTERRUPTED:
        return _BROKEN_OFF
    if code == FOUND_FAULTS and not isinstance(error, OutputLost):
        return _unknown(error)
    return str(error)


def in_words(error: ValidationError) -> str:
    """Return what pydantic found as sentences: each names its field and what to do."""
    sentences = []
    for found in error.errors(include_url=False, include_input=False):
        place = str(found["loc"][0]) if found["loc"] else "the command"
        sentence = f"{place.strip('_').replace('_', ' ')} {why(found)}".rstrip(".")
        sentences.append(f"{sentence[:1].upper()}{sentence[1:]}.")
    return " ".join(dict.fromkeys(sentences))


def why(found: Mapping[str, Any]) -> str:
    """Return one error of pydantic's as words that go on from what it is about."""
    context = found.get("ctx", {})
    if found["type"] == "value_error":
        return str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "string_too_short":
        return "is empty: write at least a word"
    if found["type"] == "string_too_long":
        return f"is too long: {context.get('max_length')} characters at most"
    if found["type"] == "string_pattern_mismatch":
        return f"is not written right: it must look like {context.get('pattern')}"
    if found["type"] in ("too_short", "too_long"):
        least = found["type"] == "too_short"
        many = context.get("min_length" if least else "max_length")
        return "is empty: write at least a word" if least else f"is too long: {many} at most"
    if found["type"] == "greater_than_equal":
        return f"must be {context.get('ge')} or more"
    said = str(found["msg"])
    return _SAID.get(found["type"], f"is not accepted: {said[:1].lower()}{said[1:]}")


def _field(error: BaseException) -> str:
    if type(error).__name__ == "ValidationError" and hasattr(error, "errors"):
        first = error.errors(include_url=False, include_input=False)[0]
        return str(first["loc"][0]) if first["loc"] else ""
    return str(getattr(getattr(error, "param", None), "name", "") or "")


def _usage(error: Any) -> str:
    """Return what is wrong with a command line, and where its use is shown."""
    said = clip(clean(str(error.format_message())).replace("Value error, ", "").strip(), _LONGEST - 200)
    if type(error).__name__ == "NoArgsIsHelpError":
        return said
    path = getattr(getattr(error, "ctx", None), "command_path", "") or "muster"
    dashed = " Text that begins with - goes behind a -- of its own." if "No such option" in said else ""
    stop = "" if said.endswith((".", "?", ")")) else "."
    return f"{said}{stop}{dashed} Nothing was done; `{path} --help` shows the use."


def _unknown(error: BaseException) -> str:
    where = _logged(error)
    kind = type(error).__name__
    kept = f"What it was is in {where}." if where else "It could not be written to a log."
    return f"Muster itself failed at this ({kind}). Look at what was done before you repeat it. {kept}"


def _logged(error: BaseException) -> Path | None:
    """Write the traceback, without any values, to this person's own log; return where."""
    import os
    import traceback
    from datetime import UTC, datetime

    trace = "".join(traceback.format_tb(error.__traceback__))
    text = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {type(error).__name__}: {clean(str(error))}\n{trace}\n"
    try:
        import platformdirs

        path = Path(platformdirs.user_state_dir("muster")) / "muster.log"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        too_long = path.exists() and path.stat().st_size > _MOST_LOG
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if too_long else os.O_APPEND)
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as log:
            log.write(text)
    except (OSError, ImportError):
        return None
    return path
