"""Who is on call at an instant: the rotas of matrix.toml, and what people arranged beside them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from register.duty import NO_DUTY, Duty, Shift
from register.policy import DEFAULT_MATRIX, Matrix


@dataclass(frozen=True, slots=True)
class Roster:
    """Three plain values, and what follows from them. ids: of the people's side table, by key of [people].

    Who is in no side table (a uid without a login here) is on no roster: nothing could be sent to them.
    """

    matrix: Matrix = DEFAULT_MATRIX
    duty: Duty = NO_DUTY
    ids: Mapping[str, str] = field(default_factory=dict)

    def on_call(self, rota: str, at: datetime) -> tuple[str, ...]:
        """The ids of who is on call by this rota, first the one to ask first. Empty: nobody."""
        return ()

    def shifts(self, rota: str, begin: datetime, end: datetime) -> tuple[Shift, ...]:
        """Who is on call from when until when, in order; where nobody is, there is a gap between them."""
        return ()


NOBODY: Final = Roster()
