"""What matrix.toml may say of a rota's calendar, and what it may not."""

from __future__ import annotations

import pytest

from register.matrix_toml import read_matrix
from register.off_duty import off_duty
from register.toml_file import FileFaults

BEFORE = 'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n[people.ana]\nname = "Ana"\nlogin = "ana"\n'


def test_a_calendar_instead_of_shifts() -> None:
    found = read_matrix(
        BEFORE + '[rotas.ops]\nfeed = "webcal://example.com/oncall.ics"\nfeed_people = { "Ana S." = "ana" }\n'
    )
    rota = found.rotas["ops"]
    assert (rota.feed, rota.feed_people, rota.shifts) == (
        "https://example.com/oncall.ics",
        {"Ana S.": "ana"},
        (),
    )
    assert rota.people == ("ana",)
    assert read_matrix(BEFORE + '[rotas.ops]\nfeed = "keyring"\n').rotas["ops"].feed == "keyring"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('feed = "http://example.com/a.ics"', "would be asked for unencrypted"),
        ('feed = "oncall.ics"', "is no address: write it like https://"),
        ('feed = "https://ana:hunter2secret@example.com/a.ics"', "muster oncall login ops"),
        ('feed = "https://example.com/a.ics?token=hunter2secret"', "muster oncall login ops"),
        ('feed = "https://pd.example.com/private/hunter2secret/feed/P1"', 'write feed = "keyring" here'),
        ('feed = "keyring"\n[[rotas.ops.shifts]]\npeople = "ana"', "shifts and a feed, and only one of them"),
        ('feed_people = { "Ana S." = "ana" }', "has feed_people and no feed"),
        ('feed = "keyring"\nfeed_people = { "B." = "bob" }', "there is no person 'bob'"),
    ],
)
def test_what_may_not_stand_there(said: str, why: str) -> None:
    with pytest.raises(FileFaults) as refused:
        read_matrix(f"{BEFORE}[rotas.ops]\n{said}\n")
    assert why in str(refused.value)
    assert "hunter2secret" not in str(refused.value)
    assert "vendors login" not in str(refused.value)


def test_what_a_calendar_calls_somebody_goes_with_them() -> None:
    rota = {"feed": "keyring", "feed_people": {"Ana S.": "ana", "Ben": "ben"}}
    left = off_duty({"rotas": {"ops": rota}}, {"ana"})
    assert left == {"rotas": {"ops": rota | {"feed_people": {"Ben": "ben"}}}}
