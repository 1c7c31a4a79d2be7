"""How the state is laid out: every array with its axes, so that a snapshot outlives a new rule."""

from dataclasses import dataclass

import numpy as np

from catalog.contracts import WINDOW_S
from catalog.model import Rolling, Stream, UnusualRule
from engine.cells import Index, compact

NEVER = np.iinfo(np.int64).min // 4
"""Smaller than any time: a sensor that has sent nothing, an empty place in a ring."""
FIRST_SEEN = 1
SEEN = "seen"
RING_METRICS = "metrics of "
SEVERITIES = 4
LEVEL, TIME, COUNT, TICK, DOUBT = np.int8, np.int64, np.int32, np.int64, np.int16
HOURS, CELLS = "usual hour", "usual cell"
HOURS_OF_DAY, KINDS_OF_DAY = 24, 2
AHEAD_KEPT = 8
"""How many readings of a clock that runs ahead are remembered, to know their copies."""


@dataclass(frozen=True, slots=True)
class Field:
    """One array: a row per sensor, then these axes; ``fill`` is what a new sensor has.

    ``by`` names an axis before the sensors: a ring of event time. Its places lie apart, so only
    those in use take memory, and a checkpoint writes only those that have changed.
    """

    axes: tuple[str, ...]
    dtype: type[np.generic]
    fill: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """Buckets of some metrics side by side, which all rolling quantities of that kind share."""

    name: str
    of: tuple[str, ...]
    bucket_s: int
    keeps: str
    """What a bucket adds up: ``sum``, ``max``, ``min`` or ``energy``."""
    places: int

    @property
    def axis(self) -> str:
        """Name of the axis of its metrics."""
        return f"{RING_METRICS}{self.name}"


def keeps(rolling: Rolling) -> str:
    """Return what the buckets of a rolling quantity add up."""
    if rolling.kind == "level":
        return "energy"
    inner = rolling.each or rolling.kind
    return inner if inner in ("max", "min") else "sum"


def ring_name(rolling: Rolling) -> str:
    """Return the name of the ring that a rolling quantity reads."""
    return f"{rolling.bucket_s}/{keeps(rolling)}"


