"""Rotas as matrix.toml writes them: `[rotas.NAME]`, who is on call when."""

from __future__ import annotations

from pydantic import BaseModel


class Rota(BaseModel, frozen=True, extra="forbid"):
    """`[rotas.NAME]`: who is on call."""
