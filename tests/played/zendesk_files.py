"""Files as Zendesk gives them: its own address sends on to a signed one at another host (its documentation:
"Accessing end user uploaded attachments", "Working with url properties", "Ticket attachments")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from tests.played.zendesk import PlayedZendesk

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]


def cdn_path(number: int) -> str:
    return f"/attachment/1015988/{number}"


def attachment(home: str, number: int, name: str, kind: str | None, size: int) -> Json:
    address = f"{home}/attachments/token/opens{number}/?name={quote(name, safe='')}"
    return {
        "url": f"{home}/api/v2/attachments/{number}.json",
        "id": number,
        "file_name": name,
        "content_url": address,
        "mapped_content_url": address,
        "content_type": kind,
        "size": size,
        "inline": False,
        "deleted": False,
        "malware_access_override": False,
        "malware_scan_result": "malware_not_found",
        "thumbnails": [],
    }


def file_routes(desk: PlayedZendesk, route: Callable[[str, Handler, str], Route]) -> list[Route]:
    async def told(request: Request) -> Response:
        file = desk.attachments.get(request.path_params["id"])
        if file is None:
            return JSONResponse({"error": "RecordNotFound", "description": "Not found"}, 404)
        return JSONResponse({"attachment": file})

    async def content(request: Request) -> Response:
        """Sends on to a signed address; whoever is not signed in, to where one signs in."""
        desk.tick()
        if desk.hides or (desk.secure and not desk.knows(request)):
            return RedirectResponse("/access/unauthenticated?return_to=x", 302)
        number = request.path_params["token"].removeprefix("opens")
        if not number.isdecimal() or int(number) not in desk.files:
            return Response("<html>Not found</html>", 404, media_type="text/html")
        path = cdn_path(int(number))
        until, proof = desk.cdn.signature(path)
        return RedirectResponse(f"https://{desk.cdn.host}{path}?token={until}.{proof}", 302)

    async def sign_in(_: Request) -> Response:
        return Response("<html>Sign in to Acme</html>", media_type="text/html")

    return [
        route("/attachments/{id:int}", told, "GET"),
        Route("/attachments/token/{token}/", content),
        Route("/access/unauthenticated", sign_in),
    ]
