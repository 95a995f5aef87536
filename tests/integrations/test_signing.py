"""What proves a webhook: published examples of each scheme, what is refused and why, and who is named how."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import signing
from integrations.connector import Hint, Hooks
from integrations.proofs import ProvedBy
from integrations.signing import WINDOW, Fault, HookRefused

NOW = datetime.fromtimestamp(1614265330, UTC)
# docs.github.com, "Validating webhook deliveries"
GITHUB = ("It's a Secret to Everybody", b"Hello, World!")
GITHUBS = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
# standardwebhooks.com, the example of the reference libraries
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def fault(proof: Hooks, headers: dict[str, str], raw: bytes, now: datetime = NOW) -> Fault | None:
    """Why it is refused; None where it is not."""
    try:
        proof.verify_and_parse(headers, raw, now)
    except HookRefused as refusal:
        return refusal.fault
    return None


def test_githubs_own_example_is_proved_and_a_byte_more_is_not() -> None:
    secret, body = GITHUB
    proof = ProvedBy([secret], signing.hex_of_body, "x-hub-signature-256")
    assert fault(proof, {"x-hub-signature-256": GITHUBS}, body) is None
    assert fault(proof, {"x-hub-signature-256": GITHUBS}, body + b" ") is Fault.WRONG
    assert fault(proof, {"x-hub-signature-256": GITHUBS.removeprefix("sha256=")}, body) is Fault.WRONG
    assert fault(proof, {"x-hub-signature-256": GITHUBS.upper()}, body) is Fault.WRONG
    assert fault(proof, {}, body) is Fault.UNSIGNED


def test_gitlab_is_proved_by_its_signature_or_else_by_its_token() -> None:
    proof = ProvedBy([STANDARD, "a-secret-token-of-ours"], signing.gitlab)
    token = {"x-gitlab-token": "a-secret-token-of-ours"}
    assert proof.verify_and_parse(HEADERS, BODY, NOW) == Hint(HEADERS["webhook-id"])
    assert proof.verify_and_parse(token, BODY, NOW) == Hint("")
    again = proof.verify_and_parse({**token, "idempotency-key": "f5e5f430"}, BODY, NOW)
    assert again == Hint("f5e5f430")
    assert fault(proof, {"x-gitlab-token": "a-secret-token-of-theirs"}, BODY) is Fault.WRONG
    assert fault(proof, {}, BODY) is Fault.UNSIGNED


def test_what_gitlab_signed_wrong_is_not_let_in_by_its_token() -> None:
    proof = ProvedBy([STANDARD, "a-secret-token-of-ours"], signing.gitlab)
    told = {**HEADERS, "x-gitlab-token": "a-secret-token-of-ours"}
    assert fault(proof, told, BODY) is None
    assert fault(proof, told, BODY + b" ") is Fault.WRONG
    assert fault(proof, told, BODY, NOW + WINDOW * 2) is Fault.LATE


def test_the_example_of_standard_webhooks_is_proved_and_named_by_its_signed_id() -> None:
    proof = ProvedBy([STANDARD], signing.standard)
    assert proof.verify_and_parse(HEADERS, BODY, NOW) == Hint(HEADERS["webhook-id"])
    both = {**HEADERS, "webhook-signature": f"v1,AAAA v2,{'x' * 9} {HEADERS['webhook-signature']}"}
    assert fault(proof, both, BODY) is None
    assert fault(proof, {**HEADERS, "webhook-id": "msg_another"}, BODY) is Fault.WRONG
    assert fault(proof, {**HEADERS, "webhook-timestamp": "1614265331"}, BODY) is Fault.WRONG
    assert fault(ProvedBy(["whsec_AAAA"], signing.standard), HEADERS, BODY) is Fault.WRONG
    old = {**HEADERS, "webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v0,")}
    assert fault(proof, old, BODY) is Fault.UNSIGNED
    for name, why in (("webhook-id", Fault.UNSIGNED), ("webhook-timestamp", Fault.UNDATED)):
        assert fault(proof, {k: v for k, v in HEADERS.items() if k != name}, BODY) is why


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (timedelta(), None),
        (WINDOW, None),
        (WINDOW + timedelta(seconds=1), Fault.LATE),
        (-WINDOW, None),
        (-WINDOW - timedelta(seconds=1), Fault.EARLY),
        (timedelta(days=3000), Fault.LATE),
    ],
)
def test_what_was_signed_too_long_ago_or_in_the_future_is_refused(
    after: timedelta, why: Fault | None
) -> None:
    assert fault(ProvedBy([STANDARD], signing.standard), HEADERS, BODY, NOW + after) is why


def test_of_a_list_any_one_that_is_right_is_enough() -> None:
    secret, body = "pd-secret-of-a-sample", b'{"event":{"id":"1"}}'
    right = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    header = "x-pagerduty-signature"
    proof = ProvedBy([secret], signing.any_hex_of_body, header)
    assert fault(proof, {header: f"v1={'0' * 64},{right}"}, body) is None
    assert fault(proof, {header: f"v1={'0' * 64}, {right}"}, body) is None
    assert fault(proof, {header: f"v1={'0' * 64}"}, body) is Fault.WRONG
    assert fault(proof, {header: f"v2={right[3:]}"}, body) is Fault.UNSIGNED
    many = ",".join(f"v1={n:064x}" for n in range(signing.MOST))
    assert fault(proof, {header: f"{many},{right}"}, body) is Fault.WRONG, "so many are looked at, no more"


@pytest.mark.parametrize(
    "at", ["2021-02-25T15:02:10Z", "2021-02-25T15:02:10.000Z", "1614265330", "1614265330000"]
)
def test_the_time_and_the_body_are_signed_one_after_the_other(at: str) -> None:
    secret, body = "zd-secret-of-a-sample", b'{"ticket_id":35436}'
    made = base64.b64encode(hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()).decode()
    name, stamp = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"
    proof = ProvedBy([secret], signing.base64_of_stamped, name, stamp)
    headers = {name: made, stamp: at}
    assert fault(proof, headers, body) is None
    assert fault(proof, headers, body, NOW + timedelta(minutes=6)) is Fault.LATE
    assert fault(proof, {**headers, stamp: at + "0"}, body) is Fault.WRONG


def test_a_time_that_says_nothing_is_told_apart_from_a_wrong_signature() -> None:
    secret = "zd-secret-of-a-sample"
    for at in ("soon", "99999999999999999999", "2021-13-01"):
        told = hmac.new(secret.encode(), at.encode(), hashlib.sha256).digest()
        proof = ProvedBy([secret], signing.base64_of_stamped, "s", "t")
        assert fault(proof, {"s": base64.b64encode(told).decode(), "t": at}, b"") is Fault.UNDATED


def test_the_secret_itself_proves_where_nothing_is_signed() -> None:
    proof = ProvedBy(["one of ours", "the one before"], signing.the_secret_itself, "x-gitlab-token")
    assert proof.verify_and_parse({"x-gitlab-token": "the one before"}, b"", NOW) == Hint("")
    assert fault(proof, {"x-gitlab-token": "one of our"}, b"") is Fault.WRONG
    assert fault(proof, {"x-gitlab-token": "   "}, b"") is Fault.UNSIGNED
    none = ProvedBy([], signing.the_secret_itself, "x-gitlab-token")
    assert fault(none, {"x-gitlab-token": "anything"}, b"") is Fault.WRONG


def _signed(secret: str, body: bytes) -> dict[str, str]:
    return {"s": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def test_two_secrets_count_while_one_is_changed_for_the_other() -> None:
    proof = ProvedBy(["the new one", "the old one"], signing.hex_of_body, "s")
    assert [fault(proof, _signed(one, b"x"), b"x") for one in ("the new one", "the old one", "another")] == [
        None,
        None,
        Fault.WRONG,
    ]


def test_the_same_bytes_are_the_same_delivery_whatever_else_is_changed() -> None:
    proof = ProvedBy(["secret"], signing.hex_of_body, "s")
    one = proof.verify_and_parse({**_signed("secret", b"x"), "x-github-delivery": "1"}, b"x", NOW)
    two = proof.verify_and_parse({**_signed("secret", b"x"), "x-github-delivery": "2"}, b"x", NOW)
    other = proof.verify_and_parse(_signed("secret", b"y"), b"y", NOW)
    assert one == two != other
    assert one.delivery


def test_every_signature_is_compared_with_every_secret_whatever_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[bytes] = []
    same: Callable[[bytes, bytes], bool] = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return same(one, other)

    monkeypatch.setattr("integrations.signing.hmac.compare_digest", counted)
    right = _signed("a", b"")["s"].replace("sha256=", "v1=")
    for header in (f"{right},v1=b", f"v1=b,{right}"):
        ProvedBy(["a", "b", "c"], signing.any_hex_of_body, "s").verify_and_parse({"s": header}, b"", NOW)
    assert len(compared) == 2 * 2 * 3


PROOFS: list[Hooks] = [
    ProvedBy(["secret"], signing.hex_of_body, "s"),
    ProvedBy(["secret"], signing.any_hex_of_body, "s"),
    ProvedBy(["secret"], signing.base64_of_stamped, "s", "t"),
    ProvedBy(["secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], signing.standard),
    ProvedBy(["secret"], signing.the_secret_itself, "s"),
]
_WORDS = st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | st.sampled_from(
    ["v1=", "v1,", "sha256=", "sécret", "1614265330"]
)


@given(
    st.sampled_from(PROOFS),
    st.dictionaries(
        st.sampled_from(["s", "t", "webhook-id", "webhook-timestamp", "webhook-signature"]), _WORDS
    ),
    st.binary(max_size=40),
)
def test_whatever_a_stranger_sends_is_refused_and_breaks_nothing(
    proof: Hooks, headers: dict[str, str], raw: bytes
) -> None:
    if headers.get("s", "").strip() != "secret":
        assert fault(proof, headers, raw) in Fault


def test_no_proof_shows_its_secrets() -> None:
    assert not [proof for proof in PROOFS if "secret" in repr(proof)]
