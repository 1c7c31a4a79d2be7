"""Score detection: ground truth of a live run against what the platform stored and flagged.

| fault | found when |
|---|---|
| spike | the reading is flagged by the spike, gross range or rate test |
| stuck | the flat-line test flagged the metric within the span |
| late (beyond lateness) | the reading has a ``late`` flag |
| duplicate, out_of_order | the reading is stored exactly once |
| missing | the reading is not stored (nobody invented it) |
| poison | a dead letter holds it |

Faults that nobody can see in principle (``truth.HIDDEN``) are not asked for, but explain flags.
Precision is the share of flags that a fault explains; a spike also explains flags on the readings
beside it. Only faults whose readings the platform can have seen by now are counted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec
from psycopg import Connection, sql
from rich.table import Table

from catalog.registry import stream, streams
from service.postgres import connect
from service.settings import Settings
from simulators.truth import Kind, Label, read_truth

SPIKE_TESTS = frozenset({"spike", "gross", "rate"})
HEADINGS = ("fault", "made", "found", "recall", "flags", "precision", "hidden", "delay_s")
SETTLED_S = 120.0
"""Readings younger than this may still be on their way."""
JITTER_S = 0.002


class Flag(msgspec.Struct, frozen=True):
    """One quality flag: time in epoch seconds."""

    stream: str
    sensor: str
    metric: str
    test: str
    at: float
    said: float | None = None
    """When it was said, where that is known."""


@dataclass(slots=True)
class Score:
    """Faults made that can be seen, those found, and of the flags those that a fault explains.

    ``hidden`` are the faults that cannot be seen; ``delays`` from a fault to its first flag, in s.
    """

    kind: Kind
    made: int
    found: int
    flags: int | None = None
    explained: int | None = None
    hidden: int = 0
    delays: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        """Return the share of faults found; None without any."""
        return self.found / self.made if self.made else None

    @property
    def precision(self) -> float | None:
        """Return the share of flags explained; None where no flag belongs to the kind."""
        return self.explained / self.flags if self.flags and self.explained is not None else None


def run(settings: Settings, truth: Path) -> list[dict[str, object]]:
    """Return one row per fault kind: made, found, recall, precision."""
    labels = [label for label in read_truth(truth) if label.stream in streams()]
    with connect(settings.database(), "simulators", autocommit=True) as conn:
        newest = _newest(conn, {label.stream for label in labels})
        labels = [t for t in labels if _seen(t, newest)]
        found = score(labels, _flags(conn, labels), Stored(conn, labels), _poison(conn, labels))
    return [
        {
            "fault": s.kind,
            "made": s.made,
            "found": s.found,
            "recall": s.recall,
            "flags": s.flags,
            "precision": s.precision,
            "hidden": s.hidden,
            "delay_s": median(s.delays) if s.delays else None,
        }
        for s in found
    ]


def table(figures: list[dict[str, object]]) -> Table:
    """Return the scores for a terminal."""
    shown = Table(title="检测评分 / detection against ground truth", title_justify="left")
    for heading in HEADINGS:
        shown.add_column(heading, justify="left" if heading == "fault" else "right")
    for row in figures:
        shown.add_row(*(_cell(row[c]) for c in row))
    return shown


def score(labels: list[Label], flags: list[Flag], stored: "Stored", poison: int) -> list[Score]:
    """Return the scores, one per kind of fault."""
    by_kind: dict[Kind, list[Label]] = defaultdict(list)
    for label in labels:
        by_kind[label.kind].append(label)
    return [
        *detected(labels, flags),
        _once("duplicate", by_kind["duplicate"], stored),
        _once("out_of_order", by_kind["out_of_order"], stored),
        Score(
            "missing",
            len(by_kind["missing"]),
            sum(stored.count(t) == 0 for t in by_kind["missing"]),
        ),
        Score("poison", len(by_kind["poison"]), min(poison, len(by_kind["poison"]))),
    ]


def detected(labels: list[Label], flags: list[Flag]) -> list[Score]:
    """Return the scores of what flags can tell: spikes, stuck values, readings that came late."""
    return [
        _spikes([t for t in labels if t.kind == "spike"], flags),
        _stuck([t for t in labels if t.kind == "stuck"], flags),
        _late([t for t in labels if t.kind == "late" and t.beyond], flags),
    ]


def _spikes(truth: list[Label], flags: list[Flag]) -> Score:
    hits = [f for f in flags if f.test in SPIKE_TESTS]
    reach = {name: s.cadence_s * 1.6 for name, s in streams().items()}
    return _scored(
        *("spike", truth, hits, [f for f in hits if f.test == "spike"]),
        finds=lambda t, f: abs(f.at - t.at) <= JITTER_S,
        explains=lambda t, f: abs(f.at - t.at) <= reach[t.stream],
    )


def _stuck(truth: list[Label], flags: list[Flag]) -> Score:
    flat = [f for f in flags if f.test == "flat"]
    inside = lambda t, f: _inside(t, f.at)  # noqa: E731
    return _scored("stuck", truth, flat, flat, inside, inside)


def _late(truth: list[Label], flags: list[Flag]) -> Score:
    late = [msgspec.structs.replace(f, metric="") for f in flags if f.test == "late"]
    same = lambda t, f: abs(f.at - t.at) <= JITTER_S  # noqa: E731
    return _scored("late", truth, late, late, same, same)


def _scored(
    kind: Kind,
    truth: list[Label],
    hits: list[Flag],
    own: list[Flag],
    finds: Callable[[Label, Flag], bool],
    explains: Callable[[Label, Flag], bool],
) -> Score:
    """Hold labels against ``hits``, and the kind's ``own`` flags against labels."""
    by_label, by_flag = _by_sensor(hits), _by_sensor(truth)
    seen = [t for t in truth if not t.hidden]
    found = [[f for f in by_label[_key(t)] if finds(t, f)] for t in seen]
    explained = sum(any(explains(t, f) for t in by_flag[_key(f)]) for f in own)
    delays = [
        min((f.at if f.said is None else f.said) for f in upon) - label.at
        for label, upon in zip(seen, found, strict=True)
        if upon
    ]
    hidden = len(truth) - len(seen)
    return Score(kind, len(seen), len(delays), len(own), explained, hidden, delays)


