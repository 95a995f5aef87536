"""Reads what is in force and must not be overlooked; takes over this person's policy files as they change.

A file that is edited badly changes nothing: what was adopted before holds on, and the board says which line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.format import wall
from tui.messages import InForceRead
from tui.quiet import Window
from tui.session import Session

if TYPE_CHECKING:
    from register.store import Store


class InForce:
    """What was told last of it. Of one thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told = InForceRead()
        self._version: int | None = None
        self._signs: Any = None
        self._faults: tuple[str, ...] = ()

    def look(self, store: Store, post: Callable[[InForceRead], object]) -> None:
        """Post what differs from what was told last. Raises RegisterUnavailable."""
        from register.store import is_private
        from register.store.adopted import adopted
        from register.store.duty import duty_now

        own = is_private(store.url)
        if own:
            self._take_over(store)
        found, now = adopted(store), time.time()
        windows = tuple(
            Window(one.id, one.services, one.begin.timestamp(), one.end.timestamp(), one.why)
            for one in duty_now(store).windows
            if one.end.timestamp() > now
        )
        since = 0.0 if found.at is None else found.at.timestamp()
        said = ""
        if own and self._version not in (None, found.policy.version):
            said = f"Policy version {found.policy.version} holds since {wall(since, None)}."
        self._version = found.policy.version
        news = InForceRead(windows, self._faults, since, said)
        told = self._told
        if said or (told.windows, told.faults, told.since) != (windows, self._faults, since):
            self._told = news
            post(news)

    def _take_over(self, store: Store) -> None:
        """Adopt this person's files where these, or what is adopted, moved."""
        from integrations.policy_files import find_files, keep_up
        from register.core import Refused
        from register.store import RegisterUnavailable
        from register.store.adopted import adopted
        from register.toml_file import FileFaults
        from tui.who import env_of, person

        env = env_of(self._session)
        signs = (*find_files(env).sign(), adopted(store).seq)
        if signs == self._signs:
            return
        self._signs, self._faults = signs, ()
        try:
            keep_up(store, env, person(self._session), "board")
        except FileFaults as error:
            self._faults = tuple(error.faults)
        except (Refused, RegisterUnavailable):  # nothing can be written: what is adopted holds
            pass
