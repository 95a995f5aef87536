"""What must be true of our mailbox before Muster may write to a supplier by it."""

from __future__ import annotations

from typing import Final

from integrations.checks import failed
from integrations.connector import Check, Health
from integrations.errors import AuthFailed, Failure
from integrations.mail.box import Box
from integrations.mail.config import EmailConfig

_TODO: Final = "mend `{key}` in vendors.toml, or ask whoever runs your mail server"


async def health(box: Box, config: EmailConfig) -> Health:
    """The mailbox, the way out, the folders and what was agreed on, each a line. No mail is sent."""
    name = box.http.name
    try:
        at = await box.start(config.folder)
    except Failure as failure:
        return Health("", (_line("identity", failure, name, "imap"),))
    lines = [
        Check("identity", True, f"signed in as {config.us}"),
        Check("folder", at.validity > 0, f"{config.folder} is there, with {at.next - 1:,} mails so far")
        if at.validity
        else Check("folder", False, f"{config.folder} does not tell its UIDVALIDITY",
                   "its mails cannot be told apart there: take another mail server"),
    ]  # fmt: skip
    if config.sent_folder:
        try:
            await box.start(config.sent_folder)
            lines.append(Check("sent folder", True, f"{config.sent_folder} is there"))
        except Failure as failure:
            lines.append(_line("sent folder", failure, name, "sent_folder"))
    try:
        await box.knock()
        lines.append(Check("way out", True, "would take mail of ours"))
    except Failure as failure:
        lines.append(_line("way out", failure, name, "smtp"))
    lines.append(Check("senders", True, f"mail of {', '.join(config.sources)} counts as theirs"))
    agreed = (
        f"{len(config.states)} phrases are agreed" if config.states else "none is agreed: a person reads all"
    )
    lines.append(Check("phrases", True, agreed))
    return Health(config.us, tuple(lines))


def _line(name: str, failure: Failure, vendor: str, key: str) -> Check:
    if isinstance(failure, AuthFailed):
        return failed(name, failure, vendor)
    return Check(name, False, failure.why, _TODO.format(key=key), failed(name, failure, vendor).passing)
