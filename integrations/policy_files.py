"""matrix.toml and vendors.toml in somebody's folder, and how a register comes to adopt them.

A register decides by what it adopted, never by a file. One that is private adopts its owner's files by
itself, whenever they differ; a shared one when an admin says `muster apply`. Until anything is adopted, a
private register goes by the sample of vendors.toml, a shared one knows no supplier.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from register.adoption import NOTHING, as_text, digest_of
from register.core import Policy, Principal, Refused, Role
from register.desk import ServiceDesk
from register.login import login_of
from register.matrix_toml import FILE as MATRIX
from register.matrix_toml import read_matrix
from register.policy import DEFAULT_MATRIX, Matrix
from register.store import Store, is_private
from register.store.adopted import Adopted, adopted
from register.toml_file import FileFaults, TomlFile, text_of
from register.topics.adoption import AdoptPolicy, Found

if TYPE_CHECKING:
    from integrations.vendor import Vendor

VENDORS: Final = "vendors.toml"
NOT_ADOPTED: Final = "No policy is adopted yet, so no supplier can be engaged: mend it, then `muster apply`."
Sign = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits there: the uid, where one is known, and the login."""

    uid: int | None
    login: str

    @classmethod
    def here(cls) -> Person:
        """Whom this process runs for."""
        return cls(os.getuid(), login_of(os.getuid()))

    def admin(self, source: str) -> Principal:
        return Principal(self.login, Role.ADMIN, source)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files are. matrix None: there is none, the built-in one holds. own: not the sample alone."""

    vendors: Path
    matrix: Path | None
    own: bool

    def sign(self) -> Sign:
        """Return what differs when a file was changed; without reading any."""
        return tuple(_sign(path) for path in (self.vendors, self.matrix) if path is not None)

    def read(self) -> Texts:
        """Return what stands in them; FileFaults when one cannot be read."""
        matrix = None if self.matrix is None else text_of(self.matrix)
        return Texts(text_of(self.vendors), matrix)


@dataclass(frozen=True, slots=True)
class Texts:
    """What stands in the two files."""

    vendors: str
    matrix: str | None

    @property
    def digest(self) -> str:
        return digest_of(self.matrix or NOTHING, self.vendors)

    def checked(self) -> Checked:
        """Return what they say. FileFaults tells every fault of both at once."""
        from integrations.vendors import read_vendors

        faults: list[str] = []
        vendors: dict[str, Vendor] = {}
        matrix = DEFAULT_MATRIX
        try:
            vendors = read_vendors(self.vendors, VENDORS)
        except FileFaults as error:
            faults += error.faults
        try:
            matrix = DEFAULT_MATRIX if self.matrix is None else read_matrix(self.matrix, MATRIX)
        except FileFaults as error:
            faults += error.faults
        if faults:
            raise FileFaults(*faults)
        return Checked(self, matrix, vendors)


@dataclass(frozen=True, slots=True)
class Checked:
    """Two files without a fault: what they say, ready to be adopted."""

    texts: Texts
    matrix: Matrix
    vendors: Mapping[str, Vendor]

    def command(self, person: Person, *, private: bool, sure: bool = False) -> AdoptPolicy:
        given = self.texts.matrix
        return AdoptPolicy(
            matrix=NOTHING if given is None else as_text(TomlFile(MATRIX, given).tables),
            vendors=as_text(TomlFile(VENDORS, self.texts.vendors).tables),
            digest=self.texts.digest,
            uid=person.uid,
            login=person.login,
            private=private,
            sure=sure,
        )


def find_files(env: Mapping[str, str]) -> Files:
    """The files of MUSTER_HOME or the user's configuration folder; for vendors.toml else the sample."""
    from integrations.vendors import find_vendors_file, home_of

    home = home_of(env)
    vendors, matrix = find_vendors_file(env), home / MATRIX
    there = matrix.is_file()
    return Files(vendors, matrix if there else None, own=there or vendors.parent == home)


def keep_up(store: Store, env: Mapping[str, str], person: Person, source: str) -> Adopted:
    """Return what decides on this register now; a private one adopts its owner's files first.

    FileFaults tells what is wrong with them: what was adopted before holds on. The samples never take the
    place of what somebody adopted.
    """
    found = adopted(store)
    if not is_private(store.url):
        return found
    from integrations.vendors import home_of

    files = find_files(env)
    if not files.own:
        return found if found.policy.version else Adopted(_sample(files))
    if files.matrix is None and found.policy.version and found.matrix != NOTHING:
        # an editor has it elsewhere for a moment, or it was moved: nobody said to do without
        there = home_of(env) / MATRIX
        raise FileFaults(f"There is no {there} any more: put it back, or `muster apply` to do without one.")
    texts = files.read()
    if found.policy.version and found.policy.digest == texts.digest:
        return found
    ServiceDesk(store).do(person.admin(source), texts.checked().command(person, private=True))
    return adopted(store)


def _sample(files: Files) -> Policy:
    from integrations.vendors import load_vendors, policy_of

    return policy_of(load_vendors(files.vendors))


def vendors_now(store: Store, env: Mapping[str, str]) -> dict[str, Vendor]:
    """Return the suppliers that this register has adopted; FileFaults where this program cannot read them."""
    from integrations.vendors import adopted_vendors, load_vendors

    found = adopted(store)
    if found.policy.version:
        return adopted_vendors(found.vendors)
    return load_vendors(find_files(env).vendors) if is_private(store.url) else {}


def begin(store: Store, env: Mapping[str, str], person: Person, source: str) -> list[str]:
    """Put on record who made a shared register, where that is this person; a new one adopts their files.

    Returns why they were not adopted, as sentences.
    """
    if is_private(store.url) or adopted(store).policy.founder is not None or not _made_it(store, person):
        return []
    new = store.seq() == 0
    desk = ServiceDesk(store)
    desk.do(person.admin(source), Found(uid=person.uid))
    if not new:
        return []
    try:
        desk.do(person.admin(source), find_files(env).read().checked().command(person, private=False))
    except FileFaults as error:
        return [*error.faults, NOT_ADOPTED]
    except Refused as no:
        return [no.sentence, NOT_ADOPTED]
    return []


def _made_it(store: Store, person: Person) -> bool:
    """A file's maker owns it; on PostgreSQL it is who wrote first, or writes first now."""
    if store.path is not None:
        return store.path.stat().st_uid == person.uid
    first = store.first_actor()
    return first is None or first == person.login


def _sign(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return (0, 0)
    return about.st_mtime_ns, about.st_size
