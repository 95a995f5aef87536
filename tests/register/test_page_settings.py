"""`[pages]` of matrix.toml: where a page is answered, and what may not stand there."""

from __future__ import annotations

import pytest

from register.escalation_notes import _unreached
from register.matrix_toml import read_matrix
from register.page_settings import Pages
from register.policy_diff import changes
from register.toml_file import FileFaults

DESK = 'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n'
REPLIES = '[pages.replies]\nimap = "imaps://mail.example.com"\nuser = "muster@example.com"\n'


def pages(text: str) -> Pages:
    return read_matrix(DESK + text).pages


def test_without_them_pages_are_not_answered() -> None:
    assert not pages("").answered


def test_a_link_and_a_mailbox() -> None:
    both = pages('[pages]\nlink = "https://muster.example.net/desk/"\n' + REPLIES)
    assert both.link == "https://muster.example.net/desk"
    assert both.replies is not None
    assert both.replies.folder == "INBOX"
    assert pages(REPLIES).answered
    assert pages('[pages]\nlink = "http://127.0.0.1:8790"\n').answered


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[pages]\nlink = "http://muster.example.net"', "unencrypted"),
        ('[pages]\nlink = "ftp://muster.example.net"', "no such address"),
        ('[pages]\nlink = "muster.example.net"', "no such address"),
        ('[pages]\nlink = "https://muster.example.net/?a=b"', "has a ? or #"),
        ('[pages]\nlink = "https://muster.example.net/ x"', "no such address"),
        ('[pages]\nlink = "https://muster.example.net:99999"', "no such address"),
        ('[pages]\nlink = "https://ben:pw@muster.example.net"', "looks like a credential"),
        ('[pages]\nlinks = "https://muster.example.net"', "did you mean link"),
        (REPLIES + 'password = "hunter2hunter2"', "muster page replies login"),
        (REPLIES.replace("imaps://mail.example.com", "smtp://mail.example.com"), "no such address"),
        (REPLIES.replace("mail.example.com", "mail.example.com/INBOX"), "more than a host"),
        (REPLIES + 'folder = "Störung"', "signs that a folder's name has not"),
        ('[pages.replies]\nimap = "imaps://mail.example.com"', "missing"),
    ],
)
def test_what_may_not_stand_there_is_told(text: str, says: str) -> None:
    with pytest.raises(FileFaults) as caught:
        pages(text + "\n")
    assert any(says in fault for fault in caught.value.faults), caught.value.faults


def test_a_change_of_it_is_told_before_it_is_adopted() -> None:
    before, after = (read_matrix(DESK + text) for text in ("", '[pages]\nlink = "https://a.example"\n'))
    assert [str(one) for one in changes(before, after, ({}, {}))] == [
        "~ pages: nothing said → link https://a.example"
    ]


def test_where_nobody_is_paged_at_all_nobody_is_missed() -> None:
    """What `[pages]` says is no word on whether anybody has a `reach`."""
    person = '[people.ben]\nname = "Ben"\nlogin = "ben"\n'
    plan = '[policies.all]\nsteps = [{ to = "person:ben", wait = "5m" }]\n'
    assert list(_unreached(read_matrix(DESK + person + plan))) == []
    other = '[people.eva]\nname = "Eva"\nlogin = "eva"\nreach = ["sms"]\n'
    (note,) = _unreached(read_matrix(DESK + person + other + plan))
    assert "Nothing pages ben" in note