def _once(kind: Kind, truth: list[Label], stored: "Stored") -> Score:
    return Score(kind, len(truth), sum(stored.count(t) == 1 for t in truth))


class Stored:
    """How often the reading of a label is stored."""

    def __init__(self, conn: Connection, labels: list[Label]) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}
        wanted: dict[str, list[Label]] = defaultdict(list)
        for label in labels:
            if label.kind in ("missing", "duplicate", "out_of_order"):
                wanted[label.stream].append(label)
        for name, rows in wanted.items():
            self._load(conn, name, rows)

    def count(self, label: Label) -> int:
        """Return the number of rows with the label's sensor and time."""
        return self._counts.get((label.stream, label.sensor, round(label.at * 1000)), 0)

    def _load(self, conn: Connection, name: str, rows: list[Label]) -> None:
        query = sql.SQL(
            "SELECT r.sensor, extract(epoch FROM r.observed_at), count(*) FROM {table} r"
            " JOIN unnest(%s::text[], %s::timestamptz[]) w(sensor, at)"
            " ON r.sensor = w.sensor AND r.observed_at = w.at GROUP BY 1, 2"
        ).format(table=sql.Identifier(f"readings_{name}"))
        keys = {(t.sensor, t.at) for t in rows}
        sensors = [sensor for sensor, _ in keys]
        times = [datetime.fromtimestamp(at, UTC) for _, at in keys]
        for sensor, at, count in conn.execute(query, [sensors, times]):
            self._counts[name, sensor, round(float(at) * 1000)] = count


def _flags(conn: Connection, labels: list[Label]) -> list[Flag]:
    """Return the flags of the labels' streams in the time they span."""
    if not labels:
        return []
    first = datetime.fromtimestamp(min(t.at for t in labels), UTC)
    names = sorted({t.stream for t in labels})
    rows = conn.execute(
        "SELECT stream, sensor, metric, test, extract(epoch FROM observed_at) FROM qc_flags"
        " WHERE observed_at >= %s AND stream = ANY(%s)",
        [first, names],
    )
    return [Flag(s, n, m, t, float(at)) for s, n, m, t, at in rows]


def _poison(conn: Connection, labels: list[Label]) -> int:
    names = sorted({t.stream for t in labels if t.kind == "poison"})
    row = conn.execute(
        "SELECT count(*) FROM dead_letters WHERE code = 'arrow' AND stream = ANY(%s)",
        [names],
    ).fetchone()
    return int(row[0]) if row else 0


def _newest(conn: Connection, names: Iterable[str]) -> dict[str, float]:
    """Return the newest stored observation of each stream (epoch s)."""
    rows = conn.execute(
        "SELECT stream, extract(epoch FROM max(observed_at)) FROM sensor_last"
        " WHERE stream = ANY(%s) GROUP BY stream",
        [sorted(names)],
    )
    return {name: float(at) for name, at in rows}


def _seen(label: Label, newest: dict[str, float]) -> bool:
    """Tell whether the platform has had time to see this."""
    ready = label.at + (label.delay_s or 0.0) + SETTLED_S
    if label.kind == "stuck":
        flat = {m.name: m.flat for m in stream(label.stream).metrics}[label.metric]
        ready = label.at + (flat.suspect_s if flat else 0.0) + SETTLED_S
    return label.kind == "poison" or ready <= newest.get(label.stream, 0.0)


Told = TypeVar("Told", Flag, Label)
Key = tuple[str, str, str]


def _by_sensor(told: Iterable[Told]) -> dict[Key, list[Told]]:
    found: dict[Key, list[Told]] = defaultdict(list)
    for one in told:
        found[_key(one)].append(one)
    return found


def _key(told: Flag | Label) -> Key:
    return told.stream, told.sensor, told.metric


def _inside(label: Label, at: float) -> bool:
    slack = 2.0 * stream(label.stream).cadence_s
    return label.at <= at <= (label.until or label.at) + slack


def _cell(value: object) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
