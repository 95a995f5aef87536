"""What could not be taken in of a supplier, from the command line: what happened, its meaning, what to do."""

from __future__ import annotations

import os

from register.desk import ServiceDesk
from register.store import open_store
from register.topics.hearing import Hear, Unreadable
from tests.register.saying import ENGINE
from tests.tui.cli_help import Cli


def test_it_is_listed_with_what_to_do_and_settled_by_a_word(cli: Cli) -> None:
    assert "all that suppliers did was taken in" in cli("quarantine", "list").out
    store = open_store(os.environ["MUSTER_REGISTER"])
    odd = Unreadable(change_id="t 7:9", raw="{'at': 'soon'}\x1b[31m", why="at: Input should be a time")
    ServiceDesk(store).do(ENGINE, Hear(vendor="practice", cursor="1", unreadable=(odd,)))
    store.close()
    shown = cli("quarantine", "list").out
    for words in (
        "which ticket cannot be told",
        "should be a time",
        "{'at': 'soon'}",
        "is not in the incident",
    ):
        assert words in shown
    assert "muster quarantine reread | noted | discard practice 't 7:9'" in shown
    assert "\x1b" not in shown
    assert [(one["vendor"], one["change"]) for one in cli.json("quarantine", "list")] == [
        ("practice", "t 7:9")
    ]
    refused = cli("quarantine", "reread", "practice", "t 7:9")
    assert (refused.code, "cannot be read again" in refused.err) == (3, True)
    cli.json("quarantine", "discard", "practice", "t 7:9", "--reason", "of no importance")
    assert cli.json("quarantine", "list") == []
