"""The register, the suppliers and the person that one run of the command line is about."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from register.core import NotFound, Policy, Principal
from register.desk import ServiceDesk
from register.incident import Incident
from register.seeing import may_see
from register.store import Store, open_store
from register.store.sight import unseen
from tui.session import Session, session_from
from tui.who import principal


@dataclass(frozen=True)
class Here:
    """An open register and who works on it."""

    session: Session
    store: Store
    hidden: frozenset[str] | None = None  # looking at the past: what this reader may not see now

    @cached_property
    def who(self) -> Principal:
        return principal(self.session, "cli")

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

    def desk(self, *, with_vendors: bool = False) -> ServiceDesk:
        """The door for writing. With vendors, vendors.toml is read; VendorsFileError tells its faults."""
        return ServiceDesk(self.store, policy() if with_vendors else None)

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


@contextmanager
def here(env: Mapping[str, str] = os.environ) -> Iterator[Here]:
    """Open the register that the environment names."""
    session = session_from(env)
    store = open_store(session.register_url)
    try:
        yield Here(session, store)
    finally:
        store.close()


def policy() -> Policy:
    """What vendors.toml allows. Raises VendorsFileError."""
    from integrations.vendors import find_vendors_file, load_vendors, policy_of

    return policy_of(load_vendors(find_vendors_file(os.environ)))
