"""`muster vendors new`: asks what a supplier is like, and adds a commented block to one's vendors.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from integrations.addresses import is_loopback
from integrations.oauth.config import OAuth2
from integrations.plugged import PluginBroken
from integrations.vendor import Block, system
from integrations.vendor_block import BY_DESCRIPTION, KINDS, block, kinds, required_of, value_of
from integrations.vendors import home_of, is_slug, read_vendors, vendors_path
from register.adoption import BY_HAND
from register.core import joined
from register.text import clip, one_line
from register.toml_file import FileFaults
from tui.cli import questions
from tui.cli.answer import Answer
from tui.cli.questions import NONE, among, asked, of_field, say
from tui.cli.trouble import WrongUse

_HEAD: Final = (
    "# The suppliers that Muster may engage: one [vendor.NAME] block each.\n"
    "# Credentials never stand here: they are stored with  muster vendors login NAME\n"
)
_GRANTS: Final = ("client_credentials", "refresh_token")
_WHERE: Final = ("production", "test")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="what it is called in vendors.toml: acme")],
    connector: Annotated[
        str, typer.Option(help=f"the kind of its system: {', '.join(KINDS)}", show_default=False)
    ] = "",
    title: Annotated[str, typer.Option(help="what people call it", show_default=False)] = "",
    url: Annotated[
        str, typer.Option(help="where its system answers, or its portal", show_default=False)
    ] = "",
    environment: Annotated[
        str, typer.Option(help="production, where people act on it, or test", show_default=False)
    ] = "",
    phone: Annotated[str, typer.Option(help="whom to call", show_default=False)] = "",
    service: Annotated[
        list[str] | None, typer.Option(help="a service of yours that it looks after; again for more")
    ] = None,
    oauth2: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="how tokens are got: token_url=…, client_id=…; again for more"
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="a key of its connector's own; again for more"),
    ] = None,
) -> Answer:
    """Add a supplier to vendors.toml: asks what is missing, writes a commented block, overwrites nothing."""
    path, before = _place(name)
    given = {"connector": connector, "title": title, "url": url, "environment": environment, "phone": phone}
    common = _with_tokens(_common(name, given, service or ()), oauth2 or ())
    text = block(name, common, _own(common["connector"], setting or ()))
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    added = (gap if before else _HEAD + "\n") + text
    try:
        read_vendors(before + added, path.name)
    except FileFaults as error:
        fault = re.sub(rf"^{re.escape(path.name)} line \d+, ", "", error.faults[0])  # no line of it is there
        raise WrongUse(f"{fault} Nothing was written.") from None
    _append(path, added)
    return _said(name, path, text, common, first=not before)


def _place(name: str) -> tuple[Path, str]:
    """Return the file and what stands in it, where such a block may be added."""
    if not is_slug(name):
        raise WrongUse(
            f"{clip(one_line(name), 40)!r} is no name: take lower-case letters, digits, - and _, at most 40.",
            "name",
        )
    path = vendors_path(home_of(os.environ))
    before = _read(path)
    if name in _known(before, path):
        raise WrongUse(f"{path} has a [vendor.{name}] already: edit it there. Nothing was written.", "name")
    return path, before


def _common(name: str, given: Mapping[str, str], services: Sequence[str]) -> dict[str, Any]:
    """What every supplier has: as given, else asked for."""
    known = kinds()
    if not given["connector"] and questions.asks():
        say(f"Kinds of system: {', '.join(known)}.")
    kind = asked(
        "connector", given["connector"], "Kind of its system", check=lambda kind: _unfit(kind, known)
    )
    by_hand = kind == BY_HAND
    bare = by_hand or not system(kind).info.needs_url
    where = "Address of its portal, - for none" if bare else "Address where its system answers (https://…)"
    told = {
        "connector": kind,
        "title": asked("title", given["title"], "What people call it", name, of_field(Block, "title")),
        "url": asked("url", given["url"], where, NONE if bare else "", of_field(Block, "url", or_none=bare)),
        "environment": asked(
            "environment", given["environment"], "production or test", "test", among(_WHERE)
        ),
    }
    if by_hand and told["url"] == NONE and questions.asks():
        told["phone"] = asked("phone", given["phone"], "Whom to call", check=_needed)
    else:
        phone = of_field(Block, "phone", or_none=True)
        told["phone"] = asked("phone", given["phone"], "Whom to call, - for nobody", NONE, phone)
    told = {key: "" if value == NONE else value for key, value in told.items()}
    return told | {"services": list(services) or _several(), "auth": _auth(kind, told["url"])}


def _needed(phone: str) -> str:
    """Why a phone is none that is all there is to reach somebody by."""
    if phone == NONE:
        return "It is needed: without it and a portal nobody would know how to reach them."
    return of_field(Block, "phone")(phone)


def _unfit(kind: str, known: Sequence[str]) -> str:
    """Why no block can be made for a kind of system; empty where one can."""
    if kind == BY_DESCRIPTION:
        return "A REST system is described by hand: docs/rest.md has a whole block to begin with."
    if kind not in known:
        return f"{clip(one_line(kind), 40)!r} is no kind of system: take {joined(known)}."
    try:
        required_of(kind)
    except PluginBroken as broken:
        return f"{kind} cannot be used: {broken}."
    return ""


def _said(name: str, path: Path, text: str, common: dict[str, Any], *, first: bool) -> Answer:
    """What was written and what comes next."""
    steps = [f"muster vendors login {name}"] if common["auth"] in ("keyring", "oauth2") else []
    steps += [f"muster vendors check {name}", "muster apply"]
    lines = [f"[vendor.{name}] is in {path}:", "", *text.splitlines(), ""]
    if first:
        lines.append("That file counts from now on: the sample's practice supplier is not in it.")
    lines.append(f"Next: {', then '.join(steps)} (a register of your own takes it by itself).")
    data = {"vendor": name, "path": str(path), "block": text, "next": steps}
    return Answer(data, lines)


def _several() -> list[str]:
    """The services that it looks after."""
    if not questions.asks():
        return []
    named = of_field(Block, "services", or_none=True, read=_parts)
    answer = asked("service", "", "Services of yours that it looks after, by comma, - for none", NONE, named)
    return [] if answer == NONE else _parts(answer)


def _parts(answer: str) -> list[str]:
    return [one.strip() for one in answer.split(",") if one.strip()]


def _auth(kind: str, url: str) -> str:
    """No credential only where none is needed, and on this machine alone."""
    if kind == BY_HAND:
        return ""
    return "none" if not system(kind).info.needs_secret and is_loopback(url) else "keyring"


def _with_tokens(common: dict[str, Any], given: Sequence[str]) -> dict[str, Any]:
    """How tokens are got, where its system takes them and somebody says so."""
    told = dict(_pair(one, "oauth2") for one in given)
    kind = common["connector"]
    takes = kind != BY_HAND and system(kind).info.oauth2
    if told and not takes:
        raise WrongUse(f"{kind} takes no OAuth 2.0 tokens: leave --oauth2 out.", "oauth2")
    for key in told.keys() - OAuth2.model_fields:
        raise WrongUse(
            f"{clip(one_line(key), 40)} is no key of it: take {joined(OAuth2.model_fields)}. A secret is"
            " stored with `muster vendors login`. Nothing was written.",
            "oauth2",
        )
    if not told and takes and questions.asks():
        where = of_field(OAuth2, "token_url", or_none=True)
        url = asked("oauth2", "", "Address where tokens are given out (OAuth 2.0), - for none", NONE, where)
        told = {} if url == NONE else {"token_url": url}
    if not told:
        return common
    for key, question in (
        ("token_url", "Address where tokens are given out"),
        ("client_id", "OAuth client id: who we are there"),
    ):
        told[key] = asked(f"oauth2 {key}=…", told.get(key, ""), question, check=of_field(OAuth2, key))
    if questions.asks():
        which = f"Grant ({joined(_GRANTS)})"
        told["grant"] = asked("oauth2 grant=…", told.get("grant", ""), which, _GRANTS[0], among(_GRANTS))
        scope = of_field(OAuth2, "scope", or_none=True)
        told["scope"] = asked("oauth2 scope=…", told.get("scope", ""), "Scope, - for none", NONE, scope)
        told["scope"] = "" if told["scope"] == NONE else told["scope"]
    return common | {"auth": "oauth2", "oauth2": told}


def _own(kind: str, settings: Sequence[str]) -> dict[str, Any]:
    """The connector's own keys: those given, and asked for where they have no default."""
    given = dict(_pair(one) for one in settings)
    for key, means in required_of(kind, given).items():
        if key not in given:
            if not questions.asks():
                raise WrongUse(f"{kind} needs {key} ({means}): add --set {key}=…", "setting")
            given[key] = asked(f"set {key}=…", "", f"{key}: {means}", check=partial(_unfit_value, kind, key))
    try:
        return {key: value_of(kind, key, value) for key, value in given.items()}
    except ValueError as error:
        raise WrongUse(f"{error} Nothing was written.", "setting") from None


def _unfit_value(kind: str, key: str, answer: str) -> str:
    """Why a key of the connector's own cannot be that; empty where it can."""
    try:
        value_of(kind, key, answer)
    except ValueError as error:
        return str(error)
    return ""


def _pair(text: str, option: str = "set") -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise WrongUse(f"--{option} wants KEY=VALUE, not {clip(one_line(text), 40)!r}.", option)
    return key.strip(), value.strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _known(text: str, path: Path) -> frozenset[str]:
    try:
        return frozenset(read_vendors(text, path.name)) if text else frozenset()
    except FileFaults as error:
        raise WrongUse(f"{error.faults[0]} Mend that first: nothing was written.") from None


def _append(path: Path, text: str) -> None:
    """Add to the file's end: nothing that stands there is ever written over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
