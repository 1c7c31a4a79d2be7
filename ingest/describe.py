"""A stream's declaration as JSON, and its part of the OpenAPI document."""

from typing import Any

from catalog.frames import DEVICE_FLAGS, FLAG_SUFFIX, MAX_READINGS, SENSOR_ID
from catalog.model import Metric, Stream
from catalog.sensors import sensors_of

EXAMPLE_TIME = "2026-11-24T08:00:00+08:00"


def describe(stream: Stream) -> dict[str, Any]:
    """Return name, titles, cadence and the metrics with units and spans."""
    return {
        "name": stream.name,
        "domain": stream.domain,
        "title": stream.title.model_dump(),
        "cadence_s": stream.cadence_s,
        "lateness_s": stream.lateness_s,
        "metrics": [
            {
                "name": m.name,
                "unit": m.unit,
                "title": m.title.model_dump(),
                "fail_span": m.fail_span,
                "suspect_span": m.suspect_span,
                "kind": m.kind,
                "values": {name: title.model_dump() for name, title in m.values.items()},
            }
            for m in stream.metrics
        ],
    }


def request_schema(stream: Stream) -> dict[str, Any]:
    """Return the OpenAPI request body of a stream: schema and an example that is accepted."""
    properties: dict[str, Any] = {
        "sensor": {"type": "string", "pattern": SENSOR_ID},
        "observed_at": {"type": "string", "format": "date-time"},
    }
    for metric in stream.metrics:
        description = f"{metric.title.zh} {metric.title.en}, {metric.unit}"
        properties[metric.name] = _allowed(metric) | {"description": description}
        properties[f"{metric.name}{FLAG_SUFFIX}"] = {
            "enum": [*DEVICE_FLAGS, None],
            "description": "设备自报质量 the device's own flag: 1 good, 3 suspect, 4 failed",
        }
    reading = {
        "type": "object",
        "properties": properties,
        "required": ["sensor", "observed_at"],
        "additionalProperties": False,
    }
    readings = {"type": "array", "items": reading, "minItems": 1, "maxItems": MAX_READINGS}
    schema = {
        "type": "object",
        "properties": {"readings": readings},
        "required": ["readings"],
        "additionalProperties": False,
    }
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example(stream)}},
    }


def example(stream: Stream) -> dict[str, Any]:
    """Return one request with one typical reading."""
    reading: dict[str, Any] = {"sensor": sensors_of(stream.name)[0].id, "observed_at": EXAMPLE_TIME}
    for metric in stream.metrics:
        reading[metric.name] = _typical(metric)
    return {"readings": [reading]}


def _allowed(metric: Metric) -> dict[str, Any]:
    """Return the JSON schema of a metric's values."""
    if metric.kind == "boolean":
        return {"type": ["boolean", "null"]}
    if metric.kind == "state":
        return {"enum": [*metric.values, None]}
    return {"type": ["number", "null"]}


def _typical(metric: Metric) -> float | bool | str:
    if metric.kind == "boolean":
        return False
    if metric.kind == "state":
        return next(iter(metric.values))
    return round(sum(metric.typical) / 2, metric.decimals)
