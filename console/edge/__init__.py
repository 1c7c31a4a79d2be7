"""What stands between the wire and the application: each layer sees a request before any work."""

from fastapi import FastAPI

from console.edge.bodies import BodyLimit
from console.edge.headers import SecurityHeaders
from console.edge.origins import SameOriginSockets
from console.edge.source import SourceAddress
from console.edge.text import PlainText


def install(app: FastAPI) -> None:
    """Put the layers in front of the application; the last one added is met first."""
    app.add_middleware(PlainText)
    app.add_middleware(BodyLimit)
    app.add_middleware(SameOriginSockets)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(SourceAddress)
