"""The practice supplier: a real HTTP server with tickets, people and moods."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from integrations.practice.agent import Agent, Pace
from integrations.practice.desk import MAY, Desk, DeskRefused
from integrations.practice.moods import (
    MOODS,
    AnswerHtml,
    Calm,
    CommitThenDrop,
    DropBeforeCommit,
    Hang,
    LateCommit,
    Mood,
    Moods,
    RateLimit,
    Refuse500,
    Slow,
    TruncatedJson,
    operation_of,
)
from integrations.practice.server import PortTaken, Practice, running_practice

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
CUT = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running_practice() as supplier:
        yield supplier


@pytest.fixture
def http(practice: Practice) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=practice.url, timeout=5, trust_env=False) as client:
        yield client


def make(http: httpx.Client, **fields: object) -> dict[str, object]:
    answer = http.post("/tickets", json={"title": "disk full", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


# The desk


def test_asked_twice_the_desk_makes_two_and_finds_both_oldest_first() -> None:
    desk = Desk(lambda: NOON)
    first, second = (desk.create("muster", "disk full", reference="R1") for _ in range(2))
    assert [t.key for t in desk.with_reference("R1")] == [first.key, second.key] == ["PD-1001", "PD-1002"]
    assert desk.with_reference("R") == desk.with_reference("") == ()


def test_a_deleted_ticket_is_gone_and_its_key_is_not_given_again() -> None:
    desk = Desk(lambda: NOON)
    desk.delete(desk.create("muster", "disk full", reference="R1").key)
    with pytest.raises(DeskRefused) as refused:
        desk.ticket("PD-1001")
    assert refused.value.status == 404
    assert desk.with_reference("R1") == ()
    assert desk.create("muster", "again").key == "PD-1002"


@pytest.mark.parametrize("now", MAY)
@pytest.mark.parametrize("then", MAY)
def test_states_go_as_the_table_says(now: str, then: str) -> None:
    desk = Desk(lambda: NOON)
    ticket = desk.create("muster", "disk full")
    desk.set_state(ticket.id, "agent", now)
    if then in MAY[now]:
        change = desk.set_state(ticket.id, "agent", then)
        assert desk.ticket(ticket.id).state == then
        assert (change is None) == (now == then)
    else:
        with pytest.raises(DeskRefused, match=f"{now} cannot become {then}"):
            desk.set_state(ticket.id, "agent", then)


def test_a_stale_version_changes_nothing() -> None:
    desk = Desk(lambda: NOON)
    ticket = desk.create("muster", "disk full")
    desk.comment(ticket.id, "agent", "hello", version=ticket.version)
    with pytest.raises(DeskRefused) as refused:
        desk.comment(ticket.id, "agent", "hello again", version=ticket.version)
    assert refused.value.status == 412
    assert desk.last_seq == 2


# The API


def test_a_ticket_from_making_to_closing(practice: Practice, http: httpx.Client) -> None:
    made = make(http, reference="R1", body="since 10:00", priority="High")
    path = f"/tickets/{made['id']}"
    assert (made["key"], made["state"], made["priority"]) == ("PD-1001", "Open", "High")
    assert http.get(path).json() == http.get("/tickets/PD-1001").json() == made

    comment = http.post(f"{path}/comments", json={"body": "more", "public": False})
    assert (comment.status_code, comment.json()["public"]) == (201, False)
    assert http.put(f"{path}/state", json={"state": "Closed"}).json()["ticket"]["state"] == "Closed"
    assert http.put(f"{path}/state", json={"state": "Closed"}).json()["change"] is None

    changes = http.get(f"{path}/changes").json()["changes"]
    assert [(c["seq"], c["kind"], c["author"], c["state"]) for c in changes] == [
        (1, "created", "muster", "Open"),
        (2, "comment", "muster", "Open"),
        (3, "state", "muster", "Closed"),
    ]
    assert http.get("/tickets", params={"reference": "R1"}).json()["tickets"][0]["version"] == 3
    assert practice.desk.ticket("PD-1001").state == "Closed"


def test_changes_come_in_order_page_by_page(practice: Practice, http: httpx.Client) -> None:
    for n in range(7):
        practice.desk.create("muster", f"ticket {n}")
    seen: list[int] = []
    while page := http.get("/changes", params={"after": seen[-1] if seen else 0, "limit": 3}).json()[
        "changes"
    ]:
        seen += [c["seq"] for c in page]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert http.get("/changes").json() == {"changes": [], "last": 7, "desk": practice.desk.name}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "/tickets", {"title": ""}, 422, "title"),
        ("POST", "/tickets", {"title": "x" * 201}, 422, "title"),
        ("POST", "/tickets", {"title": "x", "priority": "P1"}, 422, "priority"),
        ("POST", "/tickets", {"title": "x", "queue": "Sales"}, 422, "queue"),
        ("POST", "/tickets", {"title": "x", "nonsense": 1}, 422, "nonsense"),
        ("POST", "/tickets", ["x"], 422, "body"),
        ("GET", "/tickets", None, 422, "reference"),
        ("GET", "/tickets/PD-1", None, 404, "ticket"),
        ("POST", "/tickets/PD-1/comments", {"body": "x"}, 404, "ticket"),
        ("POST", "/tickets/PD-1001/comments", {"body": " "}, 422, "body"),
        ("PUT", "/tickets/PD-1001/state", {"state": "Solved"}, 422, "state"),
        ("GET", "/changes?after=-1", None, 422, "after"),
        ("GET", "/changes?limit=101", None, 422, "limit"),
    ],
)
def test_what_is_wrong_is_refused_by_field(
    http: httpx.Client, method: str, path: str, body: object, status: int, field: str
) -> None:
    make(http)
    answer = http.request(method, path, json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [field])


def test_a_stale_if_match_is_refused(http: httpx.Client) -> None:
    make(http)
    post = {"url": "/tickets/PD-1001/comments", "json": {"body": "x"}, "headers": {"If-Match": '"1"'}}
    assert [http.post(**post).status_code for _ in range(2)] == [201, 412]  # type: ignore[arg-type]


def test_with_a_token_nobody_else_comes_in() -> None:
    with running_practice(token="right") as supplier, httpx.Client(base_url=supplier.url) as http:
        given = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer right"}]
        assert [http.get("/whoami", headers=h).status_code for h in given] == [401, 401, 200]
        assert http.post("/tickets", json={"title": "x"}).status_code == 401
        assert supplier.desk.tickets == ()


def test_the_suppliers_people_can_be_played_over_http(practice: Practice, http: httpx.Client) -> None:
    make(http)
    answer = http.post("/practice/act", json={"ticket": "PD-1001", "comment": "on it", "state": "Working"})
    assert answer.json()["state"] == "Working"
    assert [(c.kind, c.author) for c in practice.desk.changes[1:]] == [
        ("comment", "practice agent"),
        ("state", "practice agent"),
    ]


# Moods


@pytest.mark.parametrize(
    ("mood", "made"),
    [(CommitThenDrop(), 1), (DropBeforeCommit(), 0), (LateCommit(0.2), 0)],
    ids=lambda m: str(m),
)
def test_a_cut_line_gives_no_answer_and_then_all_is_well(
    practice: Practice, http: httpx.Client, mood: Mood, made: int
) -> None:
    practice.mood = mood
    with pytest.raises(CUT):
        http.post("/tickets", json={"title": "disk full"})
    assert len(practice.desk.tickets) == made
    assert practice.mood == Calm()
    make(http)
    assert len(practice.desk.tickets) == made + 1


def test_a_late_commit_happens_when_its_caller_has_gone(practice: Practice, http: httpx.Client) -> None:
    practice.mood = LateCommit(0.3)
    with pytest.raises(CUT):
        http.post("/tickets", json={"title": "disk full", "reference": "R1"})
    assert http.get("/tickets", params={"reference": "R1"}).json() == {"tickets": []}
    until = time.monotonic() + 5
    while not practice.desk.tickets and time.monotonic() < until:
        time.sleep(0.02)
    assert [t.reference for t in practice.desk.tickets] == ["R1"]


@pytest.mark.parametrize("operation", ["comment", "state"])
def test_comments_and_states_are_committed_and_dropped_too(
    practice: Practice, http: httpx.Client, operation: str
) -> None:
    make(http)
    practice.moods.set(CommitThenDrop(on=operation))  # type: ignore[arg-type]
    ask = {"comment": ("POST", "comments", {"body": "x"}), "state": ("PUT", "state", {"state": "Working"})}
    method, what, body = ask[operation]
    with pytest.raises(CUT):
        http.request(method, f"/tickets/PD-1001/{what}", json=body)
    assert practice.desk.changes[-1].kind == operation


def test_the_line_is_cut_as_often_as_was_said_and_reads_are_left_alone(
    practice: Practice, http: httpx.Client
) -> None:
    practice.mood = CommitThenDrop(2)
    for _ in range(2):
        assert http.get("/whoami").status_code == 200
        with pytest.raises(CUT):
            make(http)
    make(http)
    assert len(practice.desk.tickets) == 3


def test_a_cut_line_hurts_no_other(practice: Practice, http: httpx.Client) -> None:
    with httpx.Client(base_url=practice.url) as other:
        assert other.get("/whoami").status_code == 200
        practice.mood = DropBeforeCommit()
        with pytest.raises(CUT):
            make(http)
        assert other.get("/whoami").status_code == 200


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("kind", [Refuse500, AnswerHtml])
def test_a_wrong_answer_may_hide_a_ticket(
    practice: Practice, http: httpx.Client, kind: type[Refuse500 | AnswerHtml], commits: bool
) -> None:
    practice.mood = kind(commits=commits)
    answer = http.post("/tickets", json={"title": "x"})
    assert answer.status_code == (500 if kind is Refuse500 else 200)
    assert answer.headers["content-type"].startswith("application/json" if kind is Refuse500 else "text/html")
    assert len(practice.desk.tickets) == commits


@pytest.mark.parametrize("form", ["seconds", "date", "iso", "none"])
def test_retry_after_comes_in_every_form(practice: Practice, http: httpx.Client, form: str) -> None:
    practice.mood = RateLimit(120, form)  # type: ignore[arg-type]
    answer = http.get("/whoami")
    assert answer.status_code == 429
    told = answer.headers.get("retry-after", "")
    read = {
        "seconds": lambda: timedelta(seconds=int(told)),
        "date": lambda: parsedate_to_datetime(told) - datetime.now(UTC),
        "iso": lambda: datetime.fromisoformat(told) - datetime.now(UTC),
        "none": lambda: timedelta(seconds=119) if told == "" else timedelta(),
    }[form]()
    assert timedelta(seconds=115) < read <= timedelta(seconds=121)


def test_a_truncated_answer_is_whole_http_and_broken_json(practice: Practice, http: httpx.Client) -> None:
    practice.mood = TruncatedJson()
    answer = http.post("/tickets", json={"title": "x"})
    assert answer.status_code == 201
    with pytest.raises(ValueError):
        answer.json()
    assert len(practice.desk.tickets) == 1


def test_slow_answers_come_and_hanging_ones_do_not(practice: Practice) -> None:
    with httpx.Client(base_url=practice.url, timeout=0.5) as http:
        practice.mood = Slow(0.2, times=1)
        start = time.monotonic()
        make(http)
        assert time.monotonic() - start >= 0.2
        practice.mood = Hang(commits=True)
        with pytest.raises(httpx.ReadTimeout):
            make(http)
    assert len(practice.desk.tickets) == 2


def test_a_hanging_supplier_can_be_ended(caplog: pytest.LogCaptureFixture) -> None:
    with running_practice() as supplier, socket.create_connection(supplier.address) as caller:
        supplier.mood = Hang()
        caller.sendall(b"GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n")
        caller.settimeout(0.3)
        with pytest.raises(TimeoutError):
            caller.recv(1)
        supplier.stop()
        caller.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert caller.recv(1) == b""
    assert caplog.records == []


def test_moods_are_set_over_http_and_wait_in_order(practice: Practice, http: httpx.Client) -> None:
    asked = [{"mood": "refuse_500", "times": 1, "on": "find", "status": 503}, {"mood": "commit_then_drop"}]
    told = http.post("/practice/mood", json=asked).json()["moods"]
    assert [(m["mood"], m["times"], m["on"]) for m in told] == [
        ("refuse_500", 1, "find"),
        ("commit_then_drop", 1, "writes"),
    ]
    with pytest.raises(CUT):
        make(http)
    assert http.get("/tickets", params={"reference": "R"}).status_code == 503
    assert http.get("/practice/mood").json() == {"moods": []}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "commit_then_drop"),
        ([1], "commit_then_drop"),
        ({"mood": "cross"}, "commit_then_drop"),
        ({"mood": "slow", "second": 1}, "second"),
        ({"mood": "slow", "seconds": "x"}, "seconds"),
        ({"mood": "hang", "on": "tuesdays"}, "on"),
    ],
)
def test_a_mood_that_is_none_is_refused(http: httpx.Client, asked: object, says: str) -> None:
    answer = http.post("/practice/mood", json=asked)
    assert answer.status_code == 422
    assert says in answer.json()["errors"]["mood"]


@pytest.mark.parametrize("name", MOODS)
def test_every_mood_can_be_set_by_name_and_says_what_it_is(name: str) -> None:
    moods = Moods()
    moods.set_from({"mood": name})
    assert moods.current().name == name
    assert MOODS[name].__doc__


def test_no_mood_strikes_the_door_by_which_it_is_ended() -> None:
    moods = Moods()
    moods.set(Hang())
    assert moods.take(operation_of("POST", "/practice/mood")) == Calm()
    assert moods.take(operation_of("GET", "/whoami")) == Hang()


# Its people


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def pace() -> Pace:
    return Pace(*(timedelta(seconds=s) for s in (4, 9, 60, 6)), spread=0)


def test_the_agent_takes_replies_and_fixes_in_its_time(pace: Pace) -> None:
    desk = Desk(lambda: NOON)
    agent = Agent(desk, pace)
    desk.create("muster", "disk full")
    told = []
    for seconds in (3, 4, 9, 59, 60, 600):
        agent.step(later(seconds))
        told.append((desk.ticket("PD-1001").state, desk.last_seq))
    assert told == [("Open", 1), ("Working", 2), ("Working", 3), ("Working", 3), ("Fixed", 5), ("Fixed", 5)]
    assert desk.ticket("PD-1001").assignee == "practice agent"


def test_the_agent_answers_us_once_and_never_itself(pace: Pace) -> None:
    desk = Desk(lambda: NOON)
    agent = Agent(desk, pace)
    desk.create("muster", "disk full")
    desk.comment("PD-1001", "muster", "any news?")
    desk.comment("PD-1001", "muster", "any news now?")
    for seconds in range(50):
        agent.step(later(seconds))
    assert [c.author for c in desk.changes if c.kind == "comment"] == ["muster"] * 2 + ["practice agent"] * 2


def test_the_agent_leaves_a_closed_or_deleted_ticket_in_peace(pace: Pace) -> None:
    desk = Desk(lambda: NOON)
    agent = Agent(desk, pace)
    desk.create("muster", "closed")
    desk.create("muster", "deleted")
    desk.set_state("PD-1001", "muster", "Closed")
    agent.step(NOON)
    desk.delete("PD-1002")
    agent.step(later(600))
    assert [c.author for c in desk.changes] == ["muster"] * 3
    assert desk.ticket("PD-1001").assignee == ""


def test_the_same_seed_says_the_same() -> None:
    def told(seed: int) -> list[str]:
        desk = Desk(lambda: NOON)
        agent = Agent(desk, seed=seed)
        for n in range(8):
            desk.create("muster", f"ticket {n}")
        for seconds in range(100):
            agent.step(later(seconds))
        return [f"{c.ticket} {c.body}" for c in desk.changes]

    assert told(1) == told(1) != told(2)


def test_the_agent_works_while_the_supplier_runs() -> None:
    quick = Pace(*[timedelta(seconds=0.05)] * 4)
    with running_practice(agent=True, pace=quick) as supplier:
        httpx.post(f"{supplier.url}/tickets", json={"title": "disk full"})
        until = time.monotonic() + 5
        while supplier.desk.ticket("PD-1001").state != "Fixed" and time.monotonic() < until:
            time.sleep(0.02)
        assert supplier.desk.ticket("PD-1001").state == "Fixed"


# As a process


def test_answers_do_not_wait_for_the_network(practice: Practice, http: httpx.Client) -> None:
    """Nagle and a delayed ACK together cost 40 ms a request; the best of some is far below on any machine."""
    took = []
    for _ in range(20):
        start = time.monotonic()
        make(http)
        took.append(time.monotonic() - start)
    assert min(took[1:]) < 0.03


def test_it_runs_by_itself_and_says_where() -> None:
    command = [sys.executable, "-m", "integrations.practice", "--port", "0", "--no-agent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("practice supplier on http://127.0.0.1:")
            assert httpx.get(f"{line.split()[-1]}/whoami").json()["account"] == "muster"
        finally:
            process.terminate()
        process.wait(10)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_without_a_word_when_told_to(how: signal.Signals) -> None:
    command = [sys.executable, "-m", "integrations.practice", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(how)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode in (0, -signal.SIGTERM)


def test_a_taken_port_is_said_so(practice: Practice, capfd: pytest.CaptureFixture[str]) -> None:
    port = practice.url.rpartition(":")[2]
    with pytest.raises(PortTaken, match=f"Port {port} .* is taken"):
        Practice(port=int(port))
    command = [sys.executable, "-m", "integrations.practice", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert "--port" in done.stderr
