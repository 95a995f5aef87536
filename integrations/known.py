"""The suppliers of a register as its worker follows them: what is adopted, read again when that moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from integrations.policy_files import Person, find_files, keep_up, vendors_now
from integrations.vendor import Vendor
from integrations.vendors import policy_of
from register.desk import ServiceDesk
from register.store import is_private
from register.store.adopted import adopted
from register.toml_file import FileFaults

NOTHING_ADOPTED = "No policy is adopted: nothing is sent until an admin says `muster apply`."


class Known:
    """Which suppliers there are. Its methods block: call them on the writer thread.

    A private register adopts its owner's files when these changed, not when another process adopted
    something else: two that look at different folders would go on and on.
    """

    def __init__(self, desk: ServiceDesk, env: Mapping[str, str], tell: Callable[[str], object]) -> None:
        self._desk = desk
        self._env = env
        self._tell = tell
        self._seen: tuple[object, ...] = (-1,)

    def read(self) -> dict[str, Vendor]:
        """Return the suppliers. FileFaults where nothing is adopted, and what is there cannot be."""
        store, files = self._desk.store, self._signs()[1:]
        if files != self._seen[1:]:
            try:
                keep_up(store, self._env, Person.here(), "serve")
            except FileFaults as error:
                if not adopted(store).policy.version:
                    raise
                self._tell(f"{error} What was adopted before holds on.")
        found = adopted(store)
        self._seen = (found.seq, *files)
        known = vendors_now(store, self._env)
        if not found.policy.version:
            self._desk.policy = policy_of(known)
            if not known:
                self._tell(NOTHING_ADOPTED)
        return known

    def are_others(self, known: Mapping[str, Vendor]) -> bool:
        """Whether these are not the suppliers any more; asks for little while nothing moved."""
        return self._signs() != self._seen and self.read() != known

    def _signs(self) -> tuple[object, ...]:
        store = self._desk.store
        return adopted(store).seq, *(find_files(self._env).sign() if is_private(store.url) else ())
