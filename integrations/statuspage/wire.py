"""Statuspage's JSON as we read it: fields bear Statuspage's names."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, RootModel

from integrations.zones import TheirTime


class Page(BaseModel):
    id: str
    name: str = ""


class Pages(RootModel[tuple[Page, ...]]):
    pass


class Component(BaseModel):
    id: str


class PageIncident(BaseModel):
    """An incident on the page. metadata: ours under `muster`, which nobody sees on the page."""

    id: str
    name: str
    status: str
    impact: str | None = None
    impact_override: str | None = None
    created_at: TheirTime
    updated_at: TheirTime
    shortlink: str | None = None
    metadata: dict[str, Any] | None = None
    components: tuple[Component, ...] | None = None

    @property
    def ours(self) -> dict[str, Any]:
        """What we noted on it; empty where it is none of ours, or somebody spoilt it."""
        told = (self.metadata or {}).get("muster")
        return dict(told) if isinstance(told, dict) else {}

    @property
    def said(self) -> tuple[str, ...]:
        """The operation ids of what we wrote on it."""
        told = self.ours.get("said")
        return tuple(map(str, told)) if isinstance(told, list) else ()


class PageIncidents(RootModel[tuple[PageIncident, ...]]):
    pass
