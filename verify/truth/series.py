"""A labelled file as the engine and the scorer take it: readings in order of time, and windows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from catalog.model import Stream
from catalog.site import offset_us
from ingest.readings import FieldError
from ingest.replay.map import ReplayMap
from ingest.replay.rows import RowReader
from ingest.replay.survey import survey, timed_rows
from ingest.replay.table import Table
from verify.truth.maps import Labels, TruthMap, plan_of, wrong

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Window = tuple[int, int]
"""Begin and end of what was wrong, epoch µs."""


@dataclass(frozen=True)
class Series:
    """Readings of one stream ``[n]``, and the windows in which something was wrong.

    Times are epoch µs, moved so that the site's local hour is the file's own; ``values`` is
    ``[n, M]``, NaN for none.
    """

    name: str
    stream: Stream
    sensors: tuple[str, ...]
    who: np.ndarray
    at: np.ndarray
    values: np.ndarray
    windows: tuple[Window, ...]
    is_labelled: bool
    calendar: str
    refused: int

    @property
    def sensor_days(self) -> float:
        """Days from first to last reading, of each sensor, added up."""
        spans = [self.at[self.who == n] for n in range(len(self.sensors))]
        return sum(float(at[-1] - at[0]) / 86_400e6 for at in spans if len(at))


def files_of(declared: TruthMap, where: Path, data: Path) -> list[Path]:
    """Return the files that a map names, below the data folder or beside the map."""
    found: list[Path] = []
    for pattern in declared.files:
        for folder in (data, where.parent):
            hits = [Path(pattern)] if Path(pattern).is_file() else sorted(folder.glob(pattern))
            found += [hit for hit in hits if hit not in found]
            if hits:
                break
    return found


def read(declared: TruthMap, where: Path, file: Path, data: Path) -> Series:
    """Return a file as a series; ``FatalError`` when it cannot be read by the map."""
    stream, plan = plan_of(declared, where, file)
    flag = declared.labels.column if declared.labels else None
    table = Table(file, plan, plan.columns | ({flag} if flag else set()))
    found = survey(table, plan)
    shift = _shift(declared, plan, found.span[0])
    reader = RowReader(plan, file.stem)
    rows, refused, marked = [], 0, []
    for row in timed_rows(table, plan, found):
        if row.at is None or not plan.keeps(row.cells):
            refused += row.at is None
            continue
        at = _micros(row.at) + shift
        if flag is not None and declared.labels is not None:
            marked.append((at, row.cells[flag].strip().lower() in declared.labels.values))
        for sensor, metrics in reader.readings(row.cells):
            if isinstance(metrics, FieldError):
                refused += metrics.rule != "no_metric"
            else:
                rows.append((at, sensor, metrics))
    if not rows:
        raise wrong(file, "no row became a reading")
    windows = _windows(declared.labels, where, file, data, plan, shift, marked)
    return _series(file.stem, stream, rows, windows, declared, refused)


def _series(
    name: str,
    stream: Stream,
    rows: list[tuple[int, str, dict[str, float]]],
    windows: tuple[Window, ...],
    declared: TruthMap,
    refused: int,
) -> Series:
    rows.sort(key=lambda row: row[0])
    sensors = tuple(dict.fromkeys(sensor for _, sensor, _ in rows))
    place = {sensor: number for number, sensor in enumerate(sensors)}
    columns = {name: number for number, name in enumerate(stream.metric_names)}
    values = np.full((len(rows), len(columns)), np.nan)
    for number, (_, _, metrics) in enumerate(rows):
        for metric, value in metrics.items():
            values[number, columns[metric]] = value
    return Series(
        name=name,
        stream=stream,
        sensors=sensors,
        who=np.array([place[sensor] for _, sensor, _ in rows], np.int64),
        at=np.array([at for at, _, _ in rows], np.int64),
        values=values,
        windows=windows,
        is_labelled=declared.labels is not None,
        calendar=declared.calendar,
        refused=refused,
    )


def _shift(declared: TruthMap, plan: ReplayMap, first: datetime) -> int:
    """Return by how much times are moved, so that the site's hours are the file's (µs)."""
    zone = declared.zone or plan.time.zone
    if zone is None:
        return 0
    offset = first.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    # the engine's hours are the site's: the file's own local time is laid upon them
    return offset // timedelta(microseconds=1) - offset_us()


def _windows(
    labels: Labels | None,
    where: Path,
    file: Path,
    data: Path,
    plan: ReplayMap,
    shift: int,
    marked: list[tuple[int, bool]],
) -> tuple[Window, ...]:
    if labels is None:
        return ()
    if labels.column is not None:
        return tuple(_runs(sorted(marked)))
    pairs = labels.windows
    if isinstance(pairs, str):
        pairs = _from_json(pairs, where, file, data)
    zone = ZoneInfo(plan.time.zone) if plan.time.zone else UTC
    return tuple((_moment(a, zone) + shift, _moment(b, zone) + shift) for a, b in pairs)


def _from_json(named: str, where: Path, file: Path, data: Path) -> tuple[tuple[str, str], ...]:
    """Return the windows of this file in a JSON file of lists by file name."""
    path = next((p for p in (data / named, where.parent / named) if p.is_file()), None)
    if path is None:
        raise wrong(where, f"labels: no file {named}")
    known = json.loads(path.read_text("utf-8"))
    for key in (file.name, file.stem, f"{file.parent.name}/{file.name}"):
        if key in known:
            return tuple((a, b) for a, b in known[key])
    raise wrong(where, f"labels: {path} says nothing of {file.name}; it knows {', '.join(known)}")


def _runs(marked: list[tuple[int, bool]]) -> Iterator[Window]:
    """Yield first and last time of each run of rows that are marked."""
    begin = last = None
    for at, is_wrong in marked:
        if is_wrong:
            begin, last = (at if begin is None else begin), at
        elif begin is not None and last is not None:
            yield begin, last
            begin = None
    if begin is not None and last is not None:
        yield begin, last


def _moment(words: str, zone: ZoneInfo | timezone) -> int:
    at = datetime.fromisoformat(words)
    return _micros(at if at.tzinfo else at.replace(tzinfo=zone))


def _micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)
