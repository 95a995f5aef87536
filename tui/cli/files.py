"""Files of an incident: attach, files, save, detach."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from register.attaching import attach, detach
from register.core import NotFound, Refused
from register.incident import Incident, Label
from register.leaving import NOTHING_MORE
from register.seeing import sentence
from register.store.files import File, content_of, files_of
from register.text import clip, one_line
from register.topics.engagement import live_bond
from register.topics.fetching import FileWanted, SupplierFile, offered
from register.topics.files import MAX_BYTES, OpenFile, safe_name
from register.topics.sending_files import TellPlace, refuse_files, too_large
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.tabular import columns
from tui.cli.telling import name_of, size_text
from tui.cli.trouble import WrongUse

_PIECE = 1 << 16
_Number = Annotated[str, typer.Argument(metavar="NUMBER", help="the incident: INC-7, or 7")]
_Which = Annotated[str, typer.Argument(metavar="FILE", help="its name, or the beginning of its id")]


def attach_(
    number: _Number,
    file: Annotated[str, typer.Argument(metavar="FILE", help="the file; - reads standard input")],
    name: Annotated[
        str | None, typer.Option(help="what it is called in the register", show_default=False)
    ] = None,
    label: Annotated[
        Label | None,
        typer.Option(
            help="where it may go; only shareable can ever leave [otherwise internal, with --to shareable]",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="VENDOR", help="send it to this engaged supplier, too", show_default=False),
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="PLACE",
            help="it is not kept here but lies there, a link or an SFTP place: that is noted, and told",
            show_default=False,
        ),
    ] = None,
) -> Answer:
    """Attach a file to an incident, up to 25 MB; with --to, send it to a supplier."""
    wanted = words.number(number)
    called = name or ("standard input" if file == "-" else Path(file).name)
    if place is not None:
        return tell_place(wanted, file, called, place, to)
    if to is not None:
        return send(wanted, file, called, to, label)
    label = label or Label.INTERNAL
    content = read(file)  # before the register is opened: standard input may take its time
    with here() as at:
        _refuse_unseen(at, wanted)
        receipt = attach(at.plain_desk(), at.who, wanted, content, called, label)
        with at.store.read() as connection:
            found = files_of(connection, wanted)
        made = next((one for one in found if one.id == receipt.events[0].command_id), found[-1])
        return Answer(
            _data(at, made), [f"{made.name} is on {wanted} ({size_text(made.size)}, {made.media_type})."]
        )


def files(number: _Number) -> Answer:
    """List the files of an incident."""
    wanted = words.number(number)
    with here() as at:
        _refuse_unseen(at, wanted)
        with at.store.read() as connection:
            found = files_of(connection, wanted)
        data = [_data(at, one) for one in found]
        rows = [
            (
                one.name,
                size_text(one.size),
                one.media_type,
                one.label,
                name_of(at, one.added_by) or "",
                f"{one.added_at.astimezone():%Y-%m-%d %H:%M}",
                one.id,
            )
            for one in found
        ]
        there = _at_suppliers(at, wanted)
    heading = ("NAME", "SIZE", "KIND", "LABEL", "BY", "ADDED", "ID")
    lines = columns(heading, rows) if rows else [f"{wanted} has no files."]
    more = ["", "At suppliers (`muster fetch` brings one here)"] if there else []
    more += [
        f"  {one.name}  {'size not told' if one.size is None else size_text(one.size)}  {one.vendor}"
        f"  {one.change_id}"
        for one in there
    ]
    told = [one.model_dump(include={"vendor", "name", "size", "change_id", "place"}) for one in there]
    return Answer([*data, *({**one, "fetched": False} for one in told)], lines + more)


def _at_suppliers(at: Here, number: str) -> list[SupplierFile]:
    """What suppliers have put on their tickets, and nobody has fetched."""
    events = [one.event for one in at.store.timeline(number)]
    wanted = {one.change_id for one in events if isinstance(one, FileWanted)}
    return [one for one in offered(events).values() if one.change_id not in wanted and not one.perhaps_ours]


def save(
    number: _Number,
    file: _Which,
    to: Annotated[
        Path | None, typer.Option(metavar="PATH", help="where to: a folder or a new file", show_default=False)
    ] = None,
) -> Answer:
    """Save a copy of a file; who did it is put on record. Nothing is ever overwritten."""
    wanted = words.number(number)
    with here() as at:
        found = _the_file(at, wanted, file)
        path = _target(found, to)
        content = content_of(at.store, found)
        if os.path.lexists(path):  # before it is put on record that somebody took it
            raise _is_there(path)
        if not path.parent.is_dir():
            raise _no_folder(path)
        at.plain_desk().do(at.who, OpenFile(target=wanted, file=found.id))
        _write(path, content)
        return Answer(
            _data(at, found) | {"saved": str(path)},
            [f"{path} is written, readable by you alone. That you took it is on record."],
        )


def detach_(
    number: _Number,
    file: _Which,
    reason: Annotated[str, typer.Option(help="why")] = "",
) -> Answer:
    """Take a file away from an incident; its bytes go too, unless another incident has them."""
    wanted = words.number(number)
    with here() as at:
        found = _the_file(at, wanted, file)
        detach(at.plain_desk(), at.who, wanted, found.id, one_line(reason))
        return Answer(_data(at, found), [f"{found.name} is gone from {wanted}."])


def send(number: str, file: str, called: str, vendor: str, label: Label | None) -> Answer:
    """Attach a file and send it to an engaged supplier, both or neither; nothing too large is even read."""
    if label not in (None, Label.SHAREABLE):
        raise WrongUse(
            f"What is {label} may not leave. Nothing was done: take --label or --to away.", "label"
        )
    with here() as at:
        incident = _seen(at, number)
        bond = live_bond(incident, vendor)
        facts = at.desk(with_vendors=True).policy.vendors.get(vendor)
        what = NOTHING_MORE if facts is None else facts.receives
        refuse_files(incident, vendor, what)

    def refused(size: int | None) -> Refused:
        return Refused(too_large(called, size, bond.vendor, what), "file")

    content = read(file, what.most_bytes, refused)
    with here() as at:
        receipt = attach(
            at.desk(with_vendors=True), at.who, number, content, called, Label.SHAREABLE, send_to=bond.vendor
        )
        at.wake_worker()
        with at.store.read() as connection:
            found = {one.id: one for one in files_of(connection, number)}
        made = found[receipt.events[0].command_id]
        told = f"{made.name} is on {number} and on its way to {bond.vendor} ({size_text(made.size)})."
        return Answer(_data(at, made) | {"to": bond.vendor}, [told])


def tell_place(number: str, file: str, called: str, place: str, vendor: str | None) -> Answer:
    """Note where a file lies that is not kept here, with its size and digest, and tell a supplier."""
    size, digest = _measured(file)
    told = TellPlace(target=number, name=called, place=place, size=size, sha256=digest, vendor=vendor)
    with here() as at:
        receipt = at.desk(with_vendors=vendor is not None).do(at.who, told)
        if vendor is not None:
            at.wake_worker()
        data = {"number": number, "name": told.name, "place": place, "size": size, "sha256": digest}
        lines = [f"Where {told.name} lies is on {number} ({size:,} bytes, SHA-256 {digest[:12]}…)."]
        if vendor is not None:
            lines.append(f"{vendor} is told.")
        return Answer(data | {"to": vendor}, [*lines, *receipt.remarks])


Refusal = Callable[[int | None], Exception]
"""From a size, where it is known, to what is raised of it."""


def read(file: str, most: int = MAX_BYTES, refused: Refusal | None = None) -> bytes:
    """Return what is to be attached; its size is looked at first."""
    shown = "Standard input" if file == "-" else clip(one_line(file), 200)
    refuse = refused or (lambda size: _too_large(shown, "more" if size is None else f"{size:,} bytes"))
    with _opened(file) as (stream, size):
        if size is not None and size > most:
            raise refuse(size)
        pieces, got = [], 0
        while piece := stream.read(_PIECE):
            got += len(piece)
            if got > most:
                raise refuse(None)
            pieces.append(piece)
        return b"".join(pieces)


def _measured(file: str) -> tuple[int, str]:
    """Return a file's size and digest, however large it is; nothing of it is kept."""
    size, digest = 0, hashlib.sha256()
    with _opened(file) as (stream, _):
        while piece := stream.read(_PIECE):
            size += len(piece)
            digest.update(piece)
    return size, digest.hexdigest()


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """A file, and its size where that is known before it is read."""
    if file == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    shown = clip(one_line(file), 200)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise WrongUse(f"{shown} is no file that can be attached. Nothing was done.", "file")
        with path.open("rb") as opened:
            yield opened, about.st_size
    except FileNotFoundError:
        raise NotFound(f"There is no file {shown}. Nothing was done: name another.", "file") from None
    except OSError as error:
        raise WrongUse(f"{shown} cannot be read ({error.strerror}). Nothing was done.", "file") from error


