"""Headers of every answer that tell a browser what it may not do."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OURS_ONLY = (
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
PAGES = (
    f"{OURS_ONLY}; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " style-src 'self' 'unsafe-inline'"
)
"""NiceGUI writes each page's script and styles into the page and Vue compiles its templates there:
without ``unsafe-inline`` and ``unsafe-eval`` no page starts. No other host is ever allowed."""
PLAIN = f"{OURS_ONLY}; script-src 'none'"
"""Pages without any script: login, password, the answer behind a signed link."""
DATA = "default-src 'none'; frame-ancestors 'none'"
PLAIN_PATHS = ("/login", "/password", "/respond/")
HSTS = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        more = HEADERS | {"Content-Security-Policy": _policy(scope["path"])}
        if scope["scheme"] == "https":  # uvicorn has read X-Forwarded-Proto of a trusted proxy
            more["Strict-Transport-Security"] = HSTS

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(more)
            await send(message)

        return await self._app(scope, receive, complete)


def _policy(path: str) -> str:
    if path.startswith(("/api/", "/feeds")):
        return DATA
    return PLAIN if path.startswith(PLAIN_PATHS) else PAGES
