"""Files on Freshservice's tickets: ours go in one form with the words that they come with, theirs are fetched
from where Freshservice keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from integrations import forms
from integrations.downloads import downloaded
from integrations.errors import Gone, Rejected
from integrations.freshservice.wire import MOST_FILE

if TYPE_CHECKING:
    from integrations.connector import Attach
    from integrations.freshservice.config import FreshserviceConfig
    from integrations.freshservice.wire import Attachment
    from integrations.http import Http

HOSTS: Final = ("freshservice.com",)
"""Where Freshservice keeps files, and what is below: `attachment_url` is signed for about a day, at
NAME.attachments.freshservice.com, in other regions NAME.ind-attachments.freshservice.com and the like, as
answers of its API have it that programs quote; why not at S3 itself any more tells
freshworks.com/saas/serving-private-content-from-s3-using-cloudfront-blog. Its documentation names no host."""


def form(vendor: str, words: Mapping[str, str], file: Attach) -> tuple[str, bytes]:
    """The form's type and its bytes; Rejected where it is larger than Freshservice takes."""
    if file.size > MOST_FILE:
        raise Rejected(
            f"{vendor} takes {MOST_FILE // 1_000_000} MB of files on a ticket at most, and {file.name} has"
            f" {file.size:,} bytes: nothing was sent."
        )
    return forms.form(file, "attachments[]", file.name, words)


async def fetched(
    http: Http, config: FreshserviceConfig, files: Iterable[Attachment], number: str, most: int
) -> bytes:
    """The file of this number, of those that were told of just now."""
    told = next((one for one in files if str(one.id) == number), None)
    if told is None:
        raise Gone(f"{http.name} has this file no more, or does not show it to our account.")
    address = told.attachment_url if isinstance(told.attachment_url, str) else None
    return await downloaded(http, address, told.size, most, (*HOSTS, *config.file_hosts))
