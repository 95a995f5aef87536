"""The tables behind answering a page from where one is: tokens, replies, and how far a mailbox was read.

Rows, no part of the record: what somebody acknowledged or wrote is in events.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table

from register.store.tables import metadata

ack_link: Final = Table(
    "ack_link",
    metadata,
    Column("sha256", String, primary_key=True),  # of the token, which stands nowhere but in the page
    Column("page", String, nullable=False),
    Column("incident", String, nullable=False),
    Column("person", String, nullable=False),
    Column("signer", String, nullable=False),  # which key has signed it
    Column("made_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("used_at", String),
)
Index("ack_link_expires", ack_link.c.expires_at)

page_reply: Final = Table(
    "page_reply",
    metadata,
    Column("id", String, primary_key=True),  # of the mail, and of the token in it
    Column("incident", String, nullable=False),
    Column("person", String, nullable=False),
    Column("became", String, nullable=False),  # what came of it; it says what they are answered
    Column("at", String, nullable=False),
    Column("next_at", String),  # when they are next tried to be answered; null once that is over
    Column("tries", Integer, nullable=False),
)
Index(
    "page_reply_next",
    page_reply.c.next_at,
    sqlite_where=page_reply.c.next_at.is_not(None),
    postgresql_where=page_reply.c.next_at.is_not(None),
)

page_box: Final = Table(
    "page_box",
    metadata,
    Column("name", String, primary_key=True),  # server, account and folder
    Column("validity", Integer, nullable=False),
    Column("uid", Integer, nullable=False),  # what was read last
)
