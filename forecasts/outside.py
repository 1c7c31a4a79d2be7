"""Series from a file of somebody else: a CSV with a header, read by a map or by what it looks like.

The map is that of ``python -m ingest replay`` (docs/real-data.md); of it are used ``[time]``
(columns, format, zone), and which column stands for which sensor and metric. Units do not matter
to a score that is relative, so values stay as the file has them.
"""

import csv
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from catalog.base import Floats
from catalog.errors import ContractError
from catalog.guidance import guidances
from forecasts.core.panel import Panel
from forecasts.core.spec import DAY_S, Spec
from forecasts.fetch import Issue, Map, read_answer
from forecasts.groups import HOUR_S
from forecasts.guidance import known_ahead

STEPS = (900, 3600)
LEADS_H = {900: (0.25, 0.5, 1, 3, 6, 24), 3600: (1, 3, 6, 24)}
LEARN_SHARE, LEARN_DAYS = 0.45, (8.5, 40.0)
WARM_SHARE, WARM_DAYS = 0.2, (2.5, 20.0)
WEEKLY_DAYS = 15
SKEWED = 1.0
"""From this skewness on a series above zero is forecast as a logarithm."""


@dataclass(frozen=True, slots=True)
class Column:
    """One series of a file: its name, its values on the grid, and where the grid begins."""

    name: str
    group: str
    values: Floats


@dataclass(frozen=True, slots=True)
class Outside:
    """The series of a file on one grid; ``start_s`` is local time as seconds."""

    step_s: int
    start_s: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """When origins begin and from when on they count, in steps."""

    first: int
    scored: int


def read_csv(file: Path, map_: Path | None, step_s: int | None = None) -> Outside:
    """Return the numeric series of a file, as means over steps of 15 min or an hour.

    Raises ``ContractError`` when no time or no number can be read.
    """
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    if not rows:
        raise _unusable(file, "it has no rows")
    names = {name: name.strip() for name in rows[0] if name}
    rows = [{names[k]: (v or "").strip() for k, v in row.items() if k in names} for row in rows]
    plan = tomllib.loads(map_.read_text(encoding="utf-8")) if map_ else {}
    times = _times(file, rows, plan.get("time", {}))
    taken = _mapped(plan, rows[0]) if map_ else _numeric(rows)
    cadence = float(np.median(np.diff(np.unique(times)))) if len(times) > 1 else STEPS[-1]
    step = step_s or next((s for s in STEPS if cadence <= s), STEPS[-1])
    return _gridded(file, rows, times, taken, step)


