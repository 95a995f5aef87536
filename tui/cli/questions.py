"""Questions on a terminal: each answer is checked when it is given, and asked for again with the reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError

from register.core import joined
from tui.cli.trouble import WrongUse, why
from tui.width import fitted

Check = Callable[[str], str]
"""Why an answer cannot be, as a sentence; empty where it can."""
NONE: Final = "-"
"""The answer that leaves something out."""


def asks() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty()


def asked(flag: str, given: str, question: str, default: str = "", check: Check = lambda _: "") -> str:
    """What was given for a flag, or is answered.

    WrongUse where what was given cannot be, or where nothing was and nobody is asked.
    """
    about = flag.partition(" ")[0]
    if not given and not asks():
        if not default:
            raise WrongUse(f"Say --{flag} as well, or run it on a terminal: there it asks.", about)
        given = default
    if given:
        if fault := check(given):
            raise WrongUse(f"--{flag}: {fault} Nothing was written.", about)
        return given
    shown = [f"{question} [{default}]:" if default else f"{question}:"]
    while True:
        typed = typer.prompt(
            "\n".join(fitted(shown, sys.stderr)), default, prompt_suffix=" ", show_default=False, err=True
        )
        answer = str(typed).strip()
        fault = check(answer) if answer else "It is needed."
        if not fault:
            return answer
        say(fault)


def say(text: str) -> None:
    """Tell it where the questions are."""
    typer.echo("\n".join(fitted([text], sys.stderr)), err=True)


def among(known: Sequence[str]) -> Check:
    """One of these."""
    return lambda answer: "" if answer in known else f"Take {joined(known)}."


def of_field(
    model: type[BaseModel], key: str, *, or_none: bool = False, read: Callable[[str], Any] = str
) -> Check:
    """What a key of a model takes. or_none: or that it is left out. read: makes a value of an answer."""
    adapter: TypeAdapter[Any] = TypeAdapter(model.model_fields[key].rebuild_annotation())

    def check(answer: str) -> str:
        if or_none and answer == NONE:
            return ""
        try:
            adapter.validate_python(read(answer))
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[0]
            return f"It {why(found)}".rstrip(".") + "."
        return ""

    return check
