"""What a mail of a ticket tells: words, a state by an agreed phrase, files, that ours is lost. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from integrations.connector import Change, ChangeKind, Ref, Theirs
from integrations.mail.config import EmailConfig
from integrations.mail.folding import folded
from integrations.mail.letters import op_id_of
from integrations.mail.opened import Opened
from register.marker import unsigned
from register.text import MAX_TEXT, clip, one_line

NOT_DELIVERED: Final = "not delivered"
ORIGINAL: Final = "all"
"""In place of a file's number: the mail itself."""
_HINTS: Final[Mapping[Theirs, tuple[str, ...]]] = {
    Theirs.FIXED: (
        "has been resolved", "is resolved", "has been fixed", "is fixed", "problem solved", "behoben",
        "gelöst", "erledigt", "résolu", "rettet", "løst", "åtgärdat", "opgelost", "resuelto", "risolto",
    ),
    Theirs.CLOSED: ("has been closed", "is closed", "geschlossen", "clôturé", "lukket", "stängt", "gesloten"),
    Theirs.WAITS_FOR_US: (
        "please send", "please provide", "could you", "can you confirm", "waiting for your", "bitte senden",
        "können sie", "merci de", "kan dere", "kan du", "kunt u", "por favor",
    ),
    Theirs.WORKING: (
        "we are working on", "is being investigated", "technician is on", "in bearbeitung", "en cours",
        "under arbeid", "in behandeling",
    ),
}  # fmt: skip
"""Words that often mean this: for a suggestion, never for a decision."""


@dataclass(frozen=True, slots=True)
class Told:
    """A mail of a ticket, with all that deciding what it means takes."""

    mail: Opened
    ref: Ref
    at: datetime
    size: int
    cut: bool  # only its beginning was read
    ours: bool
    number: str = ""  # theirs, where this mail is the first to tell it
    title: str = ""  # ours, which stands in the subjects of their answers, too


def changes_of(told: Told, config: EmailConfig) -> list[Change]:
    """What it tells, in the order in which it is to be heard."""
    if told.mail.bounces or (told.mail.about and not told.ours):
        return _report(told)
    if told.ours:
        return _ours(told, config)
    return _theirs(told, config)


def change_id(message_id: str) -> str:
    """By what a mail is known for ever, in whatever folder or mailbox it lies."""
    digest = hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()
    return message_id if len(message_id) <= 90 else f"<{digest[:40]}>"


def phrase_in(mail: Opened, config: EmailConfig, title: str = "") -> str | None:
    """The agreed phrase in a mail; None where there is none, or two that mean different things.

    title: ours. Of a phrase that stands in it their subject says nothing: `Re: Pump has been repaired?`"""
    subject, said, ours = _flat(mail.subject), _flat(folded(mail.text)), _flat(title)
    phrases = {phrase: _flat(phrase) for phrase in config.states}
    found = [one for one, flat in phrases.items() if flat in said or (flat in subject and flat not in ours)]
    if len({config.states[phrase] for phrase in found}) != 1:
        return None
    return max(found, key=len)


def names_one(mail: Opened, config: EmailConfig) -> bool:
    """Whether an agreed phrase stands in the subject, where our own title may stand, too."""
    return any(_flat(phrase) in _flat(mail.subject) for phrase in config.states)


def suggestion(mail: Opened) -> str:
    """What a mail without an agreed phrase may mean, in a line for its reader; empty if nobody knows."""
    said = _flat(folded(mail.text))
    fit = {means: word for means, words in _HINTS.items() for word in words if word in said}
    if len(fit) != 1:
        return ""
    ((means, word),) = fit.items()
    return (
        f'[No agreed phrase: read it. It may mean {means.replace("_", " ")} ("{word}");'
        " if they always write so, add it to `states` in vendors.toml.]"
    )


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _change(told: Told, kind: ChangeKind, name: str = "", **more: object) -> Change:
    mid = change_id(told.mail.message_id)
    return Change(
        change_id=f"{mid}#{name}" if name else mid,
        ref=told.ref,
        at=told.at,
        kind=kind,
        author=told.mail.name or told.mail.sender or "unknown",
        by_our_account=told.ours,
        **more,  # type: ignore[arg-type]  # names of Change's own fields, given below
    )


