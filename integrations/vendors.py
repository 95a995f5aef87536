"""vendors.toml → `Vendor` values, and from a vendor the connector that speaks to it.

Every error names file, line and key, and says what to do. No value that looks like a credential is ever
taken, or repeated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from pydantic import BaseModel, TypeAdapter, ValidationError

from integrations.addresses import is_loopback
from integrations.oauth.config import OAuth2
from integrations.systems import SYSTEMS
from integrations.vendor import Block, ByHand, Vendor, Wired, signer_of, system
from register.adoption import BY_HAND, tables_in
from register.core import Policy, VendorFacts
from register.text import Slug
from register.toml_file import FileFaults, FileMissing, KeyPath, TomlFile, near, text_of

if TYPE_CHECKING:
    import httpx

__all__ = [
    "Vendor",
    "VendorsFileError",
    "VendorsFileMissing",
    "connector_for",
    "find_vendors_file",
    "load_vendors",
    "read_vendors",
    "vendors_path",
]

FILE: Final = "vendors.toml"
_SLUG: Final = TypeAdapter[str](Slug)
_FILLED: Final = re.compile(r"\s*\{\{[^{}'\"]*\}\}\s*")
"""A template that is filled in when it is used, and has no text of its own."""

VendorsFileError = FileFaults
VendorsFileMissing = FileMissing


def connector_for(
    vendor: Vendor,
    secret_of: Callable[[str], str],
    transport: httpx.AsyncBaseTransport | None = None,
    env: Mapping[str, str] = os.environ,
) -> Wired:
    """The vendor's connector. Make it in the loop that uses it; close its `http` when done.

    `secret_of` is `integrations.secrets.resolve`, or a test's; what it raises (AuthFailed) passes.
    env: where the refresh tokens are kept that suppliers give us.
    """
    from integrations.credential import Credential, Fixed
    from integrations.http import Http, Limits

    kind = system(vendor.connector)
    secret = secret_of(vendor.name) if vendor.auth != "none" else ""
    root: str = getattr(kind, "root", "")
    seconds = vendor.deadline_seconds
    limits = Limits(connect=min(5.0, seconds), read=seconds, total=seconds)
    credential: Credential
    if vendor.auth == "oauth2" and vendor.oauth2 is not None:
        from integrations.oauth.made import tokens_for

        dress = partial(kind.headers, vendor.config)
        credential = tokens_for(vendor.name, vendor.oauth2, secret, dress, limits, env)
    else:
        credential = Fixed(kind.headers(vendor.config, secret))
    base = vendor.url.removesuffix(root) + root
    way = getattr(kind, "transport", None)  # of a system that is spoken to by other means than HTTP
    if way is not None:
        base, transport = kind.base(vendor.config), transport or way(vendor.config)
    signer = signer_of(kind, vendor.config, secret)
    http = Http(
        base, credential=credential, signer=signer, name=vendor.name, limits=limits, transport=transport
    )
    http.zone = vendor.zone
    return kind(http, vendor.config)


def policy_of(known: Mapping[str, Vendor]) -> Policy:
    """What the register may know of these suppliers: enough to refuse a wrong name."""
    return Policy({name: _facts(one) for name, one in known.items()})


def _facts(one: Vendor) -> VendorFacts:
    return VendorFacts(
        one.name,
        one.title,
        one.production,
        one.on_resolved,
        by_hand=one.by_hand,
        p1=one.p1,
        phone=one.phone,
        contacts=one.contacts,
        receives=one.receives,
        owner=one.owners,
        translation=one.translation,
        closes_after=one.closes_after,
    )


def vendors_path(home: Path) -> Path:
    return home / FILE


def home_of(env: Mapping[str, str]) -> Path:
    """The folder with somebody's own files: MUSTER_HOME, or the user's configuration folder."""
    import platformdirs

    home = env.get("MUSTER_HOME")
    return Path(home).expanduser() if home else platformdirs.user_config_path("muster")


def find_vendors_file(env: Mapping[str, str]) -> Path:
    """The file to read: in MUSTER_HOME, or the user's configuration folder, else the sample that we ship."""
    own = vendors_path(home_of(env))
    top = Path(__file__).resolve().parent.parent
    for path in (own, top / "tui" / FILE, top / FILE):
        if path.is_file():
            return path
    raise VendorsFileMissing(f"There is no {own}: write one (the README shows how), or set MUSTER_HOME.")


def load_vendors(path: Path) -> dict[str, Vendor]:
    """All vendors of the file, in its order. VendorsFileError tells every fault at once."""
    return read_vendors(text_of(path), path.name)


def read_vendors(text: str, name: str = FILE) -> dict[str, Vendor]:
    """All vendors of this text, in its order. VendorsFileError tells every fault at once."""
    return _Reader(TomlFile(name, text)).vendors()


def adopted_vendors(text: str) -> dict[str, Vendor]:
    """All vendors of a text that a register adopted. VendorsFileError tells what this program cannot read."""
    return _Reader(TomlFile(FILE, "", tables_in(text))).vendors()


