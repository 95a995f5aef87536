"""Where suppliers' credentials come from, and the addresses at which people are paged: a systemd credential,
else the keyring, which may be our own encrypted file. Nowhere else.

Every failure is `AuthFailed` of kind MISSING: this process's lack, never the supplier's word. No message
carries a secret, nor the words of a keyring backend, which might.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from integrations import master_key
from integrations.errors import AuthFailed, AuthTrouble

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from integrations import sealed

SERVICE: Final = "muster"
"""The service under which the keyring holds our secrets; the user name is the vendor's, or a page's slot."""
PIN: Final = "pin-"
"""Before the name of a part of an entitlement, as `support_pin`: the kind of entry that holds it."""
PAGE_KEY: Final = "page.key"
"""The entry of what signs the tokens of pages."""
PAGE_REPLIES: Final = "page.replies"
"""The entry of the password of the mailbox that pages are answered in."""
MAX_SECRET: Final = 8_192
PLACES: Final = ("1", "2")
"""Beside a supplier's own credential: where the refresh tokens are that it gave us, in turn."""
_SLUG: Final = r"[a-z0-9][a-z0-9_-]{0,39}"
_NAME: Final = re.compile(_SLUG)
_SLOT: Final = re.compile(rf"page\.({_SLUG})\.({_SLUG})")
_ROTA: Final = re.compile(rf"rota\.({_SLUG})")
_OWN: Final[Mapping[str, tuple[str, str]]] = {
    PAGE_KEY: ("key that signs pages", "muster page key --store"),
    PAGE_REPLIES: ("password of the mailbox for replies to pages", "muster page replies login"),
}
"""Entries that are nobody's: what each is, and the command that stores it."""
_CHOSEN: Final = ("MUSTER_KEYRING", "PYTHON_KEYRING_BACKEND")
_FILE: Final = "file"
"""What names the encrypted file in MUSTER_KEYRING."""
_HEADLESS: Final = (
    "On a host without a desktop, give the secret to the service as a systemd credential "
    "(LoadCredentialEncrypted=muster-NAME:…), or keep it in an encrypted file: set MUSTER_KEYRING=file."
)
_STORE: Final = " Store it with: "
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Store:
    """What holds secrets here. `todo` is empty when it is fit to use."""

    name: str
    usable: bool
    todo: str


def resolve(vendor: str, env: Mapping[str, str] = os.environ) -> str:
    """The credential of `vendor`. AuthFailed(MISSING), with what to do, when there is none for us."""
    given = look(vendor, env)
    if given is None:
        raise _missing(f"No {_of(vendor)} is stored here, so nothing can be sent to it.", vendor)
    return given


def look(vendor: str, env: Mapping[str, str] = os.environ, kind: str = "") -> str | None:
    """What is stored for `vendor`, or None. kind: another secret than its credential (`hook_secrets`).

    AuthFailed(MISSING) where it cannot be looked.
    """
    entry = _entry(vendor, kind)
    given = _credential(entry, env)
    if given is None:
        given = _tried(entry, lambda: _backend(entry, env).get_password(SERVICE, entry))
    return given


def slot(person: str, channel: str) -> str:
    """The name under which the address is kept by which a channel of somebody's pages them."""
    return f"page.{person}.{channel}"


def rota_slot(rota: str) -> str:
    """The name under which the address of a rota's calendar is kept, where that is a secret."""
    return f"rota.{rota}"


def checked(secret: str) -> str:
    """Return what would be stored; ValueError when it cannot be a credential."""
    secret = secret.strip()
    if not secret:
        raise ValueError("The credential is empty: nothing was stored.")
    if len(secret) > MAX_SECRET or not (secret.isascii() and secret.isprintable()):
        raise ValueError(
            f"A credential is one line of plain ASCII, at most {MAX_SECRET:,} characters: nothing was "
            "stored. Was something else pasted with it?"
        )
    return secret


def store(vendor: str, secret: str, env: Mapping[str, str] = os.environ, kind: str = "") -> None:
    """Put the credential of `vendor` into the keyring, in the place of an older one. kind: as of `look`.

    ValueError when it cannot be a credential; AuthFailed(MISSING) when no fit keyring is here.
    """
    entry, secret = _entry(vendor, kind), checked(secret)

    def put_and_look() -> bool:
        backend = _backend(entry, env)
        backend.set_password(SERVICE, entry, secret)
        return backend.get_password(SERVICE, entry) == secret

    if not _tried(entry, put_and_look):
        raise _missing(f"The keyring took the {_of(vendor)} and did not keep it.", entry)


