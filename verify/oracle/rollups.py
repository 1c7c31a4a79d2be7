"""What the rollups must hold, from the minutes that are stored: added up one by one."""

from catalog.model import Stream
from catalog.site import offset_us
from verify.oracle.outputs import Row
from verify.oracle.tables import ROLLUPS, Minute, Tables

US = 1_000_000
HOUR_US = 3600 * US
DAY_US = 24 * HOUR_US


def bucket(kind: str, start: int) -> int:
    """Return the start of the quarter, hour or local day that a minute lies in (epoch µs)."""
    if kind == "1d":
        return (start + offset_us()) // DAY_US * DAY_US - offset_us()
    length = 15 * 60 * US if kind == "15m" else HOUR_US
    return start // length * length


def expected(tables: Tables, kind: str, streams: dict[str, Stream]) -> dict[Minute, Row]:
    """Return the buckets of a kind that must be there by now, without their revision."""
    found: dict[Minute, Row] = {}
    for (name, sensor, start), minute in sorted(tables.minutes.items()):
        key = (name, sensor, bucket(kind, start))
        row = found.setdefault(key, {"n": 0})
        row["n"] += minute["n"]
        for metric in streams[name].aggregate_names:
            _add(row, minute, metric)
    return {key: row for key, row in found.items() if is_settled(tables, kind, key)}


def is_settled(tables: Tables, kind: str, key: Minute) -> bool:
    """Tell whether a bucket is not waiting to be computed anew, and all its minutes are kept."""
    name, sensor, start = key
    if kind == "1d":
        hours = range(start, start + DAY_US, HOUR_US)
    else:
        hours = range(start // HOUR_US * HOUR_US, start + 1, HOUR_US)
    if any((name, sensor, hour) in tables.marks for hour in hours):
        return False
    below = ROLLUPS[: ROLLUPS.index(kind)]
    return all(start >= tables.cuts.get((name, k), start) for k in ("1m", *below, kind))


def _add(row: Row, minute: Row, metric: str) -> None:
    for counted in ("n", "good", "used"):
        name = f"{metric}_{counted}"
        row[name] = row.get(name, 0) + minute[name]
    for statistic in ("sum", "min", "max", "last"):
        known, x = row.get(f"{metric}_{statistic}"), minute[f"{metric}_{statistic}"]
        row[f"{metric}_{statistic}"] = known if x is None else _both(statistic, known, x)


def _both(statistic: str, known: float | None, x: float) -> float:
    if known is None or statistic == "last":
        return x
    return {"sum": known + x, "min": min(known, x), "max": max(known, x)}[statistic]
