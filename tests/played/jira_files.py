"""Files as Jira gives them: Cloud from another host unless it is told not to, Data Center outside its API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.played.jira_site import Json, Refused, Site

MEDIA = "https://api.media.example/file"
Handler = Callable[[Request], Awaitable[Response]]


def file_routes(site: Site, api: str, route: Callable[[str, Handler, str], Route]) -> list[Route]:
    async def told(request: Request) -> Response:
        return JSONResponse(_named(site, request))

    async def content(request: Request) -> Response:
        if request.query_params.get("redirect") != "false":
            return RedirectResponse(MEDIA, 303)
        return Response(site.files[_named(site, request)["id"]], media_type="application/octet-stream")

    async def secure(request: Request) -> Response:
        file = _named(site, request)
        if request.scope["raw_path"].decode().rpartition("/")[2] != quote(file["filename"], safe=""):
            return Response("<html>Not found</html>", 404, media_type="text/html")
        return Response(site.files[file["id"]], media_type="application/octet-stream")

    routes = [route(f"{api}/attachment/{{id}}", told, "GET")]
    if site.cloud:
        return [*routes, route(f"{api}/attachment/content/{{id}}", content, "GET")]
    return [*routes, route("/secure/attachment/{id}/{name:path}", secure, "GET")]


def _named(site: Site, request: Request) -> Json:
    for issue in site.issues.values():
        for file in issue["fields"]["attachment"]:
            if file["id"] == request.path_params["id"]:
                return dict(file)
    raise Refused(404, "The attachment with id does not exist")
