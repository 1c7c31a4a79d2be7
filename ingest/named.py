"""Booleans and states on their way in: names become the numbers that frames carry."""

from collections.abc import Iterator
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from catalog.metrics import Metric
from catalog.model import Stream

MAX_NAMED = 12
"""Names of a long list that an error shows."""


def json_type(metric: Metric) -> Any:
    """Return what a metric may be in JSON: a number, true or false, one of its names."""
    if metric.kind == "boolean":
        return bool | float | None
    if metric.kind == "state":
        return Literal[tuple(metric.values)] | float | None
    return float | None


def takes_names(stream: Stream) -> bool:
    """Tell whether readings may hold texts besides sensor and time."""
    return any(metric.kind == "state" for metric in stream.metrics)


def as_numbers(stream: Stream, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return decoded readings with numbers for names; as they are where no metric is named."""
    named = {2 + n: m.codes for n, m in enumerate(stream.metrics) if m.is_named}
    if not named:
        return rows
    found = []
    for row in rows:
        cells = list(row)
        for place, codes in named.items():
            value = cells[place]
            if isinstance(value, str):
                cells[place] = codes[value]
            elif isinstance(value, bool):
                cells[place] = float(value)
        found.append(tuple(cells))
    return found


def faults(stream: Stream, row: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Yield (metric, what is wrong) of numbers in a reading that stand for no name."""
    for place, metric in enumerate(stream.metrics, 2):
        if metric.is_named and row[place] is not None and row[place] not in metric.codes.values():
            yield metric.name, words(metric)


def words(metric: Metric) -> str:
    """Return what a boolean or a state may be."""
    if metric.kind == "boolean":
        return "true or false (1 or 0)"
    names = list(metric.values)
    shown = ", ".join(names[:MAX_NAMED]) + (" …" if len(names) > MAX_NAMED else "")
    return f"one of {shown} (or its number, 1 to {len(names)})"


def is_taken(metric: Metric, value: object) -> bool:
    """Tell whether a JSON value is one of a named metric's."""
    if isinstance(value, str):
        return metric.kind == "state" and value in metric.codes
    if isinstance(value, bool):
        return metric.kind == "boolean"
    return value is None or value in metric.codes.values()


def numbers(metric: Metric, column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, list[int]]:
    """Return an Arrow column of a metric as float64, and the rows whose text is no name of it."""
    kind = column.type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if metric.kind == "state" and (pa.types.is_string(plain) or pa.types.is_large_string(plain)):
        texts = column.cast(pa.large_string())
        place = pc.index_in(texts, pa.array(list(metric.values), pa.large_string()))
        odd = pc.and_(pc.is_valid(texts), pc.is_null(place))
        return pc.add(place, 1).cast(pa.float64()), pc.indices_nonzero(odd).to_pylist()
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.float64()), []
    return column.cast(pa.float64(), safe=False), []


def fits(metric: Metric, kind: pa.DataType) -> bool:
    """Tell whether an Arrow column of this type holds names of the metric."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if metric.kind == "boolean":
        return pa.types.is_boolean(kind)
    return metric.kind == "state" and (pa.types.is_string(plain) or pa.types.is_large_string(plain))