def _too_large(shown: str, size: str) -> WrongUse:
    return WrongUse(
        f"{shown} has {size}; a file may have {size_text(MAX_BYTES)} ({MAX_BYTES:,} bytes) at most."
        " Nothing was done: keep it elsewhere and say where in a note.",
        "file",
    )


def _the_file(at: Here, number: str, said: str) -> File:
    _refuse_unseen(at, number)
    with at.store.read() as connection:
        every = files_of(connection, number)
    beginning = said.strip().upper()
    found = [one for one in every if one.name == said or one.id == beginning]
    found = found or [one for one in every if len(beginning) >= 4 and one.id.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    shown = clip(one_line(said), 40)
    if found:
        told = ", ".join(one.id for one in found[:5])
        raise Refused(f"{number} has {shown!r} more than once: say which by its id ({told}).", "file")
    raise NotFound(f"{number} has no file {shown!r}: `muster files {number}` shows them.", "file")


def _refuse_unseen(at: Here, number: str) -> None:
    _seen(at, number)


def _seen(at: Here, number: str) -> Incident:
    """Return an incident that this reader may see."""
    found = at.incident(number)
    if not at.sees(found):
        raise Refused(sentence(number))
    return found


def _target(file: File, to: Path | None) -> Path:
    name = safe_name(file.name)
    if to is None:
        return Path(name)
    return to / name if to.is_dir() else to


def _is_there(path: Path) -> Refused:
    return Refused(f"{path} is there already. Nothing was written: say another path with --to.", "to")


def _no_folder(path: Path) -> NotFound:
    return NotFound(f"There is no folder {path.parent}. Nothing was written: make it first.", "to")


def _write(path: Path, content: bytes) -> None:
    """Write a new file, readable by its owner alone."""
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as opened:
            opened.write(content)
    except FileExistsError:
        raise _is_there(path) from None
    except FileNotFoundError:
        raise _no_folder(path) from None
    except OSError as error:
        raise WrongUse(
            f"{path} cannot be written ({error.strerror}): say another path with --to.", "to"
        ) from error


def _data(at: Here, file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "number": file.number,
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "label": file.label,
        "added_by": name_of(at, file.added_by),
        "added_at": file.added_at,
    }
