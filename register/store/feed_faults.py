"""What is wrong with the calendars of the adopted matrix: what each said last, and how it stands with it."""

from __future__ import annotations

from datetime import datetime

from register.feed_health import NEVER, FeedFault, faults_of
from register.store import feeds
from register.store.adopted import adopted
from register.store.duty import duty_now
from register.store.store import Store


def feed_faults(store: Store, now: datetime) -> list[FeedFault]:
    """Return what a person should know and do, rota by rota; nothing where all is well, or none has one."""
    rotas = [key for key, rota in adopted(store).policy.matrix.rotas.items() if rota.feed is not None]
    if not rotas:
        return []
    states, said = feeds.feeds(store), duty_now(store).feeds
    return [
        fault for key in rotas for fault in faults_of(key, states.get(key, NEVER), said.get(key, ()), now)
    ]
