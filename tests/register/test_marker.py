"""The footer that makes our own text known again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from register.marker import marker_of, sign, unsigned

ONE = "01K3ZZ8QF4T2M6V9X1B5C7D0EG"
TWO = "01K3ZZ8QF4T2M6V9X1B5C7D0EH"

bodies = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)
op_ids = st.binary(min_size=16, max_size=16).map(lambda raw: str(ULID.from_bytes(raw)))


@given(bodies, op_ids)
def test_what_is_signed_is_known_again_and_shown_without_the_footer(body: str, op_id: str) -> None:
    signed = sign(body, op_id)
    assert marker_of(signed) == op_id
    assert unsigned(signed) == body.rstrip()
    assert sign(signed, op_id) == signed


def test_the_footer_stands_on_its_own_line() -> None:
    assert sign("disk full\n", ONE) == f"disk full\n\n[muster:{ONE}]"
    assert sign("", ONE) == f"[muster:{ONE}]"


def test_signing_again_under_another_id_leaves_one_footer() -> None:
    again = sign(sign("disk full", ONE), TWO)
    assert marker_of(again) == TWO
    assert ONE not in again


@pytest.mark.parametrize("quote", ["> ", ">", "  > ", "| ", "&gt; "])
def test_a_reply_that_quotes_us_is_not_ours(quote: str) -> None:
    quoted = "\n".join(quote + line for line in sign("disk full", ONE).splitlines())
    assert marker_of(f"We look into it.\n\n{quoted}") is None
    assert unsigned(f"We look into it.\n\n{quoted}").startswith("We look into it.")


def test_our_own_text_that_quotes_an_older_one_keeps_its_own_marker() -> None:
    older = "> " + sign("x", ONE).replace("\n", "\n> ")
    assert marker_of(sign(f"see below\n{older}", TWO)) == TWO


def test_a_system_that_adds_its_own_footer_or_markup_hides_nothing() -> None:
    assert marker_of(sign("disk full", ONE) + "\n-- \nSent by Desk") == ONE
    assert marker_of(f"<p>disk full</p><p>[muster:{ONE}]</p>") == ONE
    assert marker_of(f"disk full [MUSTER:{ONE.lower()}]") == ONE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no marker",
        "[muster:]",
        "[muster:01K3]",
        f"[muster:{ONE}0]",
        f"[muster:{ONE[:-1]}U]",
        f"muster:{ONE}",
    ],
)
def test_what_is_no_marker(text: str) -> None:
    assert marker_of(text) is None
    assert unsigned(text) == text


@pytest.mark.parametrize("bad", ["", "abc", ONE.lower(), ONE + "0", "8" + ONE[1:], f"{ONE}\n"])
def test_only_an_operation_id_can_be_signed_with(bad: str) -> None:
    with pytest.raises(ValueError, match="no operation id"):
        sign("x", bad)


def test_a_megabyte_of_white_space_takes_no_time() -> None:
    assert unsigned(" \n" * 500_000 + "x").endswith("x")
    assert marker_of("[muster:" * 100_000) is None
