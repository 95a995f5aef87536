"""The tables, the same on SQLite and PostgreSQL. Times are fixed-width UTC text, JSON is TEXT."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
)
from sqlalchemy.event import listens_for

SCHEMA: Final = 5
"""The version of these tables. A register with a higher one is of a newer program."""

metadata: Final = MetaData()

head: Final = Table(
    "head",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("register_id", String, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("incident", Integer, nullable=False),
    Column("person", Integer, nullable=False),
    Column("recorded_at", String, nullable=False),  # of the newest event: time never goes back
    Column("policy_seq", Integer, nullable=False),  # of the newest event on the stream `policy`
    Column("duty_seq", Integer, nullable=False),  # of the newest event on the stream `duty`
    Column("skew", Integer, nullable=False),  # seconds by which the clock is known to be behind, or 0
)

event: Final = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("stream", String, nullable=False),
    Column("n", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("v", Integer, nullable=False),
    Column("command_id", String, nullable=False, index=True),
    Column("at", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("source", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("data", Text),  # null once redacted
    Column("salt", String),
    Column("data_sha256", String, nullable=False),
    Column("hash", String, nullable=False),
    UniqueConstraint("stream", "n"),
)
Index("event_recorded", event.c.recorded_at)

person: Final = Table(
    "person",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("login", String, nullable=False),
    Column("name", String, nullable=False),
    Column("erased_at", String),
    Column("retired_at", String),  # when an incident of which they called last lost its texts by a rule
    UniqueConstraint("kind", "login"),
)

incident: Final = Table(
    "incident",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("open", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("hold", String),
    # title, team, service, category: the board row's, casefolded; filters look at what a board shows
    Column("title", Text, nullable=False),
    Column("owner", String),
    Column("acked", Integer, nullable=False),
    Column("caller", String),
    Column("reporter", String, nullable=False),
    Column("parent", Integer),
    Column("firing", Integer, nullable=False),
    Column("legal_hold", Integer, nullable=False),
    Column("retired", Integer, nullable=False),  # by a rule of retention
    Column("team", String, nullable=False),
    Column("service", String, nullable=False),
    Column("category", String, nullable=False),
    Column("restricted", Integer, nullable=False),
    Column("seers", Text, nullable=False),  # of a restricted one: |p1|p7|, who may see it besides admins
    Column("opened_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("resolved_at", String),
    Column("closed_at", String),
    Column("reopened", Integer, nullable=False),
    Column("due_at", String),
    Column("wake_at", String),  # when something next falls due, whatever it is
    Column("paging", String, nullable=False),  # how its escalation stands; empty where none runs
    Column("step_at", String),  # when the next step of its escalation falls due
    Column("clocks", Text, nullable=False),  # facts of completed clocks and due times, JSON
    Column("version", Integer, nullable=False),  # the n of its last event
    Column("seq", Integer, nullable=False),  # the seq of its last event
    Column("board", Text, nullable=False),  # the live row, JSON of at most 400 bytes
    Column("doc", Text, nullable=False),  # the fold, JSON
)
Index("incident_open", incident.c.n, sqlite_where=incident.c.open == 1, postgresql_where=incident.c.open == 1)
Index("incident_seq", incident.c.seq)
Index(
    "incident_parent",
    incident.c.parent,
    sqlite_where=incident.c.parent.is_not(None),
    postgresql_where=incident.c.parent.is_not(None),
)
Index(
    "incident_wake",
    incident.c.wake_at,
    sqlite_where=incident.c.wake_at.is_not(None),
    postgresql_where=incident.c.wake_at.is_not(None),
)

alert: Final = Table(
    "alert",
    metadata,
    Column("id", String, primary_key=True),  # the command that first told of it
    Column("incident", Integer, nullable=False),
    Column("source", String, nullable=False),
    Column("service", String, nullable=False),
    Column("key", String),  # null once its incident is over: free for the next one
    Column("closed", Integer, nullable=False),
    Column("last_key", String, nullable=False),
    Column("category", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("firing", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_seen", String, nullable=False),
    Column("last_seen", String, nullable=False),
    Column("leader", Integer, nullable=False),  # the incident that its correlation window began with
    CheckConstraint("(closed = 1) = (key IS NULL)"),
    UniqueConstraint("service", "key"),
)
Index("alert_incident", alert.c.incident)
Index("alert_last_key", alert.c.service, alert.c.last_key)
Index(
    "alert_recent",
    alert.c.first_seen,
    sqlite_where=alert.c.closed == 0,
    postgresql_where=alert.c.closed == 0,
)

blob: Final = Table(
    "blob",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
)

attachment: Final = Table(
    "attachment",
    metadata,
    Column("id", String, primary_key=True),
    Column("incident", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("label", String, nullable=False),
    Column("added_by", String, nullable=False),
    Column("added_at", String, nullable=False),
)
Index("attachment_incident", attachment.c.incident)
Index("attachment_blob", attachment.c.sha256)

bond: Final = Table(
    "bond",
    metadata,
    Column("id", String, primary_key=True),
    Column("incident", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("remote_id", String),
    Column("live", Integer, nullable=False),
    Column("whole", Integer, nullable=False),  # the ticket was read from its beginning
    Column("differs", Integer, nullable=False),  # fields that both sides changed, and a person is asked about
    Column("our_since", String),  # since when it waits for us, where nobody was told that they may close it
)
Index("bond_remote", bond.c.vendor, bond.c.remote_id)

bond_ref: Final = Table(
    "bond_ref",
    metadata,
    Column("bond", String, primary_key=True),
    Column("remote_id", String, primary_key=True),
    Column("vendor", String, nullable=False),
    Column("former", Integer, nullable=False),  # it was the bond's own ticket once; else it is a further one
    Column("whole", Integer, nullable=False),  # a further one: it was read from its beginning
)
Index("bond_ref_remote", bond_ref.c.vendor, bond_ref.c.remote_id)

sending: Final = Table(
    "sending",
    metadata,
    Column("row_id", String, primary_key=True),
    Column("op_id", String, nullable=False),
    Column("incident", String, nullable=False),
    Column("bond", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("lane", String, nullable=False),  # bonds | pages
    Column("person", String, nullable=False),  # of a page: who is paged
    Column("kind", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("on_ambiguous", String, nullable=False),  # ask | resend | key
    Column("expires_at", String),
    Column("tries", Integer, nullable=False),
    Column("lookups", Integer, nullable=False),
    Column("next_at", String),
    Column("lease_holder", String),
    Column("lease_until", String),
    Column("first_tried_at", String),
    Column("deadline_at", String),  # of the last request: settling is counted from here
    Column("why", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
)
Index("sending_state", sending.c.state, sending.c.vendor)
Index("sending_bond", sending.c.bond, sending.c.position)
Index("sending_incident", sending.c.incident)

exchange: Final = Table(
    "exchange",
    metadata,
    Column("row_id", String, primary_key=True),  # the sending
    Column("at", String, nullable=False),
    Column("said", Text, nullable=False),  # its last requests and their answers, JSON, without secrets
)

heard: Final = Table(
    "heard",
    metadata,
    Column("vendor", String, primary_key=True),
    Column("change_id", String, primary_key=True),
    Column("at", String, nullable=False),
)

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("vendor", String, primary_key=True),
    Column("change_id", String, primary_key=True),
    Column("raw", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", String, nullable=False),
    Column("incident", String, nullable=False),  # empty where it cannot be told
    Column("bond", String, nullable=False),
)

vendor: Final = Table(
    "vendor",
    metadata,
    Column("name", String, primary_key=True),
    Column("cursor", Text),
    Column("paused_at", String),
    Column("paused_why", Text, nullable=False),
    Column("paused_by", String),  # the person who holds it back; null where its credential does
    Column("heard_at", String),  # when a poll last succeeded
    Column("polled_at", String),  # when it was last asked for news, whatever came of it
    Column("poll_every", Integer, nullable=False),  # seconds until it is asked again
    Column("poll_why", String, nullable=False),  # why so often
    Column("active_at", String),  # when something was last sent to it, or heard of it
    Column("spent_until", String),  # its requests a minute: spent as if it had been asked evenly until then
    Column("trouble", Text, nullable=False),  # what a poll last failed of, or empty
    Column("failures", Integer, nullable=False),  # requests in a row that got no answer
    Column("not_before", String),  # nothing is sent until then
    Column("not_before_why", Text, nullable=False),
    Column("expires", String),  # on which day its credential ends, by whoever stored it
)

hook: Final = Table(
    "hook",
    metadata,
    Column("vendor", String, primary_key=True),
    Column("rung", Integer, nullable=False),  # webhooks that were proved to be theirs
    Column("answered", Integer, nullable=False),  # how many of them had come when it was last asked for news
    Column("rung_at", String),
    Column("refused", Integer, nullable=False),  # since the last good one
    Column("refused_why", Text, nullable=False),
    Column("refused_since", String),
)

feed: Final = Table(
    "feed",
    metadata,
    Column("rota", String, primary_key=True),
    Column("version", String, nullable=False),  # of what matrix.toml says of it, when it was last asked
    Column("heard_at", String),  # when it was last read to its end
    Column("tried_at", String),  # when it was last asked, whatever came of it
    Column("next_at", String),  # when it is asked again; null: now
    Column("failures", Integer, nullable=False),  # in a row
    Column("trouble", Text, nullable=False),  # why it could not be read, or empty
    Column("grave", Integer, nullable=False),  # 1: waiting will not help; 2: no worker knows where it is
    Column("lost", Text, nullable=False),  # what of it is nobody's, or could not be read; empty for none
)

lease: Final = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("until", String, nullable=False),
)


FULLTEXT: Final = {
    "sqlite": (
        """CREATE VIRTUAL TABLE fulltext USING fts5(words, prefix='3', tokenize="ascii tokenchars '_'")""",
        "INSERT INTO fulltext (fulltext, rank) VALUES ('secure-delete', 1)",
    ),
    "postgresql": (
        "CREATE TABLE fulltext (seq INTEGER PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX fulltext_words ON fulltext USING gin (words)",
    ),
}
"""The index of register.store.fulltext, which each database has in its own way; not a part of the record."""
_UPTO: Final = (
    "CREATE TABLE fulltext_upto"
    " (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash VARCHAR NOT NULL)"
)


@listens_for(metadata, "after_create")
def _make_fulltext(_: MetaData, connection: Connection, **__: Any) -> None:
    """Make the index beside the tables, and tell where it stands: at nothing."""
    if not inspect(connection).has_table("fulltext_upto"):
        for statement in (*FULLTEXT[connection.dialect.name], _UPTO):
            connection.exec_driver_sql(statement)


def insert(connection: Connection, table: Table) -> Any:
    """Return an insert that can say what happens where the row is there already."""
    if connection.dialect.name == "postgresql":  # imported here: the other one's costs start-up time
        from sqlalchemy.dialects.postgresql import insert as into

        return into(table)
    from sqlalchemy.dialects.sqlite import insert as put

    return put(table)