def _ours(told: Told, config: EmailConfig) -> list[Change]:
    """What we sent, told back by our copy; what somebody typed in our mailbox carries no operation id."""
    op_id = op_id_of(told.mail.message_id, config)
    if op_id == told.ref.id:
        return []  # the ticket itself
    files = [_file(told, file.name, str(file.place), file.size, op_id) for file in told.mail.files]
    if op_id is not None and files:  # a file of ours goes by a mail of its own, known by its Message-ID
        return [_change(told, ChangeKind.FILE, body=told.mail.files[0].name, marker=op_id, size=None)]
    said = unsigned(told.mail.text) if op_id is not None else folded(told.mail.text)
    return [_change(told, ChangeKind.COMMENT, body=clip(said, MAX_TEXT), marker=op_id), *files]


def _theirs(told: Told, config: EmailConfig) -> list[Change]:
    mail = told.mail
    phrase = phrase_in(mail, config, told.title)
    found: list[Change] = []
    if phrase is not None:
        found.append(_state(told, "state", phrase, config.states[phrase]))
    elif told.number:
        found.append(_state(told, "state", f"acknowledged as {told.number}", Theirs.NEW))
    if (
        told.number
    ):  # the same word again, of unknown meaning: no news, but the ticket is read anew for its key
        found.append(_state(told, "number", found[-1].raw_state, Theirs.UNMAPPED))
    said = folded(mail.text)
    silent = mail.automatic and (told.number or phrase)  # an acknowledgement is no answer
    if not silent:
        found.append(_change(told, ChangeKind.COMMENT, body=_words(told, said, phrase), quiet=mail.replied))
    found += [_file(told, file.name, str(file.place), file.size) for file in mail.files]
    if silent or said != mail.text.strip("\n") or mail.notes or told.cut:
        name = f"original-{told.at.astimezone(UTC):%Y%m%d-%H%M%S}.eml"  # several of a ticket are told apart
        found.append(_file(told, name, ORIGINAL, told.size, quiet=True))
    return found


def _words(told: Told, said: str, phrase: str | None) -> str:
    """The text as a person reads it, with what Muster has to say of it in brackets."""
    mail = told.mail
    hint = "" if phrase or mail.automatic else suggestion(mail)
    lines = [
        "[An automatic answer.]" if mail.automatic else "",
        said if said.strip() else "[The mail has no text.]",
        *(f"[{note}]" for note in mail.notes),
        "[The mail is too large: its beginning was read. The rest is in the mailbox.]" if told.cut else "",
        hint,
    ]
    room = MAX_TEXT - sum(len(line) + 2 for line in lines if line is not lines[1])
    lines[1] = clip(lines[1], max(room, 1_000))
    return "\n\n".join(filter(None, lines))


def _report(told: Told) -> list[Change]:
    """Whether ours arrived, as the mail servers on the way tell (RFC 3464)."""
    failed = [one for one in told.mail.bounces if one.action == "failed"]
    late = [one for one in told.mail.bounces if one.action == "delayed"]
    if not failed and not late:
        return []  # it was delivered, or passed on
    reasons = "; ".join(
        " ".join(filter(None, (one.recipient.strip(), one.status, one.why.strip()))) for one in failed or late
    )
    what = "Our mail was NOT DELIVERED" if failed else "Our mail is late, and it goes on being tried"
    todo = " Mend the address in vendors.toml, or call them." if failed else ""
    found = [_change(told, ChangeKind.COMMENT, body=f"{what}: {one_line(reasons)}.{todo}")]
    if failed:
        found.insert(0, _state(told, "bounce", NOT_DELIVERED, Theirs.WAITS_FOR_US))
    return found


def _state(told: Told, name: str, raw: str, means: Theirs) -> Change:
    return _change(told, ChangeKind.STATE, name, raw_state=raw, state=means)


def _file(
    told: Told, name: str, place: str, size: int, marker: str | None = None, *, quiet: bool = False
) -> Change:
    where = f"{place} {told.mail.message_id}"
    return _change(
        told, ChangeKind.FILE, place, body=name, size=size, place=where, marker=marker, quiet=quiet
    )
