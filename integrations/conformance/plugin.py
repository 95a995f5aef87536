"""The pytest plugin: tells each connector's level at the end, and puts outcomes on record when asked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from integrations import levels

pytest.register_assert_rewrite(
    *(
        f"integrations.conformance.{name}"
        for name in ("stage", "tickets", "doubts", "messages", "hearing", "waits")
    )
)
_FOUND: Final = pytest.StashKey[dict[str, dict[str, tuple[str, str]]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "conformance of connectors")
    group.addoption(
        "--conformance-record",
        action="store_true",
        help="write what the connectors' suites find into the record that levels are computed from",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FOUND] = {}
    config.pluginmanager.register(_Gathering(config.stash[_FOUND]), "conformance-gathering")


class _Gathering:
    """Hears of every test, in whichever process it ran."""

    def __init__(self, found: dict[str, dict[str, tuple[str, str]]]) -> None:
        self._found = found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        for name, told in report.user_properties:
            if name == "conformance" and isinstance(told, list | tuple):
                kind, rule, level, outcome = map(str, told)
                self._found.setdefault(kind, {})[rule] = (level, outcome)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    found = config.stash[_FOUND]
    if not found:
        return
    terminalreporter.section("conformance")
    for kind, rules in sorted(found.items()):
        terminalreporter.write_line(_line(kind, rules))
    if config.getoption("conformance_record"):
        levels.put_on_record(found)
        terminalreporter.write_line(f"put on record in {levels.RECORD}")


def _line(kind: str, rules: Mapping[str, tuple[str, str]]) -> str:
    lacks = [name for name, (_, outcome) in rules.items() if not levels.is_kept(outcome)]
    said = f"{kind}: {levels.computed(rules)} by the {len(rules)} rules that ran"
    return f"{said}; not kept: {', '.join(lacks)}" if lacks else said