def forget(vendor: str, env: Mapping[str, str] = os.environ, kind: str = "") -> bool:
    """Take the credential of `vendor` out of the keyring; False when it held none. kind: as of `look`."""
    entry = _entry(vendor, kind)

    def take_out() -> bool:
        backend = _backend(entry, env)
        held = backend.get_password(SERVICE, entry) is not None
        if held:
            backend.delete_password(SERVICE, entry)
        for place in PLACES:
            if backend.get_password(SERVICE, f"{entry}.{place}") is not None:
                backend.delete_password(SERVICE, f"{entry}.{place}")
        return held

    try:
        return _tried(entry, take_out)
    except AuthFailed as failure:
        raise AuthFailed(f"{cause(failure)} Nothing was taken out.", AuthTrouble.MISSING) from None


def describe(env: Mapping[str, str] = os.environ) -> Store:
    """What would hold secrets here, and what is missing if it cannot."""
    folder = env.get("CREDENTIALS_DIRECTORY")
    beside = f" (and systemd credentials in {folder})" if folder else ""
    if _is_file(env):
        file = _file(env)
        try:
            return Store(file.look() + beside, True, "")
        except Exception as error:  # see _tried
            return Store(f"the encrypted file {file.path}", False, _broken("NAME", error).why)
    try:
        backend = _backend("NAME", env)
    except AuthFailed as failure:
        return Store(_chosen(env) or "none", False, failure.why)
    except Exception as error:  # see _tried
        return Store(_chosen(env) or "none", False, _broken("NAME", error).why)
    return Store(_name_of(backend) + beside, True, "")


def asks(env: Mapping[str, str] = os.environ) -> bool:
    """Whether a look would ask a person for the key of the encrypted file."""
    return _is_file(env) and not master_key.source(env)


