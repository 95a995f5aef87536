"""The rule about webhooks: nobody but who has the secret makes one. Pure, so no supplier is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from integrations.conformance.rules import rule
from integrations.conformance.stage import Stage
from integrations.connector import Cap, Hooks
from integrations.levels import Level
from integrations.signing import HookRefused

_SECRET: Final = "whsec_Y29uZm9ybWFuY2Utb2YtYS1jb25uZWN0b3I="  # noqa: S105 - of no supplier
_BODY: Final = b'{"ticket":"7"}'
_GUESSES: Final = (
    "",
    " ",
    "x",
    "v1=",
    "v1,",
    "v1=" + "0" * 64,
    "v1," + "A" * 43 + "=",
    "sha256=",
    "sha256=" + "0" * 64,
    "A" * 43 + "=",
    "1614265330",
    "2021-02-25T15:02:10Z",
    "é\x00\x7f",
    "y" * 100_000,
)


class _Noting(dict[str, str]):
    """Headers that note which of them were looked for."""

    def __init__(self, told: dict[str, str] | None = None) -> None:
        super().__init__(told or {})
        self.looked_for: list[str] = []

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]  # noting asks for no more
        self.looked_for.append(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.looked_for.append(str(name))
        return super().__contains__(name)


def _refused(proof: Hooks, headers: dict[str, str], now: datetime) -> bool:
    try:
        proof.verify_and_parse(headers, _BODY, now)
    except HookRefused:
        return True
    return False


def _headers(proof: Hooks, now: datetime) -> list[str]:
    """The headers that it goes by, found by giving it those it looked for."""
    known: dict[str, str] = {}
    while True:
        noting = _Noting(known)
        assert _refused(proof, noting, now), f"took it for theirs with {known}"
        new = [name for name in noting.looked_for if name not in known]
        if not new:
            return list(known)
        known |= dict.fromkeys(new, "v1,AAAA")


def _guesses(names: list[str]) -> Iterator[dict[str, str]]:
    for guess in _GUESSES:
        yield dict.fromkeys(names, guess)
        for name in names:
            yield {**dict.fromkeys(names, "1614265330"), name: guess}


@rule(
    Level.BRONZE,
    "webhook-is-proved",
    "a webhook by whoever lacks the secret is refused, whatever it says, and no secret is shown",
    Cap.WEBHOOK,
)
async def _(at: Stage) -> None:
    now = datetime.now(UTC)
    proof = at.world.system.hooks(at.world.config, (_SECRET,))
    names = _headers(proof, now)
    assert names, "looks at no header: it cannot be proved by any"
    assert all(name == name.lower() for name in names), "names of headers come in lower case"
    for headers in _guesses(names):
        assert _refused(proof, headers, now), f"took it for theirs with {headers}"
    without = at.world.system.hooks(at.world.config, ())
    assert all(_refused(without, headers, now) for headers in _guesses(names)), "is proved by no secret"
    assert _SECRET not in repr(proof), "a secret is in its repr"
