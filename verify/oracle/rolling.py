"""Rolling quantities of the reference: every good value is kept, every window added up anew."""

import math

from catalog.model import Rolling, Stream
from catalog.single import derive
from catalog.site import offset_us

US = 1_000_000

Buckets = dict[int, list[float]]


def period_us(stream: Stream, gaps: list[int]) -> int:
    """Return how often a sensor reports: its cadence, or the shorter of its last two gaps."""
    return max([stream.cadence_s * US, *([min(gaps[-2:])] if gaps else [])])


def roll(rolling: Rolling, buckets: Buckets, period: int, at: int, x: float | None) -> float | None:
    """Add a good value to its bucket; return the value over the window that ends with it."""
    number = (at + offset_us()) // (rolling.bucket_s * US)
    if x is not None:
        buckets.setdefault(number, []).append(x)
    needed = math.ceil(rolling.full * rolling.bucket_s * US / period) if rolling.full else 1
    first = number - rolling.window_s // rolling.bucket_s + 1
    inside = {
        b: buckets[b]
        for b in range(first, number + 1)
        if b in buckets and len(buckets[b]) >= needed
    }
    if len(inside) < _required(rolling, period):
        return None
    if rolling.kind == "change":
        return _mean(inside[number]) - _mean(inside[min(inside)]) if number in inside else None
    return _combined(rolling, list(inside.values()))


def _required(rolling: Rolling, period: int) -> int:
    """Return how many buckets must count, of those that the sensor can fill at all."""
    if not rolling.full or period <= rolling.bucket_s * US:
        return max(rolling.min_buckets, 1)
    return math.ceil(rolling.min_buckets * rolling.bucket_s * US / period)


def _combined(rolling: Rolling, inside: list[list[float]]) -> float:
    if rolling.kind == "sum":
        return sum(sum(bucket) for bucket in inside)
    if rolling.kind == "level":
        energies = [_mean([10 ** (x / 10) for x in bucket]) for bucket in inside]
        return 10 * math.log10(_mean(energies))
    inner = {"max": max, "min": min, "mean": _mean}[rolling.each or rolling.kind]
    outer = {"max": max, "min": min, "mean": _mean}[rolling.kind]
    return outer([inner(bucket) for bucket in inside])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def quantities(
    stream: Stream,
    buckets: dict[str, Buckets],
    gaps: list[int],
    at: int,
    known: dict[str, float | None],
) -> dict[str, float | None]:
    """Add the rolling and derived quantities of a reading to its usable values."""
    period = period_us(stream, gaps)
    for declared in stream.rolling:
        own = buckets.setdefault(declared.name, {})
        known[declared.name] = roll(declared, own, period, at, known[declared.of])
    for derived in stream.derived:
        known[derived.name] = derive(derived, known, at)
    return known
