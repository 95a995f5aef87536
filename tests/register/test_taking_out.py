"""What is taken out of a text before it leaves: nothing that must not, nothing twice, in no long time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.leaving import May, Receives, cleared, fault_in, is_empty

USUAL = Receives()
ALL = Receives(may=frozenset(May))
NOTHING = Receives(may=frozenset())

SECRETS = {
    "password: hunter2": "hunter2",
    "Password:\n  hunter2": "hunter2",
    "password = 'correct horse'": "horse",
    "DB_PASSWORD=hunter2": "hunter2",
    "dbPassword=hunter2": "hunter2",
    '{"password":"hunter 2","user":"bob"}': "hunter",
    "<db:password kind='x'>hunter2</db:password>": "hunter2",
    "mysql --password hunter2 -h db-3": "hunter2",
    "the password for db-3 is hunter2": "hunter2",
    "the password is now 'hunter two'": "two",
    "Das Passwort lautet Sommer!": "Sommer",
    "log in with password hunter2": "hunter2",
    "**Password:** hunter2": "hunter2",
    "`token` -> abcdef": "abcdef",
    "PIN: 4711": "4711",
    "passphrase: correct horse battery staple": "staple",
    "Authorization: Basic Ym9iOmh1bnRlcjI=": "Ym9i",
    "Cookie: session=abc; csrf=def": "def",
    "curl -H 'X-Api-Key: abc'": "abc",
    "Bearer 0123456789abcdefgh": "abcdefgh",
    "postgres://bob:hunter2@db-3/shop": "hunter2",
    "postgres://bob:hun@ter2@db-3/shop": "ter2",
    "postgres://bob:hun/ter2@db-3/shop": "ter2",
    "https://3f786850e387550fdab836ed7e6dc881@git.example/x": "3f78",
    "https://up.example/x?token=abcdef&n=1": "abcdef",
    "key ghp_0123456789abcdefghij": "abcdefghij",
    "AKIAIOSFODNN7EXAMPLE": "AKIA",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY": "MDENG",
    "it is eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln there": "eyJzdWIi",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nand": "abcd",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\ncut off": "cut",
    "17-4-0123456789abcdef0123456789abcdef": "0123456789abcdef",
    "pass\u200bword: hunter2": "hunter2",
    "password: hun\u2060ter2": "ter2",
    "ｐａｓｓｗｏｒｄ：ｈｕｎｔｅｒ２": "ｈｕｎｔｅｒ２",
    "card 4111 1111 1111 1111 exp 12/30": "1111",
    "IBAN NO93 8601 1117 947": "1117",
}
"""Texts, and a piece of what must not be left of each."""
TOKEN = "password: " + "x" * 5000 + "END"


@pytest.mark.parametrize("text", [*SECRETS, TOKEN])
@pytest.mark.parametrize("what", [ALL, NOTHING], ids=["all", "nothing"])
def test_a_credential_leaves_to_nobody(text: str, what: Receives) -> None:
    told = cleared(f"Look at it.\n{text}\nThank you.", what)
    assert SECRETS.get(text, "END") not in told.text
    assert told.text.startswith("Look at it.\n")
    assert text.startswith("-----BEGIN OPENSSH") or told.text.endswith("Thank you.")
    assert next(one.why for one in told.removed if one.what != "key or hash") == "leaves to nobody"


@pytest.mark.parametrize(
    "text",
    [
        "token expired, password reset mails do not arrive",
        "the password is wrong for all users",
        "Secrets manager times out; see https://status.example:8080/a?mail=x",
        "/srv/App1/releases/Current2/Checkout.jar and CheckoutServiceImplV2HandlerFactory",
        "on 2026-11-27T19:10:00+01:00, from 10.123.123.123 to 192.168.100.101, port 5432",
        "sftp://acme-drop@files.acme.example/in",
        "ORA-12154, ticket 4711-2233, order 20261127-0042, 01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "call INC-123456 back, phone is dead",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_what_people_write_about_a_fault_stays_as_it_is(text: str) -> None:
    assert cleared(text, USUAL).text == text


@pytest.mark.parametrize(
    ("kind", "text", "piece"),
    [
        (May.PHONES, "ring +47 22 33 44 55 now", "33"),
        (May.PHONES, "ring +47 (22) 33-44-55", "33"),
        (May.PHONES, "0047 22 33 44 55", "33"),
        (May.PHONES, "tel. 22 33 44 55", "33"),
        (May.PHONES, "call me at 22334455", "2233"),
        (May.PHONES, "555-123-4567", "123"),
        (May.PHONES, "＋４７ ２２ ３３ ４４ ５５", "３３"),
        (May.MAILS, "ask bob.sample@example.com", "bob"),
        (May.HASHES, "trace 4bf92f3577b34da6a3ce929d0e0e4736", "4bf9"),
    ],
)
def test_what_only_some_may_receive(kind: May, text: str, piece: str) -> None:
    told = cleared(text, NOTHING)
    assert piece not in told.text
    assert told.removed[0].why == f'may_receive has no "{kind}"'
    assert cleared(text, Receives(may=frozenset({kind}))).text == text


def test_own_patterns_are_taken_out_and_counted() -> None:
    told = cleared("CUST-001234 and CUST-001235 are hit", Receives(patterns=(r"CUST-\d{6}",)))
    assert told.text == "[text removed] and [text removed] are hit"
    assert [str(one) for one in told.removed] == ["2 × text (a pattern of vendors.toml)"]
    assert fault_in("(") is not None
    assert fault_in("x*") is not None
    assert fault_in("x+") is None


def test_a_text_of_nothing_but_a_secret_is_empty() -> None:
    assert is_empty(cleared("ghp_0123456789abcdefghij", USUAL))
    assert not is_empty(cleared("password: hunter2", USUAL))
    assert not is_empty(cleared("?", USUAL))


_PIECES = st.sampled_from(
    [
        *SECRETS,
        "+47 22 33 44 55",
        "a@b.example",
        "removed",
        "[credential removed]",
        "[text removed]",
        " ",
        "\n",
        "password",
        ":",
        "is",
        "x" * 24,
        "4" * 13,
        "0" * 32,
        "://",
        "@",
        "[",
        "]",
        "token",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=12), max_size=12).map("".join), st.sets(st.sampled_from(May)))
def test_said_of_what_it_gave_it_gives_the_same(text: str, may: set[May]) -> None:
    what = Receives(may=frozenset(may), patterns=("removed", r"CUST-\d+"))
    told = cleared(text, what)
    again = cleared(told.text, what)
    assert (again.text, again.removed) == (told.text, ())
    assert bool(told.removed) == (told.text != text)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1 ",
        "+1 ",
        "password ",
        "password is now ",
        "://",
        "://a:",
        "a@",
        "A1b",
        "<password ",
        "( 1",
        "-----BEGIN PRIVATE KEY-----",
        "DE00",
        "AB12 ",
        "x:y",
        'password="',
        "secret  ",
        "\u200b",
        "00",
        "a.b-",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    """In proportion: a quadratic pattern takes minutes of this."""
    text = (piece * (65_536 // len(piece)))[:65_000] + "."
    began = time.process_time()
    cleared(text, NOTHING)
    assert time.process_time() - began < 10
