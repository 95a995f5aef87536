"""The suite as pytest sees it: one test for each rule, held against what is on record for the connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest

from integrations import levels
from integrations.conformance.rules import Rule, all_rules
from integrations.conformance.stage import Stage
from integrations.conformance.world import NotShown, World
from integrations.levels import Level
from integrations.systems import SYSTEMS
from integrations.vendor import info_of


class Suite:
    """Subclass it under a name that begins with Test, and have a fixture `world` that gives a `World`.

    exempt: rules that need not be kept, each with the reason, which is on record beside them.
    target: the level that it is meant to have; rules of a higher one are not asked.
    apart: its kind is on record by another suite; here every rule must be kept, and nothing is put on record.
    """

    exempt: ClassVar[Mapping[str, str]] = {}
    target: ClassVar[Level] = Level.GOLD
    apart: ClassVar[bool] = False

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError("give the suite a fixture `world`: see docs/conformance.md")

    @pytest.mark.asyncio
    @pytest.mark.parametrize("rule", all_rules(), ids=str)
    async def test_conforms(
        self,
        rule: Rule,
        world: World,
        record_property: Callable[[str, object], None],
        request: pytest.FixtureRequest,
    ) -> None:
        if rule.level.rank > self.target.rank:
            pytest.skip(f"of a higher level than {self.target}")
        kind = info_of(world.system, world.config).kind
        recording = bool(request.config.getoption("conformance_record", default=False))
        compared = kind in SYSTEMS and not recording and not self.apart
        on_record = levels.on_record(kind).get(rule.name) if compared else None
        outcome, failure = await self._tried(rule, world)
        if not self.apart:
            record_property("conformance", [kind, rule.name, str(rule.level), outcome])
        elif failure is None and outcome == levels.NOT_SHOWN:
            pytest.fail("its world does not play it, and says nowhere why")
        if failure is not None and (
            (recording and not self.apart) or (on_record and on_record[1] == outcome)
        ):
            pytest.xfail(f"{rule.says}: {failure}")
        if failure is not None:
            raise failure
        if on_record is not None and on_record != (str(rule.level), outcome):
            pytest.fail(
                f"on record: {on_record}, and it is {(str(rule.level), outcome)}: put it on record anew"
                " (pytest --conformance-record)"
            )
        if outcome != levels.PASSED:
            pytest.skip(outcome)

    async def _tried(self, rule: Rule, world: World) -> tuple[str, BaseException | None]:
        """What came of a rule, in the words of the record; and the failure, where there is one."""
        if rule.needs not in info_of(world.system, world.config).caps:
            return levels.NOT_OFFERED, None
        if rule.name in self.exempt:
            return f"{levels.EXEMPT}: {self.exempt[rule.name]}", None
        stage = Stage(world)
        try:
            await rule.run(stage)
        except NotShown:
            return levels.NOT_SHOWN, None
        except Exception as failure:  # whatever it is, the rule is not kept
            return levels.FAILED, failure
        finally:
            await stage.close()
        return levels.PASSED, None
