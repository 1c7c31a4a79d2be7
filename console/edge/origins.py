"""Refuse WebSockets, and the polling that stands in for them, from pages of other sites."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from console.problems import Problem, respond

SOCKETS = "/_nicegui_ws/"


class SameOriginSockets:
    """A browser sends cookies with a WebSocket of any page: the page must be one of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what another site's page opens; programs send no ``Origin``."""
        live = scope["type"] == "websocket" or (
            scope["type"] == "http" and scope["path"].startswith(SOCKETS)
        )
        if not live or _is_ours(scope):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return None
        problem = Problem(403, "cross-site request", "open the console itself", "cross_site")
        return await respond(problem)(scope, receive, send)


def _is_ours(scope: Scope) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc == headers.get(b"host", "")
