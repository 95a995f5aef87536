"""What the supplier's person sees on their page is what we wrote: real Redmine, real Request Tracker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import httpx
import pytest

from integrations.connector import Comment, Draft
from integrations.markup.formats import TextFormat, written
from integrations.markup.html import text_of_html
from register.incident import Priority
from register.marker import unsigned
from tests.integrations.test_markup import LOG, PIECES, lines
from tests.peers.conftest import Desk, RedmineDesk
from tests.peers.saying import op

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
CALM = re.compile(r"<(?!/?(?:p|br|pre)\b|a class=\"external\"|/a>)[a-z]")
"""Anything in a text that Redmine made of it: bold, lists, headings, links to tickets and people."""


@pytest.fixture
def redmine_page(redmine_peer: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Their person, signed in with a browser."""
    with httpx.Client(base_url=redmine_peer["REDMINE_URL"], timeout=60) as browser:
        form = {"username": "agent", "password": "peer-agent-pw"}
        token = _token(browser.get("/login").text)
        assert browser.post("/login", data={**form, "authenticity_token": token}).status_code == 302
        yield browser


def _token(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("text", [LOG, "see #1 and @agent: *not bold*, _x_ h1. r1", "a\n\n\nb", "- a\n- b"])
async def test_redmine_shows_what_was_written(
    redmine_desk: RedmineDesk, redmine_page: httpx.Client, text: str
) -> None:
    """By the way of making a ticket and by the way of writing to one: both go by one converter."""
    redmine = redmine_desk()
    ref = await redmine.create(Draft(op(), "Pump leaks", text, Priority.HIGH))
    await redmine.apply(ref, Comment(op(), text))
    page = redmine_page.get(f"/issues/{ref.id}").text
    shown = re.findall(r'<div [^>]*class="wiki\b[^>]*>(.*?)</div>', page, re.DOTALL)
    assert len(shown) == 2
    for said in shown:
        assert not CALM.search(said), said
        assert lines(unsigned(text_of_html(said))) == lines(text)
    story = await redmine.history(ref)
    assert [lines(change.body) for change in story.changes] == [lines(text)] * 2
    assert all(change.marker for change in story.changes)


def test_redmine_makes_nothing_of_any_sign(redmine_page: httpx.Client) -> None:
    token = _token(redmine_page.get("/projects/supplier/issues/new").text)
    for piece in PIECES:
        text = f"{piece} at the start\nin {piece} between {piece}\n{piece}{piece}".strip()
        form = {"authenticity_token": token, "text": written(text, TextFormat.TEXTILE)}
        said = redmine_page.post("/preview/text?project_id=supplier", data=form).text
        assert not CALM.search(said), said
        assert lines(text_of_html(re.sub(r' href="[^"]*"', "", said))) == lines(text)


@pytest.mark.parametrize("how", [TextFormat.TEXT, TextFormat.HTML])
async def test_request_tracker_shows_what_was_written(
    desk: Desk, peer: Mapping[str, str], how: TextFormat
) -> None:
    rt = desk(format=how)
    ref = await rt.create(Draft(op(), "Pump leaks", LOG, Priority.HIGH))
    await rt.apply(ref, Comment(op(), LOG))
    with httpx.Client(base_url=peer["RT5_URL"], timeout=60, follow_redirects=True) as browser:
        here = {"Referer": f"{peer['RT5_URL']}/"}
        browser.post("/NoAuth/Login.html", data={"user": "agent", "pass": "agentpass1"}, headers=here)
        page = browser.get(f"/Helpers/TicketHistory?id={ref.id}", headers=here).text
    shown = re.findall(r'<div class="message-stanza">(.*?)</div>', page, re.DOTALL)
    assert len(shown) == 2
    for said in shown:
        read = lines(unsigned(text_of_html(said)))
        if how is TextFormat.HTML:
            assert read == lines(LOG)
        else:  # as it is by default, their page folds spaces; the words and signs stand there
            assert " ".join(read).split() == LOG.split()
    story = [change for change in (await rt.history(ref)).changes if change.body]
    assert [lines(change.body) for change in story] == [lines(LOG)] * 2
    assert all(change.marker for change in story)
