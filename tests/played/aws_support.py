"""AWS Support as its API reference describes it, in memory, and the world that the rules see it as.

It believes no request that is not signed by a key that it knows, for its region, over these very bytes, and
within five minutes of its clock. Everything is a POST; what only reads is told from what writes by `AwsLine`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.aws_support.config import AwsSupportConfig
from integrations.conformance.line import Line
from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.systems.aws_support import AwsSupport
from register.incident import Priority

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCOUNT = "123456789012"
US, LENA = "muster (IAM User) <aws@customer.example>", "Amazon Web Services"
SEVERITIES = ("low", "normal", "high", "urgent")
SERVICES = {
    "amazon-elastic-compute-cloud-linux": ("instance-issue", "other"),
    "amazon-relational-database-service-mysql": ("connectivity", "other"),
}
HOST = "support.us-east-1.amazonaws.com"
MAX_SKEW = timedelta(minutes=5)
REOPENS = timedelta(days=14)
_CREATE = {"subject", "communicationBody", "serviceCode", "categoryCode", "severityCode", "issueType"}
_CREATE |= {"language", "ccEmailAddresses", "attachmentSetId"}
_LIST = {"caseIdList", "displayId", "afterTime", "beforeTime", "includeResolvedCases", "nextToken"}
_LIST |= {"maxResults", "language", "includeCommunications"}
MEMBERS: dict[str, set[str]] = {
    "CreateCase": _CREATE,
    "DescribeCases": _LIST,
    "AddCommunicationToCase": {"caseId", "communicationBody", "ccEmailAddresses", "attachmentSetId"},
    "DescribeCommunications": {"caseId", "beforeTime", "afterTime", "nextToken", "maxResults"},
    "ResolveCase": {"caseId"},
    "AddAttachmentsToSet": {"attachmentSetId", "attachments"},
    "DescribeAttachment": {"attachmentId"},
    "DescribeSeverityLevels": {"language"},
    "DescribeServices": {"serviceCodeList", "language"},
}
Told = Mapping[str, Any]


class Fault(Exception):
    """An error as AWS names it."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(name)
        self.name, self.message, self.status = name, message, status


