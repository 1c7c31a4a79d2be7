"""The documented operations of the gateway for facts: one POST a kind, and what is declared."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from catalog.fact.model import Fact
from catalog.fact.rows import MAX_TEXT
from catalog.frames import MAX_READINGS, SENSOR_ID
from catalog.registry import facts
from catalog.sensors import sensors_of
from ingest.describe import EXAMPLE_TIME
from ingest.problems import problem

Post = Callable[[Fact, Request], Awaitable[Response]]


def add_fact_routes(app: FastAPI, post: Post) -> None:
    """Add ``/v1/facts`` and below."""
    for fact in facts().values():
        app.add_api_route(
            f"/v1/facts/{fact.name}",
            _operation(post, fact),
            methods=["POST"],
            status_code=202,
            summary=f"{fact.title.zh} {fact.title.en}",
            operation_id=f"post_facts_{fact.name}",
            openapi_extra={"requestBody": request_schema(fact)},
            responses={202: {"description": "Acknowledged by Kafka"}},
        )
    app.add_api_route("/v1/facts", lambda: [describe(fact) for fact in facts().values()])
    app.add_api_route("/v1/facts/{fact}", _unknown, methods=["POST"])


def _operation(post: Post, fact: Fact) -> Callable[[Request], Awaitable[Response]]:
    async def operation(request: Request) -> Response:
        return await post(fact, request)

    return operation


def _unknown(fact: str) -> Response:
    known = ", ".join(facts()) or "none"
    return problem(404, "unknown fact", f"no fact {fact[:80]!r}; known: {known}", "fact")


def describe(fact: Fact) -> dict[str, Any]:
    """Return name, titles, fields, oddities, and the stream that the minutes are."""
    return {
        "name": fact.name,
        "domain": fact.domain,
        "title": fact.title.model_dump(),
        "thing": fact.thing.model_dump(),
        "lateness_s": fact.lateness_s,
        "minutes": fact.stream,
        "dimensions": [d.model_dump() for d in fact.dimensions],
        "measures": [m.model_dump() for m in fact.measures],
        "oddities": [{"name": o.name, "title": o.title.model_dump()} for o in fact.oddities],
    }


def request_schema(fact: Fact) -> dict[str, Any]:
    """Return the OpenAPI request body of a kind of facts: schema and an example that is taken."""
    whole = {"type": "integer", "minimum": 1, "default": 1}
    properties: dict[str, Any] = {
        "thing": {"type": "string", "pattern": SENSOR_ID},
        "id": {"type": "string", "maxLength": MAX_TEXT},
        "at": {"type": "string", "format": "date-time"},
        "revision": whole | {"description": "更正序号 a higher one corrects a lower one"},
        "void": {"type": "boolean", "default": False, "description": "作废 taken out"},
    }
    needed = ["thing", "id", "at"]
    for item in (*fact.dimensions, *fact.measures):
        needed += [item.name] if item.needed else []
    for dimension in fact.dimensions:
        kind = {"enum": [*dimension.values, None]} if dimension.values else {"type": "string"}
        note = "；明文上传，按日哈希后保存 hashed on arrival" if dimension.secret else ""
        title = f"{dimension.title.zh} {dimension.title.en}{note}"
        properties[dimension.name] = kind | {"description": title}
    for measure in fact.measures:
        low, high = measure.span
        title = f"{measure.title.zh} {measure.title.en}, {measure.unit}"
        properties[measure.name] = {
            "type": ["integer", "null"],
            "minimum": low,
            "maximum": high,
            "description": title,
        }
    one = {"type": "object", "properties": properties, "required": needed}
    listed = {"type": "array", "items": one | {"additionalProperties": False}}
    schema = {
        "type": "object",
        "properties": {"facts": listed | {"minItems": 1, "maxItems": MAX_READINGS}},
        "required": ["facts"],
        "additionalProperties": False,
    }
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example(fact)}},
    }


def example(fact: Fact) -> dict[str, Any]:
    """Return one request with one plausible fact."""
    one: dict[str, Any] = {
        "thing": sensors_of(fact.stream)[0].id,
        "id": "20261124-000001",
        "at": EXAMPLE_TIME,
    }
    for dimension in fact.dimensions:
        one[dimension.name] = dimension.values[0] if dimension.values else "A-1"
    for measure in fact.measures:
        one[measure.name] = measure.span[0]
    return {"facts": [one]}
