"""Note the address a request comes from, so that every record of an act has it.

Behind a proxy that uvicorn trusts (``FORWARDED_ALLOW_IPS``, this machine by default) it is the one
that the proxy says.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.source import coming_from


class SourceAddress:
    """Sets the caller's address for all that a request leads to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        client = scope.get("client")
        with coming_from(client[0] if client else ""):
            await self._app(scope, receive, send)
