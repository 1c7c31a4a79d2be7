"""Truth maps: TOML files that say how a labelled file is read, and where its labels are."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.base import Span
from catalog.errors import FatalError
from catalog.model import HealthRule, Metric, Placement, Rule, Stream, UnusualRule, levels, text
from catalog.registry import streams
from ingest.replay.command import MAPS as REPLAY_MAPS
from ingest.replay.header import FileForm
from ingest.replay.map import ReplayMap, load_map
from ingest.replay.table import Table
from ingest.replay.times import TimeColumns

MAPS = Path(__file__).parent / "maps"
ANY_SPAN = (-1e9, 1e9)
PLAIN = "plain"


class Part(BaseModel):
    """Base of all parts of a map: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlainMetric(Part):
    """A quantity that no stream of the catalog declares."""

    column: str
    unit: str = "1"
    decimals: int = 2
    span: Span = ANY_SPAN
    """What its instrument can show."""
    unusual: Literal["above", "below", "both"] | None = None
    """To which side it is called unusual; None for a metric that is not looked at so."""
    scale: Literal["plain", "root", "log"] = "plain"
    """``log`` for what has a heavy upper tail (travel times), ``root`` for counts and shares."""
    window_s: float = 1800.0
    spreads: float = 4.0
    """From how many usual spreads on."""


class Plain(Part):
    """A stream made for one file: its metrics by name, or the columns that become metrics."""

    cadence_s: int = Field(gt=0)
    sensor: str = "{file}"
    metrics: dict[str, PlainMetric] = {}
    columns: tuple[str, ...] = ()
    """Patterns such as ``P_*``: every column of such a name is a metric."""


class Labels(Part):
    """Where it is said what was wrong: windows of time, or a column of the file itself."""

    windows: str | tuple[tuple[str, str], ...] = ()
    """Pairs of begin and end in the file's own time; or a JSON file of such lists by file name."""
    column: str | None = None
    values: tuple[str, ...] = ("1", "true", "yes")
    """What the column holds while something is wrong."""


class Joint(Part):
    """All signals of a file are one group, which a joint rule looks at hour by hour."""

    spreads: float = Field(default=4.0, gt=0)
    """From how many usual spreads on; the alert ends at half of them."""


class TruthMap(FileForm):
    """A whole map. Without ``labels`` the file is sound: whatever is found in it is false."""

    title: str
    files: tuple[str, ...] = Field(min_length=1)
    """Paths or patterns below the data folder."""
    read: str | None = None
    """A replay map that makes the file readings of a stream: its name, or a path beside this."""
    time: TimeColumns | None = None
    """Of a file without a replay map: the columns of its time."""
    plain: Plain | None = None
    labels: Labels | None = None
    joint: Joint | None = None
    zone: str | None = None
    """Where the sensors stand, when the file's times carry zones of their own."""
    calendar: Literal["weekends", "site"] = "weekends"
    """Which days are free: Saturday and Sunday, or the site's own calendar."""

    @model_validator(mode="after")
    def _one_way(self) -> "TruthMap":
        if (self.read is None) == (self.plain is None):
            raise ValueError("write read (a replay map) or [plain], one of them")
        if self.plain is not None and self.time is None:
            raise ValueError("[plain] needs [time]: columns, format, zone")
        if self.plain is not None and not (self.plain.metrics or self.plain.columns):
            raise ValueError('[plain] needs metrics, or columns such as ["P_*"]')
        return self


def load(path: Path) -> TruthMap:
    """Return a truth map; ``FatalError`` names the file, the key and what is wrong."""
    try:
        content: Any = tomllib.loads(path.read_text("utf-8"))
        return TruthMap.model_validate(content)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise wrong(path, str(error)) from None
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise wrong(path, "; ".join(faults)) from None


def wrong(path: Path, what: str) -> FatalError:
    """Return the error that stops the command."""
    return FatalError(f"map {path}: {what}", code="truth_map", stage="receiving")


def plan_of(declared: TruthMap, where: Path, file: Path) -> tuple[Stream, ReplayMap]:
    """Return the stream that a file's readings belong to, and how the file is read.

    ``where`` is the truth map's own path: a replay map may lie beside it.
    """
    if declared.plain is not None:
        return _plain(declared, declared.plain, file)
    assert declared.read is not None
    beside, shipped = where.parent / declared.read, REPLAY_MAPS / f"{declared.read}.toml"
    path = beside if beside.is_file() else shipped
    try:
        name = tomllib.loads(path.read_text("utf-8"))["stream"]
        stream = streams()[name]
    except OSError as error:
        raise wrong(where, f"read: no replay map {declared.read!r} ({error})") from None
    except KeyError as error:
        raise wrong(path, f"no stream {error}; known: {', '.join(streams())}") from None
    return stream, load_map(path, stream)


def _plain(declared: TruthMap, plain: Plain, file: Path) -> tuple[Stream, ReplayMap]:
    assert declared.time is not None
    metrics = dict(plain.metrics)
    if plain.columns:
        form = FileForm.model_validate({n: getattr(declared, n) for n in FileForm.model_fields})
        others = Table(file, form, set(declared.time.columns)).unused
        for column in others:
            if any(fnmatch(column, pattern) for pattern in plain.columns):
                metrics.setdefault(_name(column), PlainMetric(column=column))
    if not metrics:
        raise wrong(file, f"no column is like {', '.join(plain.columns)}")
    stream = plain_stream(plain.cadence_s, metrics)
    content = {
        "title": declared.title,
        "stream": PLAIN,
        "time": declared.time,
        "sensors": [
            {
                "id": plain.sensor,
                "metrics": {name: {"column": m.column} for name, m in metrics.items()},
            }
        ],
        **{n: getattr(declared, n) for n in FileForm.model_fields},
    }
    return stream, ReplayMap.model_validate(content)


def plain_stream(cadence_s: int, metrics: dict[str, PlainMetric]) -> Stream:
    """Return a stream of metrics that nothing is declared of but that they exist."""
    made = [
        Metric(
            name=name,
            unit=m.unit,
            title=text(f"列 {m.column}", m.column),
            decimals=m.decimals,
            fail_span=m.span,
            typical=(max(0.0, m.span[0]), max(0.0, m.span[0])),
        )
        for name, m in metrics.items()
    ]
    rules: list[Rule] = [HealthRule(for_s=3 * cadence_s, clear_s=3 * cadence_s)]
    rules += [
        UnusualRule(
            name=f"unusual_{name}"[:40],
            title=text(f"{m.column} 异常", f"{m.column} unusual"),
            metric=name,
            direction=m.unusual,
            thresholds=levels(blue=m.spreads),
            deadband=m.spreads / 2,
            window_s=m.window_s,
            scale=m.scale,
            advice=text("核查", "Look at it"),
        )
        for name, m in metrics.items()
        if m.unusual
    ]
    return Stream(
        name=PLAIN,
        domain="environment",
        title=text("标注数据", "Labelled data"),
        cadence_s=cadence_s,
        lateness_s=max(120, 2 * cadence_s),
        headline=made[0].name,
        metrics=tuple(made),
        rules=tuple(rules),
        placement=Placement(),
    )


def _name(column: str) -> str:
    """Return a column's name as metrics are named."""
    found = re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")
    return found if found[:1].isalpha() else f"c_{found}"
