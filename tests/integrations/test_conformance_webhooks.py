"""The rule about webhooks finds whoever would take a stranger's for theirs."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from integrations import signing
from integrations.conformance.rules import all_rules
from integrations.connector import Hint, Hooks
from integrations.proofs import ProvedBy
from integrations.signing import Fault, HookRefused

(RULE,) = [rule for rule in all_rules() if rule.name == "webhook-is-proved"]


class Credulous:
    """Each of these is a mistake that somebody makes."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = secrets

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        return Hint()


class IfUnsigned(Credulous):
    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        if headers.get("x-signature"):
            raise HookRefused(Fault.WRONG)
        return Hint()


class Breaks(Credulous):
    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        if not headers.get("x-signature", ""):
            raise HookRefused(Fault.UNSIGNED)
        if not hmac.compare_digest(
            headers.get("x-signature", ""), "right"
        ):  # TypeError for what is not ASCII
            raise HookRefused(Fault.WRONG)
        return Hint()


class WithoutASecret(Credulous):
    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        if self.secrets and headers.get("x-token", "") not in self.secrets:
            raise HookRefused(Fault.WRONG)
        return Hint()


class Shows(Credulous):
    def __repr__(self) -> str:
        return f"Shows({self.secrets})"

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        return ProvedBy(self.secrets, signing.the_secret_itself, "x-token").verify_and_parse(
            headers, raw, now
        )


async def measured(hooks: Any) -> None:
    world = SimpleNamespace(config=None, system=SimpleNamespace(hooks=lambda config, secrets: hooks(secrets)))
    await RULE.run(SimpleNamespace(world=world))  # type: ignore[arg-type]  # of a stage the rule asks no more


@pytest.mark.parametrize("hooks", [Credulous, IfUnsigned, WithoutASecret, Shows])
async def test_a_mistake_is_found(hooks: type[Credulous]) -> None:
    with pytest.raises(AssertionError):
        await measured(hooks)


async def test_one_that_breaks_over_a_strangers_words_is_found() -> None:
    with pytest.raises(TypeError):
        await measured(Breaks)


@pytest.mark.parametrize(
    "proof",
    [
        lambda secrets: ProvedBy(secrets, signing.hex_of_body, "x-hub-signature-256"),
        lambda secrets: ProvedBy(secrets, signing.any_hex_of_body, "x-pagerduty-signature"),
        lambda secrets: ProvedBy(secrets, signing.base64_of_stamped, "x-signature", "x-signature-timestamp"),
        lambda secrets: ProvedBy(secrets, signing.standard),
        lambda secrets: ProvedBy(secrets, signing.the_secret_itself, "x-gitlab-token"),
    ],
)
async def test_each_scheme_of_ours_keeps_the_rule(proof: Any) -> None:
    made: Hooks = proof(("one",))
    assert made
    await measured(proof)
