"""Files on GitLab's issues: uploads of the project, which a text then names (markdown uploads API)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from integrations.answers import lost
from integrations.errors import Gone, Rejected
from integrations.forms import multipart
from integrations.gitlab.wire import Upload
from integrations.reading import read
from register.marker import marked_name
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Attach
    from integrations.gitlab.projects import Projects

_URL: Final = re.compile(r"/uploads/([0-9a-f]{32})/([^()\s/]+)")
_PLACE: Final = re.compile(r"([0-9a-f]{32})/([^()\s/]+)")
_NAME: Final = re.compile(r"[^\w. -]")


async def uploaded(projects: Projects, project: str, file: Attach) -> tuple[str, str]:
    """Put the bytes there, where nobody sees them yet; the secret of the place, and the link to them."""
    kind, content = multipart(file)
    path = f"{projects.path(project)}/uploads"
    headers = {"Content-Type": kind}
    asked = projects.http.post(path, content=content, headers=headers, safe=True, op_id=file.op_id)
    answer = await projects.seen(project, asked)
    url = read(Upload, answer).url
    found = _URL.fullmatch(url)
    if found is None:
        raise lost(answer.name, "did not say where it put our file", answer.repeatable, answer.op_id)
    name = _NAME.sub("_", one_line(marked_name(file.name, file.op_id)))
    return found[1], f"[{name}]({url})"


async def fetched(projects: Projects, project: str, place: str, most: int) -> bytes:
    """A file by its secret and name, since GitLab 17.4. Its size is told as it comes, and looked at first."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise Rejected(f"{one_line(place)} is no file of {projects.http.name}.")
    path = f"{projects.path(project)}/uploads/{found[1]}/{quote(unquote(found[2]), safe='')}"
    try:
        answer = await projects.http.get(path, headers={"Accept": "*/*"}, most=most, page=True)
    except Gone as gone:
        raise Rejected(
            f"{projects.http.name} does not give that file: it is not there any more, or its GitLab is older"
            f" than 17.4 ({gone.why}). Look at the issue.",
            404,
        ) from None
    return answer.body
