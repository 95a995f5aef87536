"""vendors.toml → `Vendor` values, and from a vendor the connector that speaks to it.

Every error names file, line and key, and says what to do. No value that looks like a credential is ever
taken, or repeated.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from integrations.leaks import secret_key, secret_value
from integrations.systems import SYSTEMS
from integrations.toml_lines import key_lines, line_of
from integrations.vendor import Block, Vendor, Wired, is_loopback, system
from register.core import Policy, VendorFacts
from register.text import Slug, clip, one_line

if TYPE_CHECKING:
    import httpx

__all__ = [
    "Vendor",
    "VendorsFileError",
    "VendorsFileMissing",
    "connector_for",
    "find_vendors_file",
    "load_vendors",
    "vendors_path",
]

FILE: Final = "vendors.toml"
MAX_FILE: Final = 1_000_000
_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")
_SLUG: Final = TypeAdapter[str](Slug)
_PLAINLY: Final[Mapping[str, str]] = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not known here: take it out, or mend it",
    "string_type": "must be text in quotes",
    "string_too_short": "is empty: write a word, or take the line out",
    "too_short": "is empty: write a word, or take it out",
    "tuple_type": 'must be a list: ["one", "two"]',
    "dict_type": "must be a table",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a number that ends",
}
"""What pydantic's kinds of error mean to somebody who writes TOML."""
KeyPath = tuple[str, ...]


class VendorsFileError(Exception):
    """vendors.toml cannot be used: one sentence a fault, each with place and remedy."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class VendorsFileMissing(VendorsFileError):
    """There is no such file."""


def connector_for(
    vendor: Vendor,
    secret_of: Callable[[str], str],
    transport: httpx.AsyncBaseTransport | None = None,
) -> Wired:
    """The vendor's connector. Make it in the loop that uses it; close its `http` when done.

    `secret_of` is `integrations.secrets.resolve`, or a test's; what it raises (AuthFailed) passes.
    """
    from integrations.http import Http, Limits

    kind = system(vendor.connector)
    secret = secret_of(vendor.name) if vendor.auth == "keyring" else ""
    root: str = getattr(kind, "root", "")
    seconds = vendor.deadline_seconds
    http = Http(
        vendor.url.removesuffix(root) + root,
        kind.headers(vendor.config, secret),
        name=vendor.name,
        limits=Limits(connect=min(5.0, seconds), read=seconds, total=seconds),
        transport=transport,
    )
    return kind(http, vendor.config)


def policy_of(known: Mapping[str, Vendor]) -> Policy:
    """What the register may know of these suppliers: enough to refuse a wrong name."""
    return Policy({name: VendorFacts(name, one.title, one.production) for name, one in known.items()})


def vendors_path(home: Path) -> Path:
    return home / FILE


def find_vendors_file(env: Mapping[str, str]) -> Path:
    """The file to read: in MUSTER_HOME, or the user's configuration folder, else the sample that we ship."""
    import platformdirs

    home = env.get("MUSTER_HOME")
    own = vendors_path(Path(home).expanduser() if home else platformdirs.user_config_path("muster"))
    top = Path(__file__).resolve().parent.parent
    for path in (own, top / "tui" / FILE, top / FILE):
        if path.is_file():
            return path
    raise VendorsFileMissing(f"There is no {own}: write one (the README shows how), or set MUSTER_HOME.")


