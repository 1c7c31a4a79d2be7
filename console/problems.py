"""Errors as problem+json (RFC 9457): what is wrong, where, and what to do about it."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

from catalog.errors import (
    CityOpsError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from service.log import logger
from service.postgres import is_transient

MEDIA_TYPE = "application/problem+json"
CONFLICT = "not as things stand"
RETRY_AFTER_S = "2"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Problem(CityOpsError):
    """An answer other than success; raise it anywhere below a router.

    ``code`` is bounded and becomes ``type`` ``urn:cityops:<code>``.
    """

    def __init__(self, status: int, title: str, detail: str, code: str, **headers: str) -> None:
        super().__init__(detail, code=code, stage="acting")
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Refused(Problem):
    """A 422 whose fault lies in one field, told like those that FastAPI finds itself."""

    def __init__(self, field: str, rule: str, detail: str) -> None:
        super().__init__(422, "request refused", detail, "contract")
        self.errors = [{"field": field, "rule": rule, "detail": detail}]

    @classmethod
    def several(cls, errors: list[dict[str, str]]) -> "Refused":
        """Return one refusal for several faults."""
        made = cls("", "", f"{len(errors)} errors")
        made.errors = errors
        return made


def require_known(field: str, values: Iterable[str], known: Iterable[str]) -> None:
    """Raise ``Refused`` for the first value of a query that is none of the known ones."""
    listed = list(known)
    for value in values:
        if value not in listed:
            words = f"no {field} {value!r}; known: {', '.join(listed)}"
            raise Refused(f"query.{field}", "unknown", words)


def not_found(what: str) -> Problem:
    """Return the problem of a thing that is not there."""
    return Problem(404, "not found", what, "not_found")


class ProblemResponse(JSONResponse):
    """JSON that can also tell of text which is none: half a surrogate pair is written escaped."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def respond(problem: Problem) -> ProblemResponse:
    """Return the problem as a response."""
    body: dict[str, Any] = {
        "type": f"urn:cityops:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if isinstance(problem, Refused):
        body["errors"] = problem.errors
    return ProblemResponse(body, problem.status, problem.headers)


def install(app: FastAPI, refused: Callable[[Request, int], None]) -> None:
    """Make every error of the API a problem; ``refused`` is told the status of each."""
    answers: dict[type[Exception], Callable[[Any], Problem]] = {
        Problem: lambda error: error,
        RequestValidationError: _invalid,
        HTTPException: _http,
        NotFoundError: lambda error: not_found(str(error)),
        ConflictError: lambda error: Problem(409, CONFLICT, str(error), "conflict"),
        ForbiddenError: lambda error: Problem(403, "not allowed", str(error), "role"),
        InvalidError: lambda error: Refused(error.field, error.code, str(error)),
        PoolTimeout: lambda _: _away(),
        psycopg.Error: _database,
        Exception: lambda _: _ours(),
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, _handler(answer, refused))


def _handler(
    answer: Callable[[Any], Problem], refused: Callable[[Request, int], None]
) -> Callable[[Request, Any], Awaitable[Response]]:
    async def handle(request: Request, error: Any) -> Response:
        problem = answer(error)
        refused(request, problem.status)
        return respond(problem)

    return handle


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {"field": ".".join(map(str, e["loc"])), "rule": e["type"], "detail": e["msg"]}
        for e in error.errors()
    ]
    return Refused.several(errors)


def _http(error: HTTPException) -> Problem:
    named = {name.replace("-", "_"): value for name, value in (error.headers or {}).items()}
    return Problem(error.status_code, str(error.detail), str(error.detail), "http", **named)


def _database(error: psycopg.Error) -> Problem:
    """Return 503 for a database that is away, 422 for a value it cannot hold, else 500."""
    if is_transient(error):
        return _away()
    if isinstance(error, psycopg.DataError):
        logger().warning("the database refused a value", reason=str(error).strip()[:200])
        return Refused("", "value", "a value is too large or of a wrong form")
    logger().error("a statement failed", reason=str(error).strip()[:500], exc_info=error)
    return _ours()


def _ours() -> Problem:
    return Problem(500, "our mistake", "it is in the console's log; nothing was changed", "bug")


def refuse_unknown_paths(app: FastAPI) -> None:
    """Answer what no route below /api takes; mount it after all of them."""

    @app.api_route("/api/{path:path}", methods=METHODS, include_in_schema=False)
    def unknown(request: Request, path: str) -> None:
        other = [r for r in app.routes if r.matches(request.scope)[0] is Match.PARTIAL]
        if other:
            raise Problem(405, "not allowed", f"{path} knows no {request.method}", "http")
        raise not_found(f"no path /api/{path}; /api/v1/openapi.json lists all of them")


def _away() -> Problem:
    detail = "the database is away or busy, try again"
    return Problem(503, "try again", detail, "database", Retry_After=RETRY_AFTER_S)
