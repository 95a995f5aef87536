"""Random filters and random incidents, for laws about both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from register.clocks.track import extended
from register.filter.fields import FIELDS, FLAGS, HOLDS, STATES
from register.filter.syntax import And, Compare, Everything, Flag, Node, Not, Or, Span, Text, Wall
from register.incident import (
    Alert,
    Bond,
    BondState,
    Hold,
    HoldReason,
    Impact,
    Incident,
    Paging,
    Run,
    Severity,
    State,
    Urgency,
    Visibility,
)
from register.run import Plan, PlanStep

NOW = datetime(2026, 3, 29, 12, 0, 30, 250_000, tzinfo=UTC)
PEOPLE = {"p1": "Ana", "p2": "Ben Berg", "p3": "ßen", "p4": "ana"}
VENDORS = ("acme", "nord_net", "a-b")
LETTERS = "aAbBsSßẞİiIıﬁFéÉe\u0301Å%_\\\"'/[],:{} -("
NAMES = (
    "",
    "infra",
    "Infra",
    "STRASSE",
    "straße",
    "İzmir",
    "a team of a very long name, indeed",
    "%",
    "no_ne",
)
TITLES = st.text(LETTERS, min_size=1, max_size=12) | st.text(LETTERS, min_size=115, max_size=200)
NEEDLES = st.text(LETTERS, min_size=1, max_size=3).filter(lambda words: words.strip() != "")
SECONDS = st.sampled_from([0, 1, 60, 3600, 86_400]) | st.integers(0, 200_000)
AGO = st.tuples(SECONDS, st.integers(-1, 1), st.integers(0, 999_999)).map(
    lambda it: NOW.replace(microsecond=0) - timedelta(seconds=it[0] + it[1]) + timedelta(microseconds=it[2])
)


ALERT = Alert(
    id="a",
    source="nagios",
    service="shop",
    key="k",
    category="",
    severity=Severity.ERROR,
    first_seen=NOW,
    last_seen=NOW,
    started=NOW,
    leader="INC-1",
)


@st.composite
def incidents(draw: Any, n: int) -> Incident:
    reason = draw(st.sampled_from(HoldReason))
    state = draw(st.sampled_from(State))
    one = Incident(
        number=f"INC-{n}",
        title=draw(TITLES),
        state=state,
        hold=Hold(reason=reason, on="x") if state is State.ON_HOLD else None,
        impact=draw(st.sampled_from(Impact)),
        urgency=draw(st.sampled_from(Urgency)),
        service=draw(st.sampled_from(NAMES)),
        category=draw(st.sampled_from(NAMES)),
        owner=draw(st.none() | st.sampled_from(sorted(PEOPLE))),
        team=draw(st.sampled_from(NAMES)),
        reporter=draw(st.sampled_from(sorted(PEOPLE))),
        visibility=draw(st.sampled_from((Visibility.EVERYONE, *Visibility))),
        opened_at=draw(AGO),
        updated_at=draw(AGO),
        acknowledged_at=draw(st.none() | AGO),
        alert=draw(st.none() | st.sampled_from((ALERT, ALERT.but(firing=False)))),
        bonds=tuple(draw(st.lists(_bonds(n), max_size=4, unique_by=lambda bond: bond.id))),
    )
    state_of_run = draw(st.none() | st.sampled_from([one for one in Paging if one]))
    if state_of_run is not None:
        plan = Plan(policy="usual", version=1, team="x", steps=(PlanStep(targets=("team",), wait=300),))
        one = one.but(run=Run(id="r", plan=plan, began=NOW, why="opened", state=state_of_run, next_at=None))
    logged = draw(AGO | AGO.map(lambda moment: moment - timedelta(hours=4)))  # due 4 hours later, at P1
    return one.but(track=extended(None, one, logged))


@st.composite
def _bonds(draw: Any, n: int) -> Bond:
    return Bond(
        id=f"{n}:{draw(st.integers(1, 9))}",
        vendor=draw(st.sampled_from(VENDORS)),
        production=False,
        state=draw(st.sampled_from(BondState)),
        ball_since=NOW,
        engaged_at=NOW,
        engaged_by="p1",
    )


TIMES: st.SearchStrategy[Any] = st.sampled_from(
    [Wall(text) for text in ("2026-03-29", "2026-03-28", "today", "yesterday", "12:00", "2026-03-29T11:00")]
    + [Wall("2026-03-29T11:59:30"), Wall("2026-03-29T13:00+02:00"), Wall("2026-03-29T10:00:01Z")]
)
SPANS = (SECONDS | SECONDS.map(lambda s: -s)).map(
    lambda s: Span(s // 60 * 60 if s >= 0 else -(-s // 60 * 60))
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "p": st.integers(1, 5),
    "number": st.integers(1, 12),
    "state": st.sampled_from(sorted(STATES)),
    "hold": st.sampled_from(HOLDS),
    "owner": st.sampled_from(["ana", "Ben", "ben berg", "SSEN", "carl"]),
    "team": st.sampled_from(NAMES[1:]) | NEEDLES,
    "service": st.sampled_from(NAMES[1:]) | NEEDLES,
    "category": st.sampled_from(NAMES[1:]) | NEEDLES,
    "vendor": st.sampled_from((*VENDORS, "nordxnet", "open")),
    "opened": TIMES,
    "updated": TIMES,
    "due": TIMES,
}


@st.composite
def _tests(draw: Any) -> Compare:
    name = draw(st.sampled_from(sorted(set(FIELDS) - {"text"})))
    field, op = FIELDS[name], draw(st.sampled_from(FIELDS[name].ops))
    same = op in ("=", "!=")
    one = _VALUES[name]
    if same and field.specials:
        one = one | st.sampled_from(sorted(field.specials, key=lambda special: special.value))
    elif not same and one is TIMES:
        one = one | SPANS
    values = draw(st.lists(one, min_size=1, max_size=3 if same else 1))
    return Compare(name, op, tuple(values))


LEAVES: st.SearchStrategy[Node] = st.one_of(
    NEEDLES.map(Text),
    st.sampled_from([Text(word, bare=True) for word in ("a", "ß", "12:30", "%", "_", "\\", "İ", "b-c")]),
    st.sampled_from(FLAGS).map(Flag),
    _tests(),
    _tests(),
)


def _grown(part: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(part, min_size=2, max_size=3).map(tuple)
    return part.map(Not) | several.map(And) | several.map(Or)


FILTERS: st.SearchStrategy[Node] = st.just(Everything()) | st.recursive(LEAVES, _grown, max_leaves=6)
