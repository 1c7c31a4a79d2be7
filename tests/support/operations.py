"""Requests made from an API's own description: each operation with values that fit its schema."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Operation:
    """One operation of the API's own description."""

    method: str
    path: str
    parameters: list[dict[str, Any]]
    body: dict[str, Any] | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def resolved(schema: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Follow references and take the first choice that is not null."""
    while True:
        if "$ref" in schema:
            schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = next(s for s in schema["anyOf"] if s.get("type") != "null")
        else:
            return schema


def sample(schema: dict[str, Any], whole: dict[str, Any]) -> Any:
    """Return a value that fits a schema."""
    schema = resolved(schema, whole)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            return {n: sample(s, whole) for n, s in known.items()} or {"alertname": "x"}
        case "array":
            return [sample(s, whole) for s in schema.get("prefixItems", [schema.get("items", {})])]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    if schema.get("format") == "date-time":
        return datetime.now(UTC).isoformat()
    return "x" * schema.get("minLength", 1)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Return every leaf of a body with its place."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            yield from places(item, (*at, name))
    else:
        yield at, value


def replaced(body: Any, at: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(body))
    target = copy
    for step in at[:-1]:
        target = target[step]
    target[at[-1]] = value
    return copy


def as_query(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def as_json(body: Any) -> dict[str, Any]:
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


def with_parameters(op: Operation, whole: dict[str, Any], **given: str) -> str:
    """Return the address of an operation; what is not given fits its schema."""
    path, query = op.path, []
    for parameter in op.parameters:
        name = parameter["name"]
        needed = parameter.get("required") or name in given
        if parameter["in"] == "header" or not needed:
            continue
        value = sample(parameter["schema"], whole)
        fitting = str(value[0] if isinstance(value, list) else value)
        text = given.get(name, as_query(fitting))
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", text or "%20")
        else:
            query.append(f"{name}={text}")
    return f"{path}?{'&'.join(query)}"
