"""`muster matrix show`: the Matrix screen in plain text, and as JSON."""

from __future__ import annotations

from tests.register.escalating import MATRIX
from tests.tui.cli_help import Cli

MORE = """
[categories]
network = { team = "nets" }
printing = { team = "heads" }
[services]
edge = "the edge"
shop = "the shop"
[rotas.nets]
[[rotas.nets.shifts]]
people = "carl"
[[ownership]]
team = "apps"
service = "edge"
category = "network"
"""


def adopted(cli: Cli, text: str = MATRIX + MORE) -> None:
    text = text.replace('name = "Nets"\n', 'name = "Nets"\nrota = "nets"\n')
    (cli.home / "matrix.toml").write_text(text)
    assert cli("apply", "--yes").code == 0


def test_it_says_who_is_told_now_and_how_far_what_is_open_has_come(cli: Cli) -> None:
    adopted(cli)
    assert cli("log", "db down", "--service", "shop", "--category", "network").code == 0
    assert cli("log", "edge down", "--service", "edge", "--category", "network").code == 0
    assert cli("ack", "2").code == 0
    out = cli("matrix", "show").out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "CATEGORY SERVICE TEAM POLICY WHO IS TOLD NOW, AND THEN" in lines
    assert "network - nets pair now all of nets; then Dora Sample (authority)" in lines
    told = "now Ana; +5m lead Ben, Carl; then Ben Sample, Eva Sample (authority)"
    assert f"network edge apps usual {told}" in lines
    assert "printing - heads usual now Ana; +5m ‼ lead, Carl; then ‼ nobody (authority)" in lines
    assert "nets Carl Sample" in lines
    assert [line for line in lines if line.startswith("network - INC-1 ")]
    assert "network edge INC-2 acked" in lines


def test_json_says_the_same(cli: Cli) -> None:
    adopted(cli)
    cli("log", "db down", "--service", "shop", "--category", "network")
    told = cli.json("matrix", "show")["escalation"]
    (line,) = [one for one in told["lines"] if one["category"] == "network" and not one["services"]]
    assert (line["team"], line["policy"], line["authority"], line["rota"]) == (
        "nets",
        "pair",
        ["Dora Sample"],
        "nets",
    )
    (step,) = line["steps"]
    assert (step["after"], step["nobody"], step["all_ack"]) == (0, False, True)
    assert step["told"] == [{"to": "team", "who": ["Carl Sample", "Dora Sample"], "until": None}]
    assert line["open"] == 1
    assert (line["live"][0]["number"], line["live"][0]["escalation"]) == ("INC-1", "triggered")
    assert [one["who"] for one in told["on_call"]["nets"]] == [["Carl Sample"]]


def test_without_policies_it_says_what_to_do(cli: Cli) -> None:
    out = cli("matrix", "show").out
    assert "No policy says who is told" in out
    assert "docs/escalation.md" in out
    assert cli.json("matrix", "show")["escalation"]["lines"][0]["policy"] is None
