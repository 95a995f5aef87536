"""matrix.toml: what is taken, who owns what, what is refused, and where a person is sent to mend it."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from register.length import period, told
from register.matrix_toml import SAMPLE, read_matrix
from register.policy import DEFAULT_MATRIX
from register.roles import Role
from register.toml_file import FileFaults

DESK = """\
fallback_team = "desk"
[teams.desk]
name = "Desk"
[teams.ops]
name = "Operations"
[teams.net]
name = "Network"
"""
NAMES = DESK + '[services]\nShop = "sells"\nPay = "pays"\n[categories]\napp = { team = "ops" }\ncable = {}\n'


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(FileFaults) as error:
        read_matrix(text)
    assert all(fault.endswith((".", "?")) and fault.isprintable() for fault in error.value.faults)
    assert "??" not in str(error.value)
    assert "?." not in str(error.value)
    return error.value.faults


def faults_of(text: str) -> tuple[str, ...]:
    try:
        read_matrix(text)
    except FileFaults as refused:
        return refused.faults
    return ()


def rule(team: str, **names: str) -> str:
    return f'[[ownership]]\nteam = "{team}"\n' + "".join(f'{key} = "{v}"\n' for key, v in names.items())


# What is taken


def test_the_sample_that_ships_reads_clean_and_gives_each_pair_a_team() -> None:
    matrix = read_matrix(SAMPLE.read_text("utf-8"))
    for service in [*matrix.services, "", "never heard of"]:
        for category in [*matrix.categories, "", "never heard of"]:
            assert matrix.owning_team(service, category) in matrix.teams
    assert matrix.owning_team("Webshop", "application") == "app-ops"
    assert matrix.owning_team("webshop", "APPLICATION") == "app-ops"
    assert matrix.owning_team("Network", "hardware") == "net-ops"
    assert matrix.owning_team("Test systems", "hardware") == "app-ops"
    assert matrix.owning_team("", "") == "service-desk"
    assert matrix.first_line() == ("service-desk",)
    assert matrix.auto_close_after == timedelta(days=5)


def test_without_a_matrix_one_team_owns_everything_and_words_are_free() -> None:
    assert DEFAULT_MATRIX.owning_team("anything", "at all") == "service-desk"
    assert DEFAULT_MATRIX.first_line() == ("service-desk",)
    assert not DEFAULT_MATRIX.services
    assert not DEFAULT_MATRIX.categories


def test_the_rule_that_names_a_pair_most_exactly_wins() -> None:
    text = NAMES + rule("net", category="cable") + rule("desk", service="Pay", category="cable")
    matrix = read_matrix(text + rule("ops", service="S*", category="cable"))
    assert matrix.owning_team("Shop", "cable") == "ops"  # a pattern is more than *
    assert matrix.owning_team("Pay", "cable") == "desk"  # and a name is more than a pattern
    assert matrix.owning_team("", "cable") == "net"
    assert matrix.owning_team("Shop", "app") == "ops"  # the category's own
    assert matrix.owning_team("Shop", "") == "desk"  # the fallback


def test_a_service_or_category_is_known_whatever_its_capitals() -> None:
    matrix = read_matrix(NAMES)
    assert matrix.service_named("sHOP") == "Shop"
    assert matrix.category_named("APP") == "app"
    assert matrix.service_named("Shoe") is None


PEOPLE = """\
[people.ana]
name = "Ana"
uid = 1001
login = "ana"
role = "coordinator"
[people.ben]
name = "Ben"
login = "ben"
role = "admin"
teams = ["ops", "net"]
[people.cy]
name = "Cy"
login = "cy"
"""


@pytest.mark.parametrize(
    ("uid", "login", "role"),
    [
        (1001, "ana", Role.COORDINATOR),
        (1001, "renamed", Role.COORDINATOR),  # the uid is who they are
        (1002, "ana", Role.VIEWER),  # somebody else got that login
        (None, "ana", Role.VIEWER),
        (7, "ben", Role.ADMIN),
        (8, "cy", Role.VIEWER),  # known, and given no role
        (9, "nobody-knows", Role.VIEWER),
    ],
)
def test_a_role_comes_from_the_uid_else_from_the_login_else_it_is_the_default(
    uid: int | None, login: str, role: Role
) -> None:
    matrix = read_matrix('default_role = "viewer"\n' + DESK + PEOPLE)
    assert matrix.role_of(uid, login) is role


def test_who_may_names_the_people_of_that_role_and_above() -> None:
    matrix = read_matrix('default_role = "viewer"\n' + DESK + PEOPLE)
    assert matrix.who_may(Role.COORDINATOR) == ("Ana", "Ben")
    assert matrix.who_may(Role.VIEWER) == ("Ana", "Ben", "Cy")
    assert matrix.teams_of(7, "ben") == ("ops", "net")
    assert matrix.teams_of(7, "nobody") == ()


@pytest.mark.parametrize("text", ["45m", "1h30m", "5d", "1d2h3m", "100d"])
def test_a_length_of_time_reads_as_it_is_written(text: str) -> None:
    assert told(period(text)) == text


# What is refused


@pytest.mark.parametrize(
    ("line", "place", "says"),
    [
        ('default_rolle = "viewer"', "line 1, default_rolle:", "did you mean default_role?"),
        ('default_role = "boss"', "line 1, default_role:", "write viewer, responder, coordinator, admin"),
        ('default_role = "engine"', "line 1, default_role:", "is no role"),
        ("default_role = 3", "line 1, default_role:", "is no role"),
        ('auto_close_after = "5 dogs"', "line 1, auto_close_after:", "write it like 45m, 1h30m or 5d"),
        ('auto_close_after = "0d"', "line 1, auto_close_after:", "is no time at all"),
        ("flap_window = 30", "line 1, flap_window:", "must be text in quotes"),
        ('services = "Shop"', "line 1, services:", "must be a table"),
        ('people = { bo = { name = "Bo" } }', "line 1, people.bo:", "has neither login nor uid"),
        ('people = { Bo = { name = "Bo", uid = 1 } }', "line 1, people.Bo:", "lower-case letters"),
        ('people = { bo = { name = "Bo", login = "b o" } }', "line 1, people.bo.login:", "is no login"),
        ('people = { bo = { name = "Bo", uid = "1" } }', "line 1, people.bo.uid:", "a whole number"),
        ('people = { bo = { name = "Bo", uid = 1, zone = "M" } }', "line 1, people.bo.zone:", "no time zone"),
        ('people = { bo = { name = "Bo", uid = 1, teams = ["osp"] } }', "line 1, people.bo.teams", "ops?"),
        ('correlation = { same = ["title"] }', "line 1, correlation.same", "'service', 'category'"),
        ("correlation = { same = [] }", "line 1, correlation.same:", "is empty"),
        ('categories = { app = { team = "osp" } }', "line 1, categories.app.team:", "did you mean ops?"),
        ('retention = [{ after = "soon" }]', "line 1, retention.after:", "is no length of time"),
        ('services = { a = "x", A = "y" }', "line 1, services.A:", "is a in other capitals"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_what_to_do(line: str, place: str, says: str) -> None:
    (fault,) = faults(f"{line}\n{DESK}")
    assert fault.startswith(f"matrix.toml {place}")
    assert says in fault


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (DESK.replace("desk", "dsk", 1), "line 1, fallback_team:", "no team 'dsk': did you mean desk?"),
        (DESK + 'lead = "bo"\n', "line 8, teams.net.lead:", "write a [people.NAME]"),
        (DESK + 'hours = "ofice"\n', "line 8, teams.net.hours:", "did you mean office?"),
        (DESK + rule("opps"), "line 9, ownership.team:", "did you mean ops?"),
        (NAMES + rule("ops", service="Shpo"), "line 16, ownership.service:", "did you mean Shop?"),
        (NAMES + rule("ops", category="cabel"), "line 16, ownership.category:", "did you mean cable?"),
        (DESK + rule("ops", service="Sh*"), "line 10, ownership.service:", "name them in [services]"),
        (DESK + PEOPLE + '[people.dy]\nname = "D"\nuid = 1001\n', "line 23, people.dy.uid:", "ana has"),
        (DESK + PEOPLE + '[people.dy]\nname = "D"\nlogin = "cy"\n', "line 23, people.dy.login:", "cy has"),
    ],
)  # fmt: skip
def test_what_names_nothing_or_is_said_twice_is_told(text: str, place: str, says: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(f"matrix.toml {place}")
    assert says in fault


def test_a_pair_that_two_rules_give_to_two_teams_is_refused_until_a_third_settles_it() -> None:
    text = NAMES + rule("ops", service="Shop") + rule("net", category="cable")
    (fault,) = faults(text)
    assert fault.startswith("matrix.toml line 17, ownership: Shop × cable is net's by this rule and ops's by")
    matrix = read_matrix(text + rule("desk", service="Shop", category="cable"))
    assert matrix.owning_team("Shop", "cable") == "desk"
    read_matrix(NAMES + rule("ops", service="Shop") + rule("ops", category="cable"))  # one team: no matter


def test_pairs_that_nobody_would_own_are_counted() -> None:
    told_of = faults(NAMES.replace('fallback_team = "desk"\n', ""))
    assert "fallback_team: is missing: add it" in told_of[0]
    assert "without it 2 of 4 pairs of service and category are nobody's, Shop × cable for one" in told_of[1]


def test_all_faults_are_told_at_once_each_rule_with_its_own_line() -> None:
    bad = (
        'auto_close_after = "x"\n' + NAMES.replace("[teams.ops]", "[teams.Ops]")
        + '[[ownership]]\ntem = "ops"\n' + rule("nett") + rule("net", service="Shoe")
    )  # fmt: skip
    assert [fault.split(": ")[0] for fault in faults(bad)] == [
        "matrix.toml line 1, auto_close_after",
        "matrix.toml line 5, teams.Ops",
        "matrix.toml line 13, categories.app.team",
        "matrix.toml line 15, ownership.team",
        "matrix.toml line 16, ownership.tem",
        "matrix.toml line 18, ownership.team",
        "matrix.toml line 21, ownership.service",
    ]


def test_what_looks_like_a_credential_is_refused_and_never_repeated() -> None:
    secret = "ghp_" + "a1B2" * 9
    told_of = faults(f'{DESK}[services]\nShop = "{secret}"\n[correlation]\nwindow = "{secret}"\n')
    assert [fault.split(": ")[0] for fault in told_of] == [
        "matrix.toml line 9, services.Shop",
        "matrix.toml line 11, correlation.window",
    ]
    assert all("looks like a credential" in fault for fault in told_of)
    assert secret not in "".join(told_of)


# What is promised


CLOCK = """\
[clocks.resolution]
metric = "resolution"
targets = { P1 = "4h" }
"""
CONTRACT = '[contracts.acme]\nfix = { P1 = "5h" }\n'


def test_without_clocks_the_built_in_ones_hold_and_their_calendars_are_always_there() -> None:
    book = read_matrix(DESK + '[calendars.shop]\nhours = "Mon-Sat 07:00-22:00"\n').book
    assert set(book.calendars) == {"24x7", "office", "shop"}
    assert set(book.clocks) == {"response", "resolution"}


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (CLOCK + 'calendar = "shop"\n', "line 11, clocks.resolution.calendar:", "no calendar 'shop'"),
        (CLOCK.replace("4h", "next day 16:00"), "line 10, clocks.resolution.targets", "could not be paused"),
        (CLOCK + 'start = { state = ["New"] }\n', "line 8, clocks.resolution:", "exclude each other"),
        (CLOCK + 'pauze_on = ["caller"]\n', "line 11, clocks.resolution.pauze_on:", "did you mean pause_on?"),
        (CLOCK + CONTRACT, "line 11, contracts.acme:", "does not fit inside clocks.resolution"),
        ('[calendars.x]\nhours = "Mon 8-9"\n' + CLOCK + 'calendar = "x"\n', "line 9, calendars.x", "Mon"),
        ('[calendars.x]\nhours = "Mon 8:00-9:00"\nholidays = "XX"\n', "line 10, calendars.x.holidays:", "XX"),
    ],
)  # fmt: skip
def test_edge_31_and_what_cannot_be_kept_is_refused_at_load(text: str, place: str, says: str) -> None:
    (fault,) = faults(DESK + text)
    assert fault.startswith(f"matrix.toml {place}")
    assert says in fault


def test_a_contract_beyond_our_promise_is_taken_when_it_is_said_on_purpose() -> None:
    matrix = read_matrix(DESK + CLOCK + CONTRACT + 'beyond_promise = "nobody else sells it"\n')
    assert matrix.contracts["acme"].beyond_promise


# Whatever is written


SAMPLE_LINES = SAMPLE.read_text("utf-8").splitlines()


@settings(deadline=None)  # a busy machine may take its time
@given(st.integers(0, 10**9))
def test_a_sample_with_lines_lost_doubled_or_moved_is_read_or_refused_in_words(seed: int) -> None:
    chance = random.Random(seed)
    lines = [line for line in SAMPLE_LINES if chance.random() > 0.05]
    for _ in range(3):
        lines.insert(chance.randrange(len(lines)), chance.choice(SAMPLE_LINES))
    text = "\n".join(lines)
    told_of = faults_of(text)
    assert all(fault.startswith("matrix.toml") for fault in told_of)
    assert told_of or read_matrix(text).owning_team("Webshop", "network")


SOME = ["a", "b", "ab", "*", "a*", "*b"]


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(SOME), st.sampled_from(SOME)), max_size=6))
def test_a_matrix_that_reads_gives_the_same_team_in_whatever_order_its_rules_stand(
    rules: list[tuple[str, str, str]],
) -> None:
    base = "".join(f'[teams.{name}]\nname = "{name}"\n' for name in "xyz")
    names = "".join(f'[{kind}]\na = ""\nb = ""\nab = ""\n' for kind in ("services", "categories"))
    base = f'fallback_team = "x"\n{base}{names}'
    written = [rule(team, service=service, category=category) for team, service, category in rules]
    try:
        one = read_matrix(base + "".join(written))
    except FileFaults:
        with pytest.raises(FileFaults):
            read_matrix(base + "".join(reversed(written)))
        return
    other = read_matrix(base + "".join(reversed(written)))
    for service in ("a", "b", "ab", ""):
        for category in ("a", "b", "ab", ""):
            assert one.owning_team(service, category) == other.owning_team(service, category)


def test_reading_a_matrix_brings_no_database() -> None:
    code = "import sys, register.matrix_toml; print({'sqlalchemy', 'tinydb', 'textual'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"
