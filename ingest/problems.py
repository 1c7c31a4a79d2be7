"""Refusals as problem+json (RFC 9457): what is wrong, where, and what to do about it."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ingest.readings import MAX_ERRORS, FieldError, Refused

MEDIA_TYPE = "application/problem+json"
CODES = {404: "path", 405: "method"}


def problem(
    status: int,
    title: str,
    detail: str,
    code: str,
    *,
    errors: list[FieldError] | None = None,
    **headers: str,
) -> Response:
    """Return an answer with a stable ``type``; ``Retry_After="2"`` becomes a header."""
    body: dict[str, Any] = {"type": f"urn:cityops:{code}", "title": title, "status": status}
    body["detail"] = detail
    if errors is not None:
        body["errors"] = [
            {"item": e.item, "field": e.field, "rule": e.rule, "detail": e.detail} for e in errors
        ]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, named, media_type=MEDIA_TYPE)


def refusal(refused: Refused) -> Response:
    """Return the answer to readings that break the contract, with the first errors."""
    title = "malformed body" if refused.status == 400 else "readings refused, nothing stored"
    return problem(
        refused.status,
        title,
        f"{len(refused.errors)} errors",
        "contract",
        errors=refused.errors[:MAX_ERRORS],
    )


def add_problems(app: FastAPI) -> None:
    """Answer wrong paths, wrong methods and our own mistakes in the same form."""

    @app.exception_handler(HTTPException)
    def routed(_: Request, error: HTTPException) -> Response:
        code = CODES.get(error.status_code, "http")
        answer = problem(error.status_code, code, error.detail, code)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def ours(_request: Request, _error: Exception) -> Response:
        return problem(500, "our mistake", "it is in the gateway's log; nothing was stored", "bug")