def specs(outside: Outside, plan: Plan, index: int) -> Spec:
    """Return how one series is forecast: chosen by the part before the first origin alone."""
    before = outside.columns[index].values[: plan.first]
    known = before[np.isfinite(before)]
    day = DAY_S // outside.step_s
    leads = tuple(round(h * 3600) // outside.step_s for h in LEADS_H[outside.step_s])
    weekly = plan.first >= WEEKLY_DAYS * day
    low = float(known.min()) if len(known) else -1.0
    if low < 0 or _skewness(known) < SKEWED:
        return Spec(outside.step_s, leads, weekly=weekly)
    offset = max(0.25 * float(np.median(known)), 0.05 * float(known.mean()), 1e-6)
    return Spec(outside.step_s, leads, weekly=weekly, log=True, offset=offset, low=0.0)


def panel_of(outside: Outside, index: int) -> Panel:
    """Return one series with the others of its group beside it."""
    own = outside.columns[index]
    others = [c.values for c in outside.columns if c.group == own.group and c is not own]
    beside = np.stack(others, axis=1)[None] if others else None
    return Panel.of(own.values, outside.step_s, outside.start_s, beside)


def read_guidance(file: Path) -> list[Issue]:
    """Return the issues of a weather forecast in a table with our own names (`forecasts.fetch`).

    Times that name no zone are those of the file of the series, as are these.
    """
    body, latest = file.read_text(encoding="utf-8-sig"), datetime.max.replace(tzinfo=UTC)
    return read_answer(guidances()["weather"], Map(address=str(file)), body, latest).issues


def ahead_of(outside: Outside, spec: Spec, issues: Sequence[Issue]) -> Floats:
    """Return what had been forecast at each origin ``[1, steps, leads, k]``; hourly series only."""
    if outside.step_s != HOUR_S:
        raise ContractError("guidance needs hourly series", code="unusable_file", stage="receiving")
    guidance, begin = guidances()["weather"], datetime.fromtimestamp(outside.start_s, UTC)
    delay, steps = timedelta(seconds=guidance.delay_s), len(outside.columns[0].values)
    parts = []
    for quantity in sorted({issue.quantity for issue in issues}):
        mine = [i for i in issues if i.quantity == quantity]
        said = [
            (
                i.issued_at,
                i.issued_at + delay,
                [round((at - i.issued_at).total_seconds()) for at in sorted(i.values)],
                [i.values[at] for at in sorted(i.values)],
            )
            for i in sorted(mine, key=lambda i: i.issued_at)
        ]
        parts.append(known_ahead(said, begin, steps, spec.leads, guidance))
    return np.stack(parts, axis=2)[None]


def plan_of(outside: Outside, learn_days: float | None, warm_days: float | None) -> Plan:
    """Return when origins begin: after a part for learning, then one for the first errors."""
    day = DAY_S // outside.step_s
    whole = len(outside.columns[0].values) / day
    learn = learn_days or float(np.clip(LEARN_SHARE * whole, *LEARN_DAYS))
    warm = warm_days if warm_days is not None else float(np.clip(WARM_SHARE * whole, *WARM_DAYS))
    return Plan(int(learn * day), int((learn + warm) * day))


def _times(file: Path, rows: list[dict[str, str]], said: dict[str, object]) -> np.ndarray:
    columns = said.get("columns")
    wanted = [str(c) for c in columns] if isinstance(columns, list) else [_time_column(file, rows)]
    form = str(said.get("format", ""))
    parse: Callable[[str], datetime] = (
        (lambda text: datetime.strptime(text, form)) if form else datetime.fromisoformat
    )
    zone = ZoneInfo(str(said.get("zone", "UTC")))
    found = []
    for row in rows:
        try:
            at = parse(" ".join(row[c] for c in wanted))
        except (ValueError, KeyError) as error:
            raise _unusable(file, f"no time: {error}. Name the columns in a map") from None
        local = at.astimezone(zone).replace(tzinfo=UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        found.append(local.timestamp())
    return np.asarray(found)


def _time_column(file: Path, rows: list[dict[str, str]]) -> str:
    for name, text in rows[0].items():
        try:
            datetime.fromisoformat(text)
        except ValueError:
            continue
        return name
    raise _unusable(file, "no column of times was found. Name it in a map (--map)")


def _mapped(plan: dict[str, object], row: dict[str, str]) -> dict[str, str]:
    """Return the group of each column that the map takes."""
    found: dict[str, str] = {}
    sensors = plan.get("sensors", [])
    for sensor in sensors if isinstance(sensors, list) else []:
        name = str(sensor.get("id", "")).replace("{file}", "file")
        for metric in sensor.get("metrics", {}).values():
            column = str(metric.get("column", ""))
            if column in row:
                found[column] = name
    return found


def _numeric(rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the columns that are numbers, change, and are no times: one group."""
    found = {}
    for name in rows[0]:
        values = np.array([_number(row[name]) for row in rows])
        known = values[np.isfinite(values)]
        steps = np.diff(known)
        counted = len(steps) > 0 and bool((steps == steps[0]).all())
        calendar = name.lower() in {"year", "month", "day", "hour", "minute", "no", "index"}
        if len(known) > len(rows) / 2 and len(np.unique(known)) > 10 and not (counted or calendar):
            found[name] = "file"
    return found


def _gridded(
    file: Path, rows: list[dict[str, str]], times: np.ndarray, taken: dict[str, str], step: int
) -> Outside:
    places = (times // step).astype(np.int64)
    begin = int(places.min())
    size = int(places.max()) - begin + 1
    columns = []
    for name, group in taken.items():
        values = np.array([_number(row[name]) for row in rows])
        known = np.isfinite(values)
        where = places[known] - begin
        total = np.bincount(where, values[known], minlength=size)
        count = np.bincount(where, minlength=size)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        columns.append(Column(name, group, mean))
    if not columns:
        raise _unusable(file, "no column of changing numbers was found")
    return Outside(step, begin * step, tuple(columns))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _skewness(values: Floats) -> float:
    spread = values.std() if len(values) else 0.0
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0


def _unusable(file: Path, why: str) -> ContractError:
    return ContractError(f"{file.name}: {why}", code="unusable_file", stage="receiving")
