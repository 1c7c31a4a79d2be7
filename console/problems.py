"""Errors as problem+json (RFC 9457): what is wrong, where, and what to do about it."""

from collections.abc import Iterable
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

from alerts.errors import ConflictError, NotFoundError
from service.postgres import is_transient

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "2"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Problem(Exception):
    """An answer other than success; raise it anywhere below a router.

    ``code`` is bounded and becomes ``type`` ``urn:cityops:<code>``.
    """

    def __init__(self, status: int, title: str, detail: str, code: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Refused(Problem):
    """A 422 whose fault lies in one field, told like those that FastAPI finds itself."""

    def __init__(self, field: str, rule: str, detail: str) -> None:
        super().__init__(422, "request refused", detail, "contract")
        self.errors = [{"field": field, "rule": rule, "detail": detail}]


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


def respond(problem: Problem, **extra: Any) -> JSONResponse:
    """Return the problem as a response."""
    body = {
        "type": f"urn:cityops:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    return JSONResponse(body | extra, problem.status, problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the API a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return respond(error, errors=error.errors) if isinstance(error, Refused) else respond(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"field": ".".join(map(str, e["loc"])), "rule": e["type"], "detail": e["msg"]}
            for e in error.errors()
        ]
        detail = f"{len(errors)} errors"
        return respond(Problem(422, "request refused", detail, "contract"), errors=errors)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return respond(Problem(error.status_code, str(error.detail), str(error.detail), "http"))

    @app.exception_handler(NotFoundError)
    async def lookup(_: Request, error: NotFoundError) -> JSONResponse:
        return respond(not_found(str(error)))

    @app.exception_handler(ConflictError)
    async def conflict(_: Request, error: ConflictError) -> JSONResponse:
        return respond(Problem(409, "not as things stand", str(error), "conflict"))

    @app.exception_handler(PoolTimeout)
    async def busy(_: Request, error: PoolTimeout) -> JSONResponse:
        return respond(_away())

    @app.exception_handler(psycopg.Error)
    async def database(_: Request, error: psycopg.Error) -> JSONResponse:
        if is_transient(error):
            return respond(_away())
        raise error


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
