"""A backup from before the sending is put back after it: the supplier has one ticket and one comment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine_kit import Engine, practice_file, tickets_by_reference

from integrations.practice.server import Practice, running_practice
from register.backup import back_up
from register.restore import restore
from register.store import open_store, outbox
from register.topics.engagement import Reply
from register.topics.pausing import LetGoOn
from register.verify import verify


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running_practice() as running:
        yield running


@pytest.mark.parametrize("was_sent", [True, False])
async def test_what_was_sent_after_the_backup_is_not_sent_again(
    practice: Practice, tmp_path: Path, was_sent: bool
) -> None:
    file, saved = practice_file(tmp_path, practice.url), tmp_path / "b.muster"
    live = open_store(str(tmp_path / "live.db"))
    engine = Engine.over(live, file)
    number, op_id = engine.engaged()
    engine.do(Reply(target=number, message="Any news?"))
    back_up(live, saved, datetime.now(UTC))
    if was_sent:
        await engine.settle_all()
        assert tickets_by_reference(practice) == {op_id: 1}
    await engine.close()
    engine.hand.close()
    live.close()

    done = restore(saved, str(tmp_path / "live.db"), "ada", datetime.now(UTC), force=True)
    assert (done.doubted, done.paused) == (2, ("practice",))
    back = open_store(str(tmp_path / "live.db"))
    engine = Engine.over(back, file)
    engine.do(LetGoOn(vendor="practice", reason="we looked"))
    await engine.settle_all()
    assert not outbox.unfinished(back)
    assert tickets_by_reference(practice) == {op_id: 1}
    comments = [one for one in practice.desk.changes if one.kind == "comment" and "Any news?" in one.body]
    assert len(comments) == 1
    assert verify(back).ok
    await engine.close()
    engine.hand.close()
    back.close()
