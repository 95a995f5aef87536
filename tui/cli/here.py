"""The register, the suppliers and the person that one run of the command line is about."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from register.clocks.book import Timeline
from register.core import NotFound, Principal
from register.desk import ServiceDesk
from register.incident import Incident
from register.plain import clean
from register.seeing import may_see
from register.store import RegisterUnavailable, Store, is_private, open_store
from register.store.adopted import adopted
from register.store.promises import timeline_of
from register.store.sight import unseen
from register.toml_file import FileFaults
from tui.session import Session, session_from
from tui.spooled import enter_waiting
from tui.who import env_of, person, principal

if TYPE_CHECKING:
    from integrations.vendor import Vendor


@dataclass(frozen=True)
class Here:
    """An open register and who works on it."""

    session: Session
    store: Store
    hidden: frozenset[str] | None = None  # looking at the past: what this reader may not see now

    @cached_property
    def who(self) -> Principal:
        return principal(self.store, self.session, "cli")

    @cached_property
    def me(self) -> str | None:
        return self.store.sight(self.who).person

    @cached_property
    def people(self) -> dict[str, str]:
        return self.store.people()

    @cached_property
    def logins(self) -> dict[str, str]:
        """Logins by person id: of our own people."""
        return self.store.logins()

    @cached_property
    def timeline(self) -> Timeline:
        """What this register has promised since when: its clocks are counted by it."""
        with self.store.read() as connection:
            return timeline_of(connection)

    def desk(self, *, with_vendors: bool = False) -> ServiceDesk:
        """The door for writing. A register of one's own adopts its owner's files first.

        with_vendors: faults in them are raised, as FileFaults; else they are told, and what was adopted
        before holds.
        """
        from integrations.policy_files import keep_up

        try:
            found = keep_up(self.store, env_of(self.session), person(self.session), "cli")
        except FileFaults as error:
            if with_vendors:
                raise
            more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
            print(clean(f"{error.faults[0]}{more} What was adopted before holds on."), file=sys.stderr)
            found = adopted(self.store)
        return ServiceDesk(self.store, found.policy)

    def suppliers(self) -> dict[str, Vendor]:
        """The suppliers that the register has adopted; FileFaults tells what is wrong with one's own file."""
        from integrations.policy_files import keep_up, vendors_now

        keep_up(self.store, env_of(self.session), person(self.session), "cli")
        return vendors_now(self.store, env_of(self.session))

    def plain_desk(self) -> ServiceDesk:
        """The door for writing, by what is adopted as it is."""
        return ServiceDesk(self.store)

    def sees(self, incident: Incident) -> bool:
        """Whether this reader may see more than the number."""
        if self.hidden is not None:
            return incident.number not in self.hidden
        return may_see(incident, self.me, self.who.role)

    def unseen(self, numbers: Iterable[str]) -> frozenset[str]:
        """Return those of these incidents of which this reader may see no more than the number."""
        with self.store.read() as connection:
            return unseen(connection, self.who, numbers)

    def incident(self, number: str) -> Incident:
        found = self.store.incident(number)
        if found is None:
            raise NotFound(f"There is no {number}. `muster list` shows the open ones.")
        return found

    def wake_worker(self) -> None:
        """See to it that what was just asked for is sent; a shared register has a service for that."""
        from integrations import worker

        try:
            worker.ensure(self.session.register_url)
        except OSError as error:
            print(
                f"The worker could not be started ({error.strerror}). What you asked for is in the outbox: "
                "`muster serve` sends it.",
                file=sys.stderr,
            )


@contextlib.contextmanager
def here(env: Mapping[str, str] = os.environ) -> Iterator[Here]:
    """Open the register that the environment names."""
    session = session_from(env)
    store = open_store(session.register_url)
    try:
        at = Here(session, store)
        if not is_private(store.url):
            _begin(at)
        enter_waiting(store, session, lambda said: print(clean(said), file=sys.stderr))
        yield at
    finally:
        store.close()


def _begin(at: Here) -> None:
    """Whoever makes a shared register is on record as its maker."""
    from integrations.policy_files import begin

    with contextlib.suppress(RegisterUnavailable):  # what can only be read is read; the next one is told
        for sentence in begin(at.store, env_of(at.session), person(at.session), "cli"):
            print(clean(sentence), file=sys.stderr)