def rings(stream: Stream) -> dict[str, Ring]:
    """Return the stream's rings, each as long as its longest window and lateness need."""
    found: dict[str, Ring] = {}
    for rolling in stream.rolling:
        name = ring_name(rolling)
        # a late reading's own window begins where the newest reading's does not reach any more
        places = rolling.buckets + -(-stream.lateness_s // rolling.bucket_s)
        of = (rolling.of,)
        if (known := found.get(name)) is not None:
            places = max(places, known.places)
            of = known.of + tuple(m for m in of if m not in known.of)
        found[name] = Ring(name, of, rolling.bucket_s, keeps(rolling), places)
    return found


@dataclass(frozen=True, slots=True)
class Group:
    """Rolling quantities that differ in their metric alone: computed together."""

    like: Rolling
    names: tuple[str, ...]
    ring: Ring
    columns: Index
    """Where in the ring the metric of each stands."""


def groups(stream: Stream) -> tuple[Group, ...]:
    """Return the stream's rolling quantities in groups."""
    found: dict[tuple[object, ...], list[Rolling]] = {}
    for r in stream.rolling:
        alike = (r.kind, r.each, r.window_s, r.bucket_s, r.min_buckets, r.full)
        found.setdefault(alike, []).append(r)
    known = rings(stream)
    return tuple(_group(known[ring_name(same[0])], same) for same in found.values())


def _group(ring: Ring, same: list[Rolling]) -> Group:
    columns = compact(np.array([ring.of.index(r.of) for r in same]))
    return Group(same[0], tuple(r.name for r in same), ring, columns)


def window_places(stream: Stream) -> int:
    """Return the places of the window ring: every minute lateness can reach, and one more."""
    return stream.lateness_s // WINDOW_S + 2


def fields(stream: Stream) -> dict[str, Field]:
    """Return every array of the state by name."""
    window, by_quantity, own_tick = ((), COUNT, 0, "window"), ("quantity",), Field((), TICK, 0)
    found = {
        # the newest reading's time, and the highest there ever was: a clock may be set back
        **dict.fromkeys(("newest", "top"), Field((), TIME, NEVER)),
        "ahead": Field(("ahead",), TIME, NEVER),
        "gap": Field(("gap",), TIME, NEVER),
        # ticks counted when anything came, when something usable did, when the newest did
        **dict.fromkeys(("last_tick", "used_tick", "newest_tick", "filled_tick"), own_tick),
        "heard": Field((), np.bool_, 0),
        "cause": Field((), np.int8, 0),
        **dict.fromkeys(("p1", "p2"), Field(("metric",), np.float64, np.nan)),
        **dict.fromkeys(("p1_at", "p2_at", "run_at", "bad_at"), Field(("metric",), TIME, NEVER)),
        # how often the value has stood still in a row, and how long it usually does at most (µs)
        "run_n": Field(("metric",), COUNT, 0),
        "run_top": Field(("metric",), np.float64, 0),
        # the lowest value at which it has stood still for long, and how often
        "rest_low": Field(("metric",), np.float64, np.nan),
        "rests": Field(("metric",), np.uint8, 0),
        # how often it was outside its declared span of late
        "odd_n": Field(("metric",), np.float32, 0),
        # the usual change from reading to reading; 0 is as declared
        "step": Field(("metric",), np.float64, 0),
        "well_at": Field((), TIME, NEVER),
        # a reading that waits for the next one, and what is held against its values
        "h_at": Field((), TIME, NEVER),
        "h_tick": own_tick,
        "h_looked": Field((), np.bool_, 0),
        "h_value": Field(("metric",), np.float64, 0),
        "h_flag": Field(("metric",), LEVEL, 0),
        "h_doubt": Field(("metric",), DOUBT, 0),
        # how it stood still before that reading, for when that is shown to be alone
        "h_run_at": Field(("metric",), TIME, NEVER),
        "h_run_n": Field(("metric",), COUNT, 0),
        "h_run_top": Field(("metric",), np.float64, 0),
        "w_start": Field((), TIME, NEVER, "window"),
        "w_revision": Field(*window),
        "w_dirty": Field((), np.bool_, 0, "window"),
        "w_rows": Field(*window),
        # µs since the window's start of each of its readings so far, in the order of arrival
        SEEN: Field(("seen",), np.int32, 0, "window"),
        **dict.fromkeys(("w_n", "w_good", "w_used"), Field(by_quantity, COUNT, 0, "window")),
        # of these, what a window without a used value holds is in ``windows.EMPTY``
        **dict.fromkeys(
            ("w_sum", "w_min", "w_max", "w_last"), Field(by_quantity, np.float64, 0, "window")
        ),
        "w_last_at": Field(by_quantity, TIME, 0, "window"),
        # the reading that rules last looked at, and when it came
        "e_at": Field((), TIME, NEVER),
        "e_tick": own_tick,
        "r_level": Field(("rule",), LEVEL, 0),
        **dict.fromkeys(("r_since", "r_clear"), Field(("rule", "severity"), TIME, NEVER)),
        # when the open alert was raised, and when the rule last changed
        **dict.fromkeys(("r_raised", "r_last"), Field(("rule",), TIME, NEVER)),
        # the value last compared and what is doubtful about it; what the open alert rests on
        "r_value": Field(("rule",), np.float64, 0),
        **dict.fromkeys(("r_now", "r_doubt"), Field(("rule",), DOUBT, 0)),
    }
    if upon(stream):
        found |= _usual_fields()
    for name, ring in rings(stream).items():
        found[f"b_at/{name}"] = Field((), TIME, NEVER, name)
        found[f"b_n/{name}"] = Field((ring.axis,), COUNT, 0, name)
        found[f"b_v/{name}"] = Field((ring.axis,), np.float64, 0, name)
    return found


def upon(stream: Stream) -> list[str]:
    """Return what is learned of each sensor for the stream's ``unusual`` rules."""
    return [rule.upon for rule in stream.rules if isinstance(rule, UnusualRule)]


def _usual_fields() -> dict[str, Field]:
    """Return what is known of the usual: 431 bytes a sensor and metric, 16 a sensor."""
    each = ("usual",)
    return {
        # by kind of day and hour: the usual value, and of how many days it is known
        "u_level": Field(each, np.float32, 0, CELLS),
        "u_days": Field(each, np.uint8, 0, CELLS),
        # by hour: how far the smoothed value usually lies off, and of how many hours
        "u_off": Field(each, np.float32, 0, HOURS),
        "u_hours": Field(each, np.uint8, 0, HOURS),
        # the same at all hours
        "u_off_all": Field(each, np.float64, 0),
        "u_judged": Field(each, COUNT, 0),
        # the beat that goes on, and what has come in it
        "u_beat": Field((), TIME, NEVER),
        "u_sum": Field(each, np.float64, 0),
        "u_n": Field(each, COUNT, 0),
        # the hour that goes on: its beats, and how far they were off
        "u_hour": Field((), TIME, NEVER),
        "u_hour_sum": Field(each, np.float64, 0),
        "u_hour_n": Field(each, COUNT, 0),
        "u_hour_off": Field(each, np.float64, 0),
        "u_hour_judged": Field(each, COUNT, 0),
        # how far off the metric is, smoothed, and the last beat in that
        "u_smooth": Field(each, np.float64, 0),
        "u_last": Field(each, TIME, NEVER),
        # the step in which values come, in units of their last digit; and what shows the next one
        "u_step": Field(each, np.int32, 0),
        "u_divisor": Field(each, np.int32, 0),
        "u_changes": Field(each, np.uint8, 0),
        "u_sample": Field(each, np.float64, np.nan),
    }


def labels(stream: Stream) -> dict[str, list[str]]:
    """Return the labels along each axis that has names; along the others it is numbers."""
    numbered: dict[str, int] = {
        "gap": 2,
        "ahead": AHEAD_KEPT,
        "window": window_places(stream),
        "severity": SEVERITIES,
        **{name: ring.places for name, ring in rings(stream).items()},
    }
    if upon(stream):
        numbered |= {CELLS: KINDS_OF_DAY * HOURS_OF_DAY, HOURS: HOURS_OF_DAY}
    return {
        "metric": list(stream.metric_names),
        "quantity": list(stream.aggregate_names),
        "rule": [f"{rule.kind}:{rule.name}" for rule in stream.rules],
        "usual": upon(stream),
        **{ring.axis: list(ring.of) for ring in rings(stream).values()},
        **{axis: [str(n) for n in range(count)] for axis, count in numbered.items()},
    }


def is_named(axis: str) -> bool:
    """Tell whether a snapshot is carried over by name along an axis; else lengths must agree."""
    return axis in ("metric", "quantity", "rule", "usual") or axis.startswith(RING_METRICS)


Labels = dict[str, list[str]]


def by_axes(stream: Stream) -> dict[str, int]:
    """Return the rings of event time that lie before the sensors, and their places."""
    found = {"window": window_places(stream)} | {n: r.places for n, r in rings(stream).items()}
    if upon(stream):
        found |= {CELLS: KINDS_OF_DAY * HOURS_OF_DAY, HOURS: HOURS_OF_DAY}
    return found


def carry_over(
    old: np.ndarray, new: np.ndarray, axes: tuple[str, ...], was: Labels, now: Labels
) -> None:
    """Copy into ``new`` what both layouts know: the old sensors' rows, items of the same name."""
    source, target = [list(range(len(old)))], [list(range(len(old)))]
    for axis in axes:
        common = [x for x in now[axis] if x in was[axis]]
        source.append([was[axis].index(x) for x in common])
        target.append([now[axis].index(x) for x in common])
    new[np.ix_(*target)] = old[np.ix_(*source)]
