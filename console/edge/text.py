"""Refuse text that no person types and the database cannot keep, wherever it stands in a request.

NUL and other control characters, halves of surrogate pairs and bytes that are no UTF-8 are found
in path, query, form and JSON alike, so that no parameter needs a check of its own.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.problems import Refused, respond

MAX_PATH = 2_000
MAX_QUERY = 16_000
MAX_VALUE = 2_000
"""Letters of one value in a query."""
MAX_SHOWN = 60
"""Letters of a field's name in an answer."""
FORM = b"application/x-www-form-urlencoded"
CLEANED = ("/api/v1/incoming/", "/api/v2/alerts")
"""What comes from other alerting systems is cleaned where it is read: an odd letter in one alert
must not lose its neighbours."""
ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# a JSON body without any of these holds no odd letter: it need not be read twice
SUSPECT = re.compile(rb"\\[ubf]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]")


class PlainText:
    """Answers 422 to odd text; what passes holds none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check path, query and body, which a layer before this one has read whole."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        try:
            _check_address(scope)
            if scope["type"] == "http" and _has_body(scope):
                receive = await _checked(scope, receive)
        except Refused as refused:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return None
            return await respond(refused)(scope, receive, send)
        return await self._app(scope, receive, send)


def is_odd(text: str) -> bool:
    """Tell whether a text holds a control character other than tab or line end, or a surrogate."""
    return ODD.search(text) is not None


def _check_address(scope: Scope) -> None:
    path, query = scope.get("raw_path") or b"", scope.get("query_string", b"")
    if len(path) > MAX_PATH or len(query) > MAX_QUERY:
        raise Refused("path" if len(path) > MAX_PATH else "query", "too_long", "it is too long")
    _check_bytes("path", unquote_to_bytes(path))
    _check_pairs("query", query)


def _check_pairs(where: str, pairs: bytes, longest: int | None = MAX_VALUE) -> None:
    """Check ``name=value&…`` of a query or a form."""
    for pair in pairs.split(b"&"):
        name, _, value = (unquote_to_bytes(part) for part in pair.partition(b"="))
        _check_bytes(where, name)
        field = f"{where}.{name.decode()[:MAX_SHOWN]}"
        text = _check_bytes(field, value)
        if longest and len(text) > longest:
            raise Refused(field, "too_long", f"at most {longest} letters")


def _check_bytes(field: str, given: bytes) -> str:
    try:
        text = given.decode()
    except UnicodeDecodeError:
        raise Refused(field, "utf8", "not UTF-8") from None
    if is_odd(text):
        raise Refused(field, "text", "it holds control characters")
    return text


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def _checked(scope: Scope, receive: Receive) -> Receive:
    """Read the body, check it, and return what hands it on."""
    message = await receive()
    waiting: list[Message] = [message]
    _check_body(scope, message.get("body", b""))

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _check_body(scope: Scope, body: bytes) -> None:
    kind = dict(scope["headers"]).get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind == FORM:
        return _check_pairs("body", body, None)
    is_json = kind in (b"", b"application/json") or kind.endswith(b"+json")
    if not is_json or scope["path"].startswith(CLEANED) or not SUSPECT.search(body):
        return None
    try:
        found = json.loads(body.decode())
    except UnicodeDecodeError:
        raise Refused("body", "utf8", "not UTF-8") from None
    except (ValueError, RecursionError):
        return None  # the application says what is wrong with it
    for field, text in _texts(found):
        if is_odd(text):
            raise Refused(f"body{field}", "text", "it holds control characters")
    return None


def _texts(found: Any) -> Iterator[tuple[str, str]]:
    """Return every text of a JSON value with its place, names of members included."""
    left: list[tuple[str, Any]] = [("", found)]
    while left:
        place, value = left.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, list):
            left += [(f"{place}.{n}", item) for n, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                yield place, name
                left.append((f"{place}.{name[:MAX_SHOWN]}", item))
