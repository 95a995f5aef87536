"""export, as typed: what is in it, what is never in it, and what is put on record."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from register.store import open_store
from tests.register.saying import ANA, VIC
from tests.tui.cli_help import Cli
from tui.cli.export_forms import cell, escaped

NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "|calc",
    "%0A=1",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =cmd|' /C calc'!A0",
    "\u00a0=1",
    "\u200b=1",
    "\u3000=1",
    "\x00=1",
    "\ufeff=1",
    '"=1',
    "'=1",
    " \"' =1",
    "＝1",
    "－1",
    "＠a",
]
HOSTILE = [
    "a | b || c",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.invalid)",
    "![x](https://evil.invalid/x.png)",
    "https://evil.invalid/ www.evil.invalid ana@evil.invalid mailto:a@evil.invalid evil.com",
    "<https://evil.invalid>",
    "# heading",
    "`code` \\| \\<b>",
    "[x]: https://evil.invalid",
    "&lt;b&gt; &#60;b&#62;",
    "one\n\n---\n\n| two |\n<b>",
]


@pytest.fixture
def either(cli: Cli, new_register: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A command line on each database."""
    monkeypatch.setenv("MUSTER_REGISTER", new_register())
    return cli


def on_record(event: str = "exported") -> list[Any]:
    store = open_store(os.environ["MUSTER_REGISTER"])
    try:
        return [one.event for one in store.timeline("register") if one.kind == event]
    finally:
        store.close()


def rendered(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"html": True, "linkify": True}).render(text))


@pytest.mark.parametrize("text", NASTY)
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text).startswith("'")


def test_a_formula_behind_another_separator_is_defused() -> None:
    assert cell("a;=1") == "a;'=1"
    assert cell('a; "=1') == "a; \"'=1"


