"""The requests of one operation, made one after the other: filled in, sent, judged, and read.

Only one write of an operation counts, and it comes last: config sees to it. So what goes wrong before it is
what the supplier said, and what goes wrong after it leaves the operation in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlencode

from integrations.answers import Answer, lost, retry_after
from integrations.errors import (
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Conflict,
    Failure,
    Gone,
    OpId,
    RateLimited,
    Rejected,
)
from integrations.rest.names import MAY_LACK
from integrations.rest.pages import PLACES, Place
from integrations.rest.paths import rows as rows_at
from integrations.rest.paths import searched, taken, where
from integrations.rest.steps import Outcome, Step, Steps, Template
from integrations.rest.templates import OMIT, Wanting, compiled, filled
from integrations.wish import Wish
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

MOST_PAGES: Final = 200
_FALSE: Final = frozenset({"", "false", "none", "0", "no"})


@dataclass(frozen=True, slots=True)
class Told:
    """One step's answer: what was taken of it, and the whole for those who look further."""

    step: Step
    given: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Any]] = ()
    data: Any = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A step as `muster vendors try` shows it."""

    operation: str
    step: Step
    request: str
    status: int
    took: Any


class Runner:
    """Runs operations. Raises `integrations.errors` kinds. watch: told of each step, to be shown.

    asks: whether there are answers at all; a rehearsal has none.
    """

    asks: ClassVar[bool] = True

    def __init__(
        self,
        http: Http,
        headers: Mapping[str, str] | None = None,
        watch: Callable[[Shown], None] | None = None,
    ) -> None:
        self.http = http
        self.headers = headers or {}
        self.watch = watch

    @property
    def site(self) -> str:
        """The scheme, host and port of the vendor's url."""
        return f"{self.http.base.scheme}://{self.http.base.netloc.decode('ascii')}"

    async def run(
        self,
        operation: str,
        steps: Steps,
        values: Mapping[str, Any],
        op_id: OpId = "",
        *,
        repeatable: bool = False,
    ) -> list[Told]:
        """Every step that was to be made, in order. repeatable: doing all of it twice is doing it once."""
        known: dict[str, Any] = {"omit": OMIT, "vendor": self.http.name, "site": self.site, **values}
        done: list[Told] = []
        counts = False
        for step in steps:
            if step.name is not None:
                known[step.name] = None
            try:
                if step.when is not None and not self._is_wanted(step.when, known):
                    continue
                told = await self._step(operation, step, known, op_id, repeatable)
            except Failure as failure:
                if counts and not isinstance(failure, Ambiguous):
                    raise Ambiguous(
                        f"{failure.why} It came after what was asked for was done.", op_id
                    ) from None
                raise
            except Wanting as lacks:
                raise self._unfilled(operation, lacks, counts, op_id) from None
            counts = counts or not (step.reads or step.repeatable or repeatable)
            done.append(told)
            if step.name is not None:
                known[step.name] = _named(told)
        return done

    def done(self, operation: str, steps: Steps, told: Sequence[Told]) -> Told:
        """What its last request gave; Rejected where its `when` said that it is not to be made now."""
        if not steps:
            raise Rejected(
                f"vendors.toml does not say how `{operation}` is done at {self.http.name}: nothing was sent."
                f" Write [[vendor.{self.http.name}.{operation}]]."
            )
        if told and told[-1].step is steps[-1]:
            return told[-1]
        raise Rejected(
            f"{self.http.name} does not allow this to us as things stand there: the last request of"
            f" `{operation}` in vendors.toml is made only when {steps[-1].when}, so it was not."
        )

    def expected(self, step: Step, values: Mapping[str, Any], told: Sequence[Told]) -> str:
        """What the reference of each row of a `find` must be."""
        known: dict[str, Any] = {"omit": OMIT, "vendor": self.http.name, "site": self.site, **values}
        for one in told:
            if one.step.name is not None:
                known[one.step.name] = _named(one)
        try:
            return str(compiled(step.expects).made(known))
        except Wanting as lacks:
            raise self._unfilled("find", lacks, False, "") from None

    def _unfilled(self, operation: str, lacks: Wanting, counts: bool, op_id: OpId) -> Failure:
        says = f"`{operation}` of {self.http.name} in vendors.toml: {lacks}"
        if counts:
            return Ambiguous(f"{says}, after what was asked for was done.", op_id)
        return Rejected(f"{says}: nothing was sent. Mend it there.")

    def _is_wanted(self, when: Template, known: Mapping[str, Any]) -> bool:
        """Whether a request is made that is only made where this gives something."""
        found = compiled(when).made(known)
        return found.strip().lower() not in _FALSE if isinstance(found, str) else bool(found)

    async def _step(
        self, operation: str, step: Step, known: Mapping[str, Any], op_id: OpId, repeatable: bool
    ) -> Told:
        place: Place | None = PLACES[step.paging.kind](step.paging) if step.paging else None
        rows: list[Mapping[str, Any]] = []
        for _ in range(MOST_PAGES):
            answer, path = await self._asked(step, known, place, op_id, repeatable)
            data = self._data(step, answer)
            self._refused(step, answer, data)
            if step.rows is None:
                given = self._given(operation, step, answer, data, known)
                self._show(operation, step, path, answer, given)
                return Told(step, given, (), data)
            found = rows_at(step.rows, data)
            if found is None:
                raise self._lost(operation, answer, f"gave no list at {step.rows!r}")
            page = [
                {name: taken(take, row, answer.headers) for name, take in step.gives.items()} for row in found
            ]
            self._show(operation, step, path, answer, page)
            rows += page
            if place is None or not place.goes_on(len(found), data, answer.headers):
                return Told(step, {}, tuple(rows), data)
        raise Rejected(f"{self.http.name} gave more than {MOST_PAGES} pages: asking again will not help.")

    async def _asked(
        self, step: Step, known: Mapping[str, Any], place: Place | None, op_id: OpId, repeatable: bool
    ) -> tuple[Answer, str]:
        """The answer, and the path that was asked for, filled in."""
        path = compiled(step.path, path=True).made(known)
        query = _flat({name: compiled(text).made(known) for name, text in step.query.items()})
        if place is not None:
            path, query = place.put(path, query, str(self.http.base))
        headers = {
            name: str(value) for name, value in filled({**self.headers, **step.headers}, known).items()
        }
        json, content, kind = _body(step, known, op_id)
        wish = Wish(
            step.method,
            path,
            repeatable or step.reads or step.repeatable,
            query,
            json,
            content,
            {**headers, **({"Content-Type": kind} if kind else {})},
            op_id,
            told=frozenset(step.statuses),
        )
        return await self.http.ask(wish), path

    def _data(self, step: Step, answer: Answer) -> Any:
        """The body. Where it is JSON it must be whole, whether anything is taken of it or not."""
        wants = (
            step.rows
            or step.tells
            or step.ok
            or any(isinstance(take, str) or take.path for take in step.gives.values())
        )
        if wants or (answer.body and "json" in answer.headers.get("content-type", "").lower()):
            return answer.json()
        return None

    def _refused(self, step: Step, answer: Answer, data: Any) -> None:
        """Raise what an answer means that is no yes, by its status or by what stands in it."""
        means = step.statuses.get(answer.status, Outcome.OK)
        found = None if step.says is None else searched(step.says, data)
        said = self.http.masked(clip(one_line(str(found)), 300)) if found else ""
        told = f" ({said})" if said else ""
        if means is not Outcome.OK:
            raise _FAILURES[means](f"{answer.name} said no: HTTP {answer.status}{told}.", answer)
        if answer.status >= 300 and answer.status not in step.statuses:
            raise Rejected(f"{answer.name} said no: HTTP {answer.status}{told}.", answer.status)
        if step.ok is not None and not searched(step.ok, data):
            raise Rejected(f"{answer.name} answered, and did not do it{told}.", answer.status)

    def _given(
        self, operation: str, step: Step, answer: Answer, data: Any, known: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        given = {name: taken(take, data, answer.headers, known) for name, take in step.gives.items()}
        lacks = [name for name, value in given.items() if value is None and name not in MAY_LACK]
        if lacks:
            says = ", ".join(f"{name} at {where(step.gives[name])}" for name in lacks)
            raise self._lost(operation, answer, f"gave no {says}")
        return given

    def _lost(self, operation: str, answer: Answer, says: str) -> Failure:
        says = f"{says}, where `{operation}` in vendors.toml says that it stands"
        return lost(answer.name, says, answer.repeatable, answer.op_id)

    def _show(self, operation: str, step: Step, path: str, answer: Answer, took: Any) -> None:
        if self.watch is not None:
            self.watch(Shown(operation, step, f"{step.method} {path}", answer.status, took))


def _named(told: Told) -> Any:
    """What later steps see of one: its values, or those of each row."""
    if told.step.rows is None:
        return SimpleNamespace(**told.given)
    return [SimpleNamespace(**row) for row in told.rows]


def _flat(query: Mapping[str, Any]) -> dict[str, Any]:
    """The query as it goes out: what is left out is not there, a list is said once for each."""
    return {name: value for name, value in query.items() if value is not OMIT and value is not None}


def _body(step: Step, known: Mapping[str, Any], op_id: OpId) -> tuple[Any, bytes | None, str]:
    """JSON, or bytes with their type."""
    if step.send == "bytes":
        return None, known["content"], known["media_type"]
    if step.body is None and step.send == "json":
        return None, None, ""
    made = filled({} if step.body is None else step.body, known)
    if step.send == "json":
        return made, None, ""
    if step.send == "form":
        return None, urlencode(made, doseq=True).encode(), "application/x-www-form-urlencoded"
    return None, _parts(step, made, known, op_id), f"multipart/form-data; boundary=muster-{op_id}"


def _parts(step: Step, made: Mapping[str, Any], known: Mapping[str, Any], op_id: OpId) -> bytes:
    """A form with a file in it (RFC 7578). The operation id is in no file but by a name that carries it."""
    line = f"--muster-{op_id}\r\nContent-Disposition: form-data; name=".encode()
    said = [line + f'"{_safe(name)}"\r\n\r\n{value}\r\n'.encode() for name, value in made.items()]
    head = f'"{_safe(step.file_part)}"; filename="{_safe(str(known["name"]))}"'
    kind = f"\r\nContent-Type: {known['media_type']}\r\n\r\n"
    return b"".join(
        [*said, line, (head + kind).encode(), known["content"], f"\r\n--muster-{op_id}--\r\n".encode()]
    )


def _safe(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _wait(why: str, answer: Answer) -> Failure:
    return RateLimited(why, retry_after(answer.headers, datetime.now(UTC)))


_FAILURES: Final[Mapping[Outcome, Callable[[str, Answer], Failure]]] = {
    Outcome.REJECTED: lambda why, answer: Rejected(why, answer.status),
    Outcome.GONE: lambda why, _: Gone(why),
    Outcome.CONFLICT: lambda why, answer: Conflict(why, answer.headers.get("etag")),
    Outcome.WAIT: _wait,
    Outcome.REFUSED: lambda why, _: AuthFailed(why, AuthTrouble.REFUSED),
    Outcome.FORBIDDEN: lambda why, _: AuthFailed(why, AuthTrouble.FORBIDDEN),
}