def is_sealed(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the encrypted file is there, whatever is used."""
    return os.path.lexists(_file(env).path)


def cause(failure: AuthFailed) -> str:
    """What keeps a secret from being looked at, without how another one is stored."""
    return failure.why.partition(_STORE)[0]


def place(env: Mapping[str, str] = os.environ) -> str:
    """Where `store` puts them, for a person."""
    return f"the encrypted file {_file(env).path}" if _is_file(env) else "the keyring"


def unlock(env: Mapping[str, str] = os.environ) -> None:
    """Have the key of the encrypted file ready, where that is used; AuthFailed(MISSING) when there is none.

    For a process that cannot ask for it later: from then on it never asks.
    """
    if _is_file(env):
        _tried("NAME", lambda: _file(env).unlock())


def _credential(entry: str, env: Mapping[str, str]) -> str | None:
    """The systemd credential `muster-ENTRY`, or None when there is no such file."""
    folder = env.get("CREDENTIALS_DIRECTORY")
    if not folder or f"muster-{entry}" == master_key.CREDENTIAL:  # the file's key must never go to a supplier
        return None
    path = Path(folder) / f"muster-{entry}"
    try:
        text = path.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = f"The systemd credential {path} for {entry} cannot be read ({type(error).__name__})."
    else:
        if text:
            return text
        why = f"The systemd credential {path} for {entry} is empty."
    raise AuthFailed(f"{why} Mend it in the service's unit and restart the service.", AuthTrouble.MISSING)


def _backend(vendor: str, env: Mapping[str, str]) -> KeyringBackend:
    """The keyring backend to use. Raises AuthFailed for one that must not be, anything for a broken one."""
    if _is_file(env):
        return _file(env)
    import keyring
    from keyring.backends import chainer, fail, null

    chosen = _chosen(env)
    backend = keyring.core.load_keyring(chosen) if chosen else keyring.get_keyring()
    if chosen:
        return backend
    parts = list(backend.backends) if isinstance(backend, chainer.ChainerBackend) else [backend]
    fit = [part for part in parts if not isinstance(part, fail.Keyring | null.Keyring)]
    if is_sealed(env) and not any("plaintext" not in _name_of(part).lower() for part in fit):
        raise AuthFailed(
            f"The key of {_file(env).path} is not here, nor is a keyring. {master_key.HOW} It is asked for on"
            " the terminal with MUSTER_KEYRING=file; `MUSTER_KEYRING=file muster serve` sends what waits.",
            AuthTrouble.MISSING,
        )
    if not fit:
        raise _none_here(vendor)
    for part in fit:
        if "plaintext" not in _name_of(part).lower():
            return part
    raise _missing(
        f"The only keyring here, {_name_of(fit[0])}, writes credentials to a file that anybody who can "
        f"read it can use: it is refused unless MUSTER_KEYRING={_name_of(fit[0])} says that you want it.",
        vendor,
    )


def _is_file(env: Mapping[str, str]) -> bool:
    """Whether the encrypted file is what holds them: it was chosen, or its key was given."""
    chosen = _chosen(env)
    return chosen == _FILE or (not chosen and bool(master_key.source(env)))


def _file(env: Mapping[str, str]) -> sealed.Keyring:
    from integrations import sealed

    return sealed.Keyring(env=env)


def _chosen(env: Mapping[str, str]) -> str:
    return next((env[name] for name in _CHOSEN if env.get(name)), "")


def _name_of(backend: KeyringBackend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _tried(vendor: str, do: Callable[[], T]) -> T:
    """Run `do` on the keyring. Backends are plug-ins and raise what they like (EOFError at a prompt, …)."""
    try:
        return do()
    except AuthFailed:
        raise
    except Exception as error:
        broken = _broken(vendor, error)
    raise broken


def _broken(vendor: str, error: Exception) -> AuthFailed:
    from keyring.errors import KeyringLocked, NoKeyringError

    from integrations import sealed

    if isinstance(error, master_key.NoKey | sealed.Unfit):
        return AuthFailed(str(error), AuthTrouble.MISSING)
    if isinstance(error, NoKeyringError):
        return _none_here(vendor)
    if isinstance(error, KeyringLocked):
        return _missing("The keyring is locked: unlock it and try again.", vendor)
    if isinstance(error, ImportError | AttributeError | ValueError):
        return _missing(
            f"The keyring backend that was named cannot be loaded ({type(error).__name__}).", vendor
        )
    return _missing(f"The keyring did not do what it was asked ({type(error).__name__}).", vendor)


def _none_here(entry: str) -> AuthFailed:
    """No keyring at all: the command alone would fail again, so what makes it work comes first."""
    login = _login(entry)
    return AuthFailed(
        f"No keyring is here to hold credentials.{_STORE}MUSTER_KEYRING=file {login}, which keeps an "
        "encrypted file, and set that for each muster that needs it. Or give the secret to the service as a "
        f"systemd credential (LoadCredentialEncrypted=muster-{entry}:…).",
        AuthTrouble.MISSING,
    )


def _missing(what: str, entry: str) -> AuthFailed:
    return AuthFailed(
        f"{what}{_STORE}{_login(entry)}. {_HEADLESS.replace('NAME', entry)}", AuthTrouble.MISSING
    )


def _of(name: str) -> str:
    """What is kept under a name, for a person."""
    if name in _OWN:
        return _OWN[name][0]
    if found := _SLOT.fullmatch(name):
        return f"address of {found[1]}'s {found[2]}"
    found = _ROTA.fullmatch(name)
    return f"address of the calendar of {found[1]}" if found else f"credential for {name}"


def _login(entry: str) -> str:
    """The command that stores it."""
    if entry in _OWN:
        return _OWN[entry][1]
    if found := _SLOT.fullmatch(entry):
        return f"muster page login {found[1]} {found[2]}"
    if found := _ROTA.fullmatch(entry):
        return f"muster oncall login {found[1]}"
    vendor, _, kind = entry.partition(".")
    pin = kind.removeprefix(PIN)
    which = (
        ""
        if not kind
        else f" --pin {pin}"
        if pin != kind
        else " --webhook"
        if kind.startswith("webhook")
        else ""
    )
    return f"muster vendors login {vendor}{which}"


def _entry(vendor: str, kind: str) -> str:
    """The name under which it is kept: no supplier's name has a dot."""
    ours = vendor in _OWN or _SLOT.fullmatch(vendor) or _ROTA.fullmatch(vendor)
    if not _NAME.fullmatch(vendor) and (kind or not ours):
        raise ValueError("A supplier's name is lower-case letters, digits, - and _, at most 40.")
    return f"{vendor}.{kind}" if kind else vendor
