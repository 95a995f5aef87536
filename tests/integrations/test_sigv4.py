"""AWS Signature Version 4: against what AWS publishes, against botocore, and as it is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from integrations.aws_support.sigv4 import SigV4
from integrations.conformance.line import answer
from integrations.errors import NotSent, Rejected
from integrations.http import Http
from integrations.signer import Headers, Unsigned

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", "service")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SCOPE = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
FORM = "application/x-www-form-urlencoded"


def asked(
    method: str = "POST", path: str = "/", query: str = "", body: bytes = b"", **headers: str
) -> Unsigned:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Unsigned(method, path, query, {"host": "example.amazonaws.com", **told}, body)


@pytest.mark.parametrize(
    ("request_", "names", "signature"),
    [
        pytest.param(
            asked("GET"),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            id="get-vanilla",
        ),
        pytest.param(
            asked("GET", query="Param2=value2&Param1=value1"),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            asked("GET", query="%E1%88%B4=bar"),
            "host;x-amz-date",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
            id="get-vanilla-utf8-query",
        ),
        pytest.param(
            asked("GET", my_header1="value1", my_header2='"a   b   c"'),
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            id="get-header-value-trim",
        ),
        pytest.param(
            asked("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "host;x-amz-date",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            id="get-unreserved",
        ),
        pytest.param(
            asked("GET", "/ሴ"),
            "host;x-amz-date",
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            id="get-utf8",
        ),
        pytest.param(
            asked(),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            asked(my_header1="VALUE1"),
            "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            id="post-header-value-case",
        ),
        pytest.param(
            asked(query="Param1=value1"),
            "host;x-amz-date",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
            id="post-vanilla-query",
        ),
        pytest.param(
            asked(body=b"Param1=value1", content_type=FORM),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            asked(body=b"Param1=value1", content_type=f"{FORM}; charset=utf8"),
            "content-type;host;x-amz-date",
            "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
            id="post-x-www-form-urlencoded-parameters",
        ),
    ],
)
def test_it_signs_as_awss_own_test_suite_says(request_: Unsigned, names: str, signature: str) -> None:
    """Values of aws-sig-v4-test-suite, as the JavaScript SDK of AWS carries them."""
    signed = SUITE.sign(request_, AT)
    assert signed.headers == {
        "x-amz-date": "20150830T123600Z",
        "authorization": f"{SCOPE}, SignedHeaders={names}, Signature={signature}",
    }
    assert signed.hidden == signature


@pytest.mark.parametrize("body", [b"{}", '{"subject":"Pumpe läuft aus €"}'.encode()])
def test_it_signs_as_botocore_does(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest  # after the skip
    from botocore.credentials import Credentials

    monkeypatch.setattr(auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))
    told = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSSupport_20130415.CreateCase"}
    theirs = AWSRequest("POST", "https://support.us-east-1.amazonaws.com/", headers=told, data=body)
    auth.SigV4Auth(Credentials("AKIDEXAMPLE", SECRET), "support", "us-east-1").add_auth(theirs)
    names = {
        "host": "support.us-east-1.amazonaws.com",
        **{name.lower(): value for name, value in told.items()},
    }
    signer = SigV4("AKIDEXAMPLE", SECRET, "us-east-1", "support")
    ours = signer.sign(Unsigned("POST", "/", "", names, body), AT)
    assert ours.headers["authorization"] == theirs.headers["Authorization"]
    assert ours.headers["x-amz-date"] == theirs.headers["X-Amz-Date"]


class Noting(httpx.AsyncBaseTransport):
    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.answer, self.sent = answer, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if self.answer is None:
            raise httpx.ConnectError("nobody there")
        return self.answer


def resigned(request: httpx.Request) -> Headers:
    """What the signature of a request must be, made of what arrived."""
    at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    told = {name: value for name, value in request.headers.items() if name != "authorization"}
    return SUITE.sign(Unsigned(request.method, request.url.path, "", told, request.content), at).headers


async def test_the_client_signs_each_try_anew_of_what_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    line, now = Noting(), [datetime(2026, 1, 5, 8, tzinfo=UTC)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override] # a clock that stands
            return now[0]

    monkeypatch.setattr("integrations.credential.datetime", Clock)
    async with Http("https://example.amazonaws.com", signer=SUITE, transport=line) as http:
        for _ in range(2):
            with pytest.raises(NotSent):
                await http.post("/", json={"subject": "Pumpe läuft aus €"}, headers={"X-Amz-Target": "T.Do"})
            now[0] += timedelta(minutes=10)
    first, second = line.sent
    assert (first.headers["x-amz-date"], second.headers["x-amz-date"]) == (
        "20260105T080000Z",
        "20260105T081000Z",
    )
    assert first.headers["authorization"] != second.headers["authorization"]
    for request in line.sent:
        assert request.headers["authorization"] == resigned(request)["authorization"]
        assert "x-amz-target" in request.headers["authorization"]


async def test_neither_the_secret_nor_a_signature_is_shown() -> None:
    line = Noting()
    async with Http("https://example.amazonaws.com", signer=SUITE, name="aws", transport=line) as http:
        with pytest.raises(NotSent):
            await http.post("/", json={})
        sent = line.sent[0].headers["authorization"]
        line.answer = answer(400, f"you know {SECRET} and sent {sent}".encode(), "text/plain")
        with pytest.raises(Rejected) as caught:
            await http.post("/", json={})
    assert "Credential=AKIDEXAMPLE" in caught.value.why  # or nobody could tell which key it was
    assert sent.rpartition("=")[2][:16] not in caught.value.why
    assert SECRET not in caught.value.why + repr(SUITE) + repr(http)