class _Reader:
    """Reads the tables of one file and gathers its faults."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file

    def vendors(self) -> dict[str, Vendor]:
        tables = self._file.tables
        for key in tables.keys() - {"vendor"}:
            self._file.fault(
                (key,), f"is not known here{near(key, ['vendor'], '.')} Suppliers are [vendor.NAME] blocks"
            )
        blocks = tables.get("vendor", {})
        if not isinstance(blocks, dict):
            self._file.fault(("vendor",), "must be blocks: write [vendor.NAME]")
            blocks = {}
        vendors = {
            name: vendor for name in blocks if (vendor := self._vendor(name, blocks[name])) is not None
        }
        self._file.raise_faults()
        return vendors

    def _vendor(self, name: str, block: object) -> Vendor | None:
        here = ("vendor", name)
        if not is_slug(name):
            self._file.fault(here, "is no name: take lower-case letters, digits, - and _, at most 40")
        elif not isinstance(block, dict):
            self._file.fault(here, f"must be a block: write [vendor.{name}]")
        elif not self._leaks(here, block):
            kind = block.get("connector")
            fault = "" if kind is None else _kind_fault(kind)
            if not fault:
                return self._read(name, block, kind)
            self._file.fault((*here, "connector"), fault)
        return None

    def _read(self, name: str, block: Mapping[str, Any], kind: str | None) -> Vendor | None:
        here = ("vendor", name)
        model = _config_of(kind) if kind else None
        known = [*Block.model_fields, *(model.model_fields if model else ())]
        before = len(self._file)
        for key in block:
            if key not in known and model is not None:
                self._file.fault(
                    (*here, key),
                    f"is not a key of such a supplier{near(key, known, '.')} Take it out, or mend it",
                )
        if kind not in (None, BY_HAND) and "url" not in block and system(kind).info.needs_url:
            self._file.fault((*here, "url"), "is missing: add it (where its system answers)")
        common = self._file.validated(
            here, Block, {k: v for k, v in block.items() if k in Block.model_fields}
        )
        config = None
        if model is not None:
            config = self._file.validated(
                here, model, {k: v for k, v in block.items() if k in model.model_fields}
            )
        if common is None or config is None:
            return None
        self._check_reach(name, common)
        self._check_secrets(name, common)
        if len(self._file) > before:
            return None
        return Vendor(name=name, config=config, **common.model_dump(exclude_unset=True))

    def _check_reach(self, name: str, block: Block) -> None:
        """How it is reached: by an address, or by a person who knows whom to call or where to paste."""
        if block.connector != BY_HAND:
            self._check_auth(name, block)
        elif not (block.url or block.phone or block.contacts):
            self._file.fault(
                ("vendor", name),
                "nobody would know how to reach it: give its phone, contacts, or its portal's address as url",
            )

    def _check_secrets(self, name: str, block: Block) -> None:
        """What of an entitlement is secret has no value here, and no person to read it out."""
        where = ("vendor", name)
        if block.entitlement_secret and block.connector == BY_HAND:
            says = "is for suppliers whose system is spoken to: who calls this one must be able to read it"
            self._file.fault((*where, "entitlement_secret"), says)
        for service, told in block.entitlement.items():
            for one in block.entitlement_secret:
                if one in told:
                    self._file.fault(
                        (*where, "entitlement", service, one),
                        "is secret, and stands in a file. Take it out, store it with"
                        f" muster vendors login {name} --pin {one}, and have it changed if others could read"
                        " it here",
                    )

    def _check_auth(self, name: str, block: Block) -> None:
        if (block.auth == "oauth2") is not (block.oauth2 is not None):
            self._file.fault(
                ("vendor", name, "auth"),
                f'"oauth2" and the table [vendor.{name}.oauth2] go together: add one, or take the other out',
            )
        elif block.auth == "oauth2" and not system(block.connector).info.oauth2:
            title = system(block.connector).info.title
            self._file.fault(
                ("vendor", name, "auth"), f'{title} takes no OAuth 2.0 tokens from Muster: write "keyring"'
            )
        if block.auth != "none":
            return
        where = ("vendor", name, "auth")
        if not is_loopback(block.url):
            self._file.fault(
                where, '"none" is for this machine alone: write "keyring", then muster vendors login NAME'
            )
        elif system(block.connector).info.needs_secret:
            title = system(block.connector).info.title
            self._file.fault(
                where, f'{title} needs a credential: write "keyring", then muster vendors login {name}'
            )

    def _leaks(self, here: tuple[str, str], block: Mapping[str, Any]) -> bool:
        """Whether something in it looks like a credential; a key that is known is judged by its value.

        So is a name that the block itself gives something, and what is filled in later is no value yet.
        """
        known = {*Block.model_fields, *OAuth2.model_fields, *_own_keys(block.get("connector"))}
        command = f"muster vendors login {here[1]}"

        def is_ours(path: KeyPath, text: str) -> bool:
            return path[-1] in known or path[-2] == "gives" or _FILLED.fullmatch(text) is not None

        return bool(self._file.leaks(here, block, is_ours, command))


def is_slug(name: str) -> bool:
    """Whether a supplier may be called so."""
    try:
        _SLUG.validate_python(name)
    except ValidationError:
        return False
    return True


def _kind_fault(kind: object) -> str:
    """Why there is no such kind of system, or empty. What others installed is looked at last."""
    if _is_kind(kind):
        return ""
    from integrations import plugged

    known = (*SYSTEMS, BY_HAND, *plugged.kinds())
    if kind not in known:
        return f"is no kind of system{near(kind, known, '.')} Known are {', '.join(known)}"
    try:
        plugged.plugged(str(kind))
    except plugged.PluginBroken as broken:
        return f"cannot be used: {broken}"
    return ""


def _is_kind(kind: object) -> TypeGuard[str]:
    return isinstance(kind, str) and kind in (*SYSTEMS, BY_HAND)


def _config_of(kind: str) -> type[BaseModel]:
    return ByHand if kind == BY_HAND else system(kind).info.config


def _own_keys(kind: object) -> Iterable[str]:
    return () if kind is None or _kind_fault(kind) else _config_of(str(kind)).model_fields