@pytest.mark.parametrize("text", ["Mail is late", "a=b", "3-1", "", "it's", "a; b", "Größe 1"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_nothing_but_text_in_markdown(text: str) -> None:
    html = rendered(f"| | |\n|---|---|\n| title | {escaped(text)} |\n\n- who: {escaped(text)}\n")
    assert html.count("<td") == 2
    assert [mark for mark in ("<a", "<img", "<script", "<b>", "<h1", "<code", "<hr") if mark in html] == []


def test_json_lines_have_fields_timeline_and_logins(either: Cli, tmp_path: Path) -> None:
    either.json("log", "Mail is late", "--description", "since nine")
    either.json("take", "1")
    either.json("alert", "web", "disk", "--source", "zabbix")
    to = tmp_path / "e.jsonl"
    assert either.json("export", "--to", str(to))["incidents"] == 2
    head, first, second = map(json.loads, to.read_text("utf-8").splitlines())
    assert (head["muster"], head["version"], head["incidents"]) == ("export", 1, 2)
    assert (first["number"], first["title"]) == ("INC-1", "Mail is late")
    assert first["logins"]["owner"] == first["timeline"][0]["login"] is not None
    assert first["timeline"][0]["data"]["description"] == "since nine"
    assert first["timeline"][0]["kind"] == "created"
    assert second["alert"]["source"] == "zabbix"
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert [(one.format, one.count, one.filter) for one in on_record()] == [("jsonl", 2, "")]
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []
    assert either("verify").code == 0


def test_csv_has_a_row_an_incident(either: Cli) -> None:
    either.json("log", '=HYPERLINK("x")\n, 1')
    either.json("log", "Printer is out")
    either.json("cancel", "2", "--reason", "a test")
    ran = either("export", "--format", "csv", "--all")
    heading, first, second = csv.reader(io.StringIO(ran.out))
    assert first[heading.index("title")] == '\'=HYPERLINK("x") , 1'
    assert second[heading.index("state")] == "Canceled"
    assert len(list(csv.reader(io.StringIO(either("export", "--format", "csv").out)))) == 2


def test_a_report_shows_texts_as_they_stand(either: Cli) -> None:
    for text in HOSTILE:
        either.json("log", text, "--description", text)
    html = rendered(either("export", "--format", "md").out)
    assert html.count("<h2>") == html.count("<table>") == len(HOSTILE)
    assert [mark for mark in ("<a", "<img", "<script", "<b>", "<code", "<hr") if mark in html] == []


def test_a_filter_says_which_and_is_on_record(either: Cli) -> None:
    either.json("log", "Mail is late")
    either.json("log", "Printer is out")
    out = either("export", "printer").out.splitlines()
    assert [json.loads(line)["number"] for line in out[1:]] == ["INC-2"]
    assert on_record()[0].filter == "printer"
    assert either("export", "p<<2").code == 2
    assert len(on_record()) == 1


def test_more_than_one_batch_comes_in_order(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.exporting._AT_ONCE", 2)
    for n in range(5):
        cli.json("log", f"Number {n}")
    out = cli("export").out.splitlines()
    assert [json.loads(line)["number"] for line in out[1:]] == [f"INC-{n}" for n in range(1, 6)]


def test_what_one_may_not_see_is_not_exported(either: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    either.json("log", "Mail is late")
    either.json("log", "Salaries leaked", "--restricted")
    assert "Salaries" in either("export").out
    monkeypatch.setattr("tui.cli.here.principal", lambda *_: ANA)
    for form in ("jsonl", "csv", "md"):
        for asked in ([], ["restricted"], ["number:2"]):
            ran = either("export", *asked, "--format", form)
            assert ran.code in (0, 2)
            assert "Salaries" not in ran.out
            assert "INC-2" not in ran.out


def test_a_viewer_is_refused(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.json("log", "Mail is late")
    monkeypatch.setattr("tui.cli.here.principal", lambda *_: VIC)
    ran = cli("export", "--to", str(tmp_path / "e"))
    assert (ran.code, ran.out) == (3, "")
    assert "responder" in ran.err
    assert not (tmp_path / "e").exists()
    assert on_record() == []


def test_nothing_is_overwritten_without_force(cli: Cli, tmp_path: Path) -> None:
    cli.json("log", "Mail is late")
    to = tmp_path / "e"
    to.write_text("mine")
    ran = cli("export", "--to", str(to))
    assert ran.code == 3
    assert "--force" in ran.err
    assert to.read_text() == "mine"
    assert on_record() == []
    assert cli("export", "--to", str(to), "--force").code == 0
    assert "Mail is late" in to.read_text()
    assert cli("export", "--to", str(cli.home / "r.db"), "--force").code == 3
    assert cli("export", "--to", str(tmp_path)).code == 3
    assert cli("export", "--to", str(tmp_path / "no" / "e")).code == 4
    assert cli("list").code == 0


def test_nothing_is_handed_over_that_could_not_be_put_on_record(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from register.core import Refused

    def no(*_: Any) -> None:
        raise Refused("no")

    cli.json("log", "Mail is late")
    monkeypatch.setattr("register.desk.ServiceDesk.do", no)
    ran = cli("export")
    assert (ran.code, ran.out) == (3, "")
    assert cli("export", "--to", str(tmp_path / "e")).code == 3
    assert [one for one in tmp_path.iterdir() if one.name.startswith(("e", ".e"))] == []


def test_json_needs_a_file(cli: Cli) -> None:
    assert cli("export", "--json").code == 2
    assert on_record() == []


def test_an_address_becomes_no_link_where_escapes_do_not_help() -> None:
    assert "ana@evil" not in escaped("ana@evil.com")
    assert "www" not in escaped("www.evil.com")


@pytest.mark.kills
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_behind_standard_output_is_told(cli: Cli) -> None:
    cli.json("log", "Mail is late")
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "tui.main", "export"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ran.returncode == 2
    assert b"took only a part" in ran.stderr


def test_a_name_in_a_filter_goes_when_somebody_is_erased(cli: Cli) -> None:
    cli.json("log", "Mail is late", "--caller", "Theodora Sample")
    assert cli("export", '"Theodora Sample"').code == 0
    assert "Theodora" in on_record()[0].filter
    assert cli("erase", "Theodora Sample", "--reason", "asked for by letter").code == 0
    left = on_record()[0]
    assert (left.format, left.filter) == ("jsonl", "")
    assert cli("verify").code == 0
