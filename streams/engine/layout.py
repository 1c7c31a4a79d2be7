"""How the state is laid out: every array with its axes, so that a snapshot outlives a new rule."""

from dataclasses import dataclass

import numpy as np

from catalog.contracts import WINDOW_S
from catalog.model import Rolling, Stream

NEVER = np.iinfo(np.int64).min // 4
"""Smaller than any time: a sensor that has sent nothing, an empty place in a ring."""
FIRST_SEEN = 8
SEVERITIES = 4
LEVEL, TIME, COUNT, TICK = np.int8, np.int64, np.int32, np.int64


@dataclass(frozen=True, slots=True)
class Field:
    """One array: a row per sensor, then these axes; ``fill`` is what a new sensor has."""

    axes: tuple[str, ...]
    dtype: type[np.generic]
    fill: float


@dataclass(frozen=True, slots=True)
class Ring:
    """Buckets of one metric that several rolling quantities may share."""

    name: str
    of: str
    bucket_s: int
    keeps: str
    """What a bucket adds up: ``sum``, ``max``, ``min`` or ``energy``."""
    places: int


def keeps(rolling: Rolling) -> str:
    """Return what the buckets of a rolling quantity add up."""
    if rolling.kind == "level":
        return "energy"
    inner = rolling.each or rolling.kind
    return inner if inner in ("max", "min") else "sum"


def ring_name(rolling: Rolling) -> str:
    """Return the name of the ring that a rolling quantity reads."""
    return f"{rolling.of}/{rolling.bucket_s}/{keeps(rolling)}"


def rings(stream: Stream) -> dict[str, Ring]:
    """Return the stream's rings, each as long as its longest window and lateness need."""
    found: dict[str, Ring] = {}
    for rolling in stream.rolling:
        # a late reading's own window begins where the newest reading's does not reach any more
        places = rolling.buckets + -(-stream.lateness_s // rolling.bucket_s)
        name = ring_name(rolling)
        if name not in found or found[name].places < places:
            found[name] = Ring(name, rolling.of, rolling.bucket_s, keeps(rolling), places)
    return found


def window_places(stream: Stream) -> int:
    """Return the places of the window ring: every minute lateness can reach, and one more."""
    return stream.lateness_s // WINDOW_S + 2


def fields(stream: Stream) -> dict[str, Field]:
    """Return every array of the state by name."""
    window = ("window",)
    found = {
        "newest": Field((), TIME, NEVER),
        "gap": Field(("gap",), TIME, NEVER),
        "seen": Field(("seen",), TIME, NEVER),
        "last_tick": Field((), TICK, 0),
        **dict.fromkeys(("p1", "p2"), Field(("metric",), np.float64, np.nan)),
        **dict.fromkeys(("p1_at", "run_at", "bad_at"), Field(("metric",), TIME, NEVER)),
        "well_at": Field((), TIME, NEVER),
        "w_start": Field(window, TIME, NEVER),
        "w_revision": Field(window, COUNT, 0),
        "w_dirty": Field(window, np.bool_, 0),
        "w_rows": Field(window, COUNT, 0),
        **dict.fromkeys(("w_n", "w_good"), Field(("window", "quantity"), COUNT, 0)),
        "w_sum": Field(("window", "quantity"), np.float64, 0),
        **dict.fromkeys(
            ("w_min", "w_max", "w_last"), Field(("window", "quantity"), np.float64, np.nan)
        ),
        "w_last_at": Field(("window", "quantity"), TIME, NEVER),
        "r_level": Field(("rule",), LEVEL, 0),
        **dict.fromkeys(("r_since", "r_clear"), Field(("rule", "severity"), TIME, NEVER)),
        "r_raised": Field(("rule",), TIME, NEVER),
    }
    for name in rings(stream):
        found[f"b_at/{name}"] = Field((name,), TIME, NEVER)
        found[f"b_n/{name}"] = Field((name,), COUNT, 0)
        found[f"b_v/{name}"] = Field((name,), np.float64, 0)
    return found


def labels(stream: Stream) -> dict[str, list[str]]:
    """Return the labels along each axis that has names; along the others it is numbers."""
    numbered: dict[str, int] = {
        "gap": 2,
        "window": window_places(stream),
        "severity": SEVERITIES,
        **{name: ring.places for name, ring in rings(stream).items()},
    }
    return {
        "metric": list(stream.metric_names),
        "quantity": list(stream.aggregate_names),
        "rule": [f"{rule.kind}:{rule.name}" for rule in stream.rules],
        **{axis: [str(n) for n in range(count)] for axis, count in numbered.items()},
    }


NAMED = ("metric", "quantity", "rule")
"""Axes along which a snapshot is carried over by name; the others must have the same length."""

Labels = dict[str, list[str]]


def carry_over(
    old: np.ndarray, new: np.ndarray, axes: tuple[str, ...], was: Labels, now: Labels
) -> None:
    """Copy into ``new`` what both layouts know: the old sensors' rows, places of the same name."""
    source, target = [list(range(len(old)))], [list(range(len(old)))]
    for axis in axes:
        common = [x for x in now[axis] if x in was[axis]]
        source.append([was[axis].index(x) for x in common])
        target.append([now[axis].index(x) for x in common])
    new[np.ix_(*target)] = old[np.ix_(*source)]