def load_vendors(path: Path) -> dict[str, Vendor]:
    """All vendors of the file, in its order. VendorsFileError tells every fault at once."""
    text = _text(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        found = _LINE.search(said)
        where = f"{path.name} line {found[1]}" if found else path.name
        what = one_line(_LINE.sub("", said))
        raise VendorsFileError(f"{where}: this is not TOML ({what}). Mend that line.") from None
    return _Reader(path.name, key_lines(text)).vendors(tables)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise VendorsFileMissing(
            f"There is no {path}: write one, or set MUSTER_HOME to its folder."
        ) from None
    except OSError as error:
        raise VendorsFileError(
            f"{path} cannot be read ({error.strerror}): look at its permissions."
        ) from None
    if len(raw) > MAX_FILE:
        raise VendorsFileError(f"{path} has {len(raw):,} bytes, {MAX_FILE:,} at most: is it the right file?")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise VendorsFileError(
            f"{path.name} line {line}: this is not UTF-8. Save the file as UTF-8."
        ) from None


class _Reader:
    """Reads the tables of one file and gathers its faults."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self._file = file
        self._lines = lines
        self._faults: dict[str, int] = {}

    def vendors(self, tables: Mapping[str, Any]) -> dict[str, Vendor]:
        for key in tables.keys() - {"vendor"}:
            self._fault(
                (key,), f"is not known here{_near(key, ['vendor'])}. Suppliers are [vendor.NAME] blocks"
            )
        blocks = tables.get("vendor", {})
        if not isinstance(blocks, dict):
            self._fault(("vendor",), "must be blocks: write [vendor.NAME]")
            blocks = {}
        vendors = {
            name: vendor for name in blocks if (vendor := self._vendor(name, blocks[name])) is not None
        }
        if self._faults:
            raise VendorsFileError(*sorted(self._faults, key=lambda fault: self._faults[fault]))
        return vendors

    def _vendor(self, name: str, block: object) -> Vendor | None:
        here = ("vendor", name)
        if not _is_slug(name):
            self._fault(here, "is no name: take lower-case letters, digits, - and _, at most 40")
        elif not isinstance(block, dict):
            self._fault(here, f"must be a block: write [vendor.{name}]")
        elif not self._leaks(here, block):
            kind = block.get("connector")
            if kind is None or _is_kind(kind):
                return self._read(here, block, kind)
            where = (*here, "connector")
            self._fault(where, f"is no kind of system{_near(kind, SYSTEMS)}. Known are {', '.join(SYSTEMS)}")
        return None

    def _read(self, here: KeyPath, block: Mapping[str, Any], kind: str | None) -> Vendor | None:
        model = system(kind).info.config if kind else None
        known = [*Block.model_fields, *(model.model_fields if model else ())]
        before = len(self._faults)
        for key in block:
            if key not in known and model is not None:
                self._fault(
                    (*here, key),
                    f"is not a key of such a supplier{_near(key, known)}. Take it out, or mend it",
                )
        common = self._validated(here, Block, {k: v for k, v in block.items() if k in Block.model_fields})
        config = None
        if model is not None:
            config = self._validated(here, model, {k: v for k, v in block.items() if k in model.model_fields})
        if not isinstance(common, Block) or config is None:
            return None
        self._check_auth(here, common)
        if len(self._faults) > before:
            return None
        return Vendor(name=here[1], config=config, **common.model_dump())

    def _check_auth(self, here: KeyPath, block: Block) -> None:
        if block.auth != "none":
            return
        where = (*here, "auth")
        if not is_loopback(block.url):
            self._fault(
                where, '"none" is for this machine alone: write "keyring", then muster vendors login NAME'
            )
        elif system(block.connector).info.needs_secret:
            title = system(block.connector).info.title
            self._fault(
                where, f'{title} needs a credential: write "keyring", then muster vendors login {here[1]}'
            )

    def _validated(self, here: KeyPath, model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel | None:
        try:
            return model.model_validate(dict(given))
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                path = _path_of(detail)
                self._fault((*here, *path), _says(detail, model, path))
        return None

    def _leaks(self, here: KeyPath, block: Mapping[str, Any]) -> bool:
        """Whether something in it looks like a credential; a key that is known is judged by its value."""
        known = {*Block.model_fields, *_own_keys(block.get("connector"))}
        leaks = [
            path
            for path, text in _leaves(here, block)
            if any(secret_key(key) for key in path[2:] if key not in known) or secret_value(text)
        ]
        for path in leaks:
            self._fault(
                path,
                "looks like a credential, which may not stand in a file. Take it out, store it with "
                f"muster vendors login {here[1]}, and change it at the supplier if others could read it here",
            )
        return bool(leaks)

    def _fault(self, path: KeyPath, says: str) -> None:
        line = line_of(self._lines, path)
        key = one_line(".".join(clip(part, 60) for part in path))
        self._faults[f"{self._file} line {line}, {key}: {says}."] = line


def _is_slug(name: str) -> bool:
    try:
        _SLUG.validate_python(name)
    except ValidationError:
        return False
    return True


def _is_kind(kind: object) -> TypeGuard[str]:
    return isinstance(kind, str) and kind in SYSTEMS


def _own_keys(kind: object) -> Iterable[str]:
    return system(kind).info.config.model_fields if _is_kind(kind) else ()


def _leaves(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(path, inner)
    else:
        yield path, str(value)


def _path_of(detail: ErrorDetails) -> KeyPath:
    """Where in the block an error is; places in lists and pydantic's own marks left out."""
    return tuple(part for part in detail["loc"] if isinstance(part, str) and part != "[key]")


def _says(detail: ErrorDetails, model: type[BaseModel], path: KeyPath) -> str:
    described = model.model_fields[path[0]].description if path and path[0] in model.model_fields else None
    what = f" ({described})" if described else ""
    said = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    said = _PLAINLY.get(detail["type"], f"{said[:1].lower()}{said[1:]}").rstrip(".")
    return f"{said}{what}"


def _near(word: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close else ""