class PlayedAws:
    """Cases by id. skew: how far its clock is ahead; hidden: cases that its lists do not show yet.

    by_words: whether `afterTime` is about the words on a case, as its reference has it, or about its making.
    forgotten: cases that are too old to be told of.
    """

    def __init__(self) -> None:
        self.cases: dict[str, dict[str, Any]] = {}
        self.words: dict[str, list[dict[str, Any]]] = {}
        self.sets: dict[str, tuple[datetime, list[dict[str, Any]]]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.keys = {KEY: SECRET}
        self.host, self.region, self.skew, self.plan = HOST, "us-east-1", timedelta(), True
        self.forgotten: set[str] = set()
        self.hidden: set[str] = set()
        self.by_words = False
        self.faults: list[Fault] = []  # what the next requests are answered with
        self.done: list[str] = []  # the operations that were asked for
        self.sent = 0  # bytes of the last answer
        self.most_open = 10_000
        self._last = datetime.now(UTC)
        self.app = Starlette(routes=[Route("/", self.answer, methods=["POST"])])

    def now(self) -> datetime:
        """Its clock, in whole milliseconds, no two times the same."""
        now = datetime.now(UTC) + self.skew
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        return self._last

    def say(
        self, case: str, who: str, text: str, at: datetime | None = None, files: Sequence[str] = ()
    ) -> None:
        """A word. One of the customer's opens a case again that was resolved not long ago."""
        at = at or self.now()
        told = [{"attachmentId": one, "fileName": self.files[one][0]} for one in files]
        word = {"caseId": case, "body": text, "submittedBy": who, "timeCreated": _stamp(at)}
        self.words[case].append({**word, "attachmentSet": told, "attachments": told})
        row = self.cases[case]
        if who == LENA or row["status"] != "resolved":
            return
        if at - row["resolved"] <= REOPENS:
            row["status"] = "reopened"

    def make(self, told: Told) -> str:
        case = f"case-{ACCOUNT}-muen-2026-{uuid4().hex[:16]}"
        kept = ("subject", "serviceCode", "categoryCode", "severityCode", "language")
        self.cases[case] = {
            "caseId": case,
            "displayId": str(17_000_000_000 + len(self.cases)),
            "status": "unassigned",
            "submittedBy": "aws@customer.example",
            "timeCreated": _stamp(self.now()),
            "ccEmailAddresses": list(told.get("ccEmailAddresses", ())),
            **{name: told[name] for name in kept},
        }
        self.words[case] = []
        return case

    def sets_state(self, case: str, status: str) -> None:
        self.cases[case] |= {"status": status, "resolved": self.now()}

    async def answer(self, request: Request) -> Response:
        try:
            body = await request.body()
            self._verify(request, body)
            operation = self._operation(request)
            self.done.append(operation)
            if self.faults:
                raise self.faults.pop(0)
            self._planned()
            told = self._members(operation, body)
            found, status = getattr(self, f"do_{operation}")(told), 200
        except Fault as fault:
            found, status = {"__type": fault.name, "message": fault.message}, fault.status
        content = orjson.dumps(found)
        self.sent = len(content)
        headers = {"Date": format_datetime(self.now(), usegmt=True), "x-amzn-RequestId": str(uuid4())}
        return Response(content, status, headers, "application/x-amz-json-1.1")

    def _planned(self) -> None:
        if not self.plan:
            says = "Amazon Web Services Premium Support Subscription is required to use this service."
            raise Fault("SubscriptionRequiredException", says)

    @staticmethod
    def _operation(request: Request) -> str:
        service, _, operation = request.headers.get("x-amz-target", "").partition(".")
        if service != "AWSSupport_20130415" or operation not in MEMBERS:
            raise Fault("UnknownOperationException", "")
        if request.headers["content-type"] != "application/x-amz-json-1.1":
            raise Fault("UnknownOperationException", "", 404)
        return operation

    @staticmethod
    def _members(operation: str, body: bytes) -> Told:
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Fault("SerializationException", "") from None
        strange = set(told) - MEMBERS[operation]
        if strange:
            raise Fault("ValidationException", f"no such members: {sorted(strange)}")
        return dict(told)

    def _verify(self, request: Request, body: bytes) -> None:
        """By the steps of "Create a signed AWS API request", backwards."""
        form = r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/support/aws4_request, "
        told = re.fullmatch(
            form + r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
            request.headers.get("authorization", ""),
        )
        if told is None:
            raise Fault("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
        key, day, region, names, signature = told.groups()
        if key not in self.keys:
            raise Fault(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        signed = names.split(";")
        must = {"host", "content-type", *(name for name in request.headers if name.startswith("x-amz-"))}
        if signed != sorted(signed) or not must <= set(signed) or request.headers["host"] != self.host:
            raise Fault("InvalidSignatureException", "A header that must be signed is not.")
        stamp = request.headers["x-amz-date"]
        at, now = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), self.now()
        late, early = now - MAX_SKEW, now + MAX_SKEW
        if at < late:
            says = f"Signature expired: {stamp} is now earlier than {_short(late)} ({_short(now)} - 5 min.)"
            raise Fault("InvalidSignatureException", says)
        if at > early:
            than = f"{_short(early)} ({_short(now)} + 5 min.)"
            says = f"Signature not yet current: {stamp} is still later than {than}"
            raise Fault("InvalidSignatureException", says)
        lines = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed)
        asked = (
            f"{request.method}\n{request.url.path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        )
        scope = f"{stamp[:8]}/{self.region}/support/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
        secret = f"AWS4{self.keys[key]}".encode()
        for part in scope.split("/"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        right = hmac.new(secret, to_sign.encode(), hashlib.sha256).hexdigest()
        if region != self.region:
            says = f"Credential should be scoped to a valid region, not '{region}'."
            raise Fault("InvalidSignatureException", says)
        if day != stamp[:8] or not hmac.compare_digest(right, signature):
            says = "The request signature we calculated does not match the signature you provided."
            raise Fault("InvalidSignatureException", says)

    def _case(self, told: Told) -> str:
        number = told.get("caseId", "")
        if number not in self.cases or number in self.forgotten:
            raise Fault("CaseIdNotFound", f"Unable to locate case with id {number}")
        return str(number)

    def do_CreateCase(self, told: Told) -> Told:
        _text(told)
        if not told.get("subject"):
            raise Fault("ValidationException", "subject must not be empty")
        if told["categoryCode"] not in SERVICES.get(told["serviceCode"], ()):
            raise Fault("ValidationException", "no such service or category")
        if told["severityCode"] not in SEVERITIES or told["issueType"] not in (
            "technical",
            "customer-service",
        ):
            raise Fault("ValidationException", "no such severity or issue type")
        if sum(one["status"] != "resolved" for one in self.cases.values()) >= self.most_open:
            raise Fault(
                "CaseCreationLimitExceeded", "The case creation limit for the account has been exceeded."
            )
        files = self._set(told)
        case = self.make(told)
        self.say(case, US, told["communicationBody"], files=files)
        return {"caseId": case}

    def do_DescribeCases(self, told: Told) -> Told:
        asked = told.get("caseIdList", [])
        if len(asked) > 100:
            raise Fault("ValidationException", "caseIdList has more than 100")
        for number in asked:
            self._case({"caseId": number})
        rows = [self.cases[n] for n in asked] if asked else list(reversed(self.cases.values()))
        rows = [one for one in rows if asked or one["caseId"] not in self.forgotten | self.hidden]
        if "displayId" in told:
            rows = [one for one in rows if one["displayId"] == told["displayId"]]
        if told.get("includeResolvedCases") is not True:
            rows = [one for one in rows if one["status"] != "resolved"]
        if "afterTime" in told:
            at = datetime.fromisoformat(told["afterTime"])
            rows = [one for one in rows if self._time(one) >= at]
        with_words = told.get("includeCommunications", True)
        page, token = _page(rows, told)
        return {"cases": [self._shown(one, with_words) for one in page], "nextToken": token}

    def _time(self, row: Told) -> datetime:
        told = self.words[row["caseId"]][-1]["timeCreated"] if self.by_words else row["timeCreated"]
        return datetime.fromisoformat(told)

    def _shown(self, row: Told, words: bool) -> Told:
        told = {name: value for name, value in row.items() if name != "resolved"}
        if words:
            said = self._newest_first(row["caseId"])
            recent = {"communications": said[:5], "nextToken": "more" if len(said) > 5 else None}
            told["recentCommunications"] = recent
        return told

    def _newest_first(self, case: str) -> list[dict[str, Any]]:
        said = list(reversed(self.words[case]))
        return sorted(said, key=lambda one: str(one["timeCreated"]), reverse=True)

    def do_DescribeCommunications(self, told: Told) -> Told:
        rows = self._newest_first(self._case(told))
        rows = [one for one in rows if one["timeCreated"] >= told.get("afterTime", "")]
        page, token = _page(rows, told)
        return {"communications": page, "nextToken": token}

    def do_AddCommunicationToCase(self, told: Told) -> Told:
        case = self._case(told)
        _text(told)
        self.say(case, US, told["communicationBody"], files=self._set(told))
        return {"result": True}

    def do_ResolveCase(self, told: Told) -> Told:
        case = self._case(told)
        before = self.cases[case]["status"]
        if before != "resolved":
            self.sets_state(case, "resolved")
        return {"initialCaseStatus": before, "finalCaseStatus": "resolved"}

    def do_AddAttachmentsToSet(self, told: Told) -> Told:
        files = [
            (one["fileName"], base64.b64decode(one["data"], validate=True)) for one in told["attachments"]
        ]
        if len(files) > 3 or any(len(content) > 5 * 2**20 for _, content in files):
            raise Fault("AttachmentSetSizeLimitExceeded", "three attachments and 5 MB per attachment")
        number, ends = f"as-{uuid4().hex}", self.now() + timedelta(hours=1)
        self.sets[number] = ends, [{"name": name, "content": content} for name, content in files]
        return {"attachmentSetId": number, "expiryTime": _stamp(ends)}

    def _set(self, told: Told) -> list[str]:
        """The files of a set that is named, which is used up."""
        if "attachmentSetId" not in told:
            return []
        if told["attachmentSetId"] not in self.sets:
            raise Fault(
                "AttachmentSetIdNotFound", "An attachment set with the specified ID could not be found."
            )
        ends, files = self.sets[told["attachmentSetId"]]
        if ends < self.now():
            raise Fault("AttachmentSetExpired", "The expiration time of the attachment set has passed.")
        names = [f"attachment-{uuid4().hex}" for _ in files]
        self.files |= {n: (one["name"], one["content"]) for n, one in zip(names, files, strict=True)}
        return names

    def do_DescribeAttachment(self, told: Told) -> Told:
        if told["attachmentId"] not in self.files:
            raise Fault("AttachmentIdNotFound", "An attachment with the specified ID could not be found.")
        name, content = self.files[told["attachmentId"]]
        return {"attachment": {"fileName": name, "data": base64.b64encode(content).decode()}}

    def do_DescribeSeverityLevels(self, told: Told) -> Told:
        return {"severityLevels": [{"code": one, "name": one.title()} for one in SEVERITIES]}

    def do_DescribeServices(self, told: Told) -> Told:
        asked = told.get("serviceCodeList") or list(SERVICES)
        return {
            "services": [
                {"code": code, "name": code, "categories": [{"code": kind, "name": kind} for kind in kinds]}
                for code, kinds in SERVICES.items()
                if code in asked
            ]
        }


def _text(told: Told) -> None:
    if not 1 <= len(told.get("communicationBody", "")) <= 8000:
        raise Fault("ValidationException", "communicationBody must have 1 to 8000 characters")
    if len(told.get("ccEmailAddresses", ())) > 10:
        raise Fault("ValidationException", "ccEmailAddresses has more than 10")


def _page(rows: list[Any], told: Told) -> tuple[list[Any], str | None]:
    size = told.get("maxResults", 10)
    if type(size) is not int or not 10 <= size <= 100:
        raise Fault("ValidationException", "maxResults must be 10 to 100")
    start = int(base64.b64decode(told["nextToken"])) if told.get("nextToken") else 0
    end = start + size
    return rows[start:end], base64.b64encode(str(end).encode()).decode() if end < len(rows) else None


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def operation_of(request: httpx.Request) -> str:
    return str(request.headers.get("x-amz-target", "")).partition(".")[2]


class AwsLine(Line):
    """Shows what only reads as a GET to whoever looks at the line: on it, all is a POST."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        method = "GET" if operation_of(request).startswith("Describe") else "POST"
        seen = httpx.Request(method, request.url, headers=request.headers, content=request.content)
        self.asked.append(seen)
        if self._times and self._trouble is not None and self._fits(seen):
            self._times -= 1
            return await self._trouble(request, self._inner.handle_async_request)
        return await self._inner.handle_async_request(request)


class AwsSupportWorld(World):
    """AWS Support, reached in this process."""

    system: ClassVar[Any] = AwsSupport
    url = f"https://{HOST}"
    secret = f"{KEY}:{SECRET}"
    STATES: ClassVar[Mapping[Theirs, str]] = {
        Theirs.WORKING: "work-in-progress",
        Theirs.WAITS_FOR_US: "pending-customer-action",
        Theirs.FIXED: "resolved",
    }

    def __init__(self, **more: Any) -> None:
        self.played = PlayedAws()
        told = {"service": "amazon-elastic-compute-cloud-linux", "category": "instance-issue", **more}
        self.config = AwsSupportConfig.model_validate(told)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    def line(self) -> AwsLine:
        return AwsLine(self.transport())

    def decides(self, request: httpx.Request) -> bool:
        return operation_of(request) in ("CreateCase", "AddCommunicationToCase")

    async def tickets(self, op_id: str) -> int:
        return sum(f"[muster:{op_id}]" in words[0]["body"] for words in self.played.words.values())

    async def said(self, ref: Ref) -> list[Said]:
        return [Said(one["body"]) for one in self.played.words[ref.id]]

    async def says(self, ref: Ref, text: str) -> None:
        self.played.say(ref.id, LENA, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        self.played.sets_state(ref.id, self.STATES[to])

    async def files(self, ref: Ref) -> list[bytes]:
        words = self.played.words[ref.id]
        return [self.played.files[one["attachmentId"]][1] for word in words for one in word["attachments"]]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.played.say(ref.id, US, text)

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.played.now()
        for number in range(count):
            self.played.say(ref.id, LENA, str(number), at)

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.played.cases[ref.id]["severityCode"] = self.config.priorities[to]

    async def expires(self) -> None:
        self.played.keys.clear()
