"""The declaration model of an index: a weighted tree over what the platform knows already.

``sites/<city>/indices/<name>.py`` has a name ``INDEX``. Leaves are counted per district and for the
whole city; scores run from 0 to 100. What computes them is ``engine/indices.py``.
"""

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from catalog.base import ENGINEERING, Frozen, Name, Severity, Source, Text
from catalog.declared import every_system_runs, load_named
from catalog.lifecycle.kpi import Kpi
from catalog.lifecycle.registry import records
from catalog.registry import streams
from catalog.site import site_folder

CAP = 59.0
"""Below the pass mark of 60: nothing is well while somebody's life is at risk."""


class AlertCount(Frozen):
    """The share (%) of sensors of these rules' streams with no open alert so severe, nor worse.

    Rules are ids, ``*`` is a wildcard. Sensors without a reading of the last ``fresh_s`` are not
    known to be well.
    """

    kind: Literal["alerts"] = "alerts"
    rules: tuple[str, ...] = Field(min_length=1)
    worst: Severity = Severity.BLUE
    fresh_s: float = Field(gt=0)


class Level(Frozen):
    """The mean of a metric's last readings, or its worst (``max``, ``min``)."""

    kind: Literal["level"] = "level"
    stream: Name
    metric: Name
    by: Literal["mean", "max", "min"] = "mean"
    fresh_s: float = Field(gt=0)


class Reporting(Frozen):
    """The share (%) of registered sensors of these streams with a fresh reading.

    Fresh: not older than ``cadences`` of the stream's own. No stream named = all.
    """

    kind: Literal["reporting"] = "reporting"
    streams: tuple[Name, ...] = ()
    cadences: float = Field(default=5.0, ge=1)


class Share(Frozen):
    """A KPI of a record over the last days, in %, by the district of the record."""

    kind: Literal["kpi"] = "kpi"
    record: Name
    kpi: Name
    days: int = Field(default=30, ge=1, le=366)


Counts = AlertCount | Level | Reporting | Share


class Leaf(Frozen):
    """One number: what it counts, at which value it is worth 100 (``good``) and 0 (``bad``).

    A leaf of ``safety`` is red while an open alert of its rules is; then all above it is capped.
    Fewer than ``least`` of its sensors known = NA; no sensors there = it does not apply.
    """

    name: Name
    title: Text
    weight: float = Field(gt=0)
    of: Counts = Field(discriminator="kind")
    good: float
    bad: float
    least: float = Field(default=0.8, gt=0, le=1)
    safety: bool = False
    source: Source = ENGINEERING

    @model_validator(mode="after")
    def _is_sound(self) -> "Leaf":
        if self.good == self.bad:
            raise ValueError(f"{self.name}: good and bad are one value")
        if self.safety and not isinstance(self.of, AlertCount):
            raise ValueError(f"{self.name}: only counts of alerts know what is red")
        return self


class Branch(Frozen):
    """The weighted mean of what is below it: NA as soon as one of these is NA."""

    name: Name
    title: Text
    weight: float = Field(gt=0)
    parts: tuple["Branch | Leaf", ...] = Field(min_length=1)

    def leaves(self) -> Iterator[Leaf]:
        """Return all leaves below, in their order."""
        for part in self.parts:
            yield from part.leaves() if isinstance(part, Branch) else (part,)


class Index(Frozen):
    """A tree with a name; ``cap`` is the most that anything above a red safety leaf is worth."""

    name: Name
    title: Text
    tree: Branch
    cap: float = Field(default=CAP, ge=0, le=100)

    @model_validator(mode="after")
    def _counts_what_exists(self) -> "Index":
        if every_system_runs() and (wrong := list(_problems(self))):
            raise ValueError("; ".join(wrong))
        return self

    def leaf(self, name: str) -> Leaf | None:
        """Return a leaf by its name."""
        return next((leaf for leaf in self.tree.leaves() if leaf.name == name), None)

    def titles(self) -> dict[str, Text]:
        """Return what every part is called."""
        return dict(_titles(self.tree))


def rules_of(count: AlertCount) -> dict[str, str]:
    """Return the ids of the rules that a count names, with their streams; of the city's only."""
    known = {
        s.rule_id(rule): s.name
        for s in streams().values()
        for rule in s.rules
        if getattr(rule, "concern", "city") == "city"
    }
    return {
        rule: stream
        for rule, stream in known.items()
        if any(fnmatchcase(rule, pattern) for pattern in count.rules)
    }


@cache
def indices() -> dict[str, Index]:
    """Return the site's indices by name; read once per process."""
    files = sorted((site_folder() / "indices").glob("[a-z]*.py"))
    return {file.stem: load_named(file, "INDEX", Index) for file in files}


def _problems(index: Index) -> Iterator[str]:
    names = Counter(name for name, _ in _titles(index.tree))
    yield from (f"{name!r} stands twice in the tree" for name, n in names.items() if n > 1)
    for leaf in index.tree.leaves():
        yield from (f"{leaf.name}: {said}" for said in _wrong(leaf.of))


def _titles(branch: Branch) -> Iterator[tuple[str, Text]]:
    yield branch.name, branch.title
    for part in branch.parts:
        yield from _titles(part) if isinstance(part, Branch) else ((part.name, part.title),)


def _wrong(of: Counts) -> Iterator[str]:
    if isinstance(of, AlertCount):
        for pattern in of.rules:
            if not rules_of(of.model_copy(update={"rules": (pattern,)})):
                yield f"no rule {pattern!r}"
    elif isinstance(of, Level):
        declared = streams().get(of.stream)
        if declared is None or of.metric not in declared.metric_names:
            yield f"no metric {of.stream}.{of.metric}"
    elif isinstance(of, Reporting):
        yield from (f"no stream {name!r}" for name in of.streams if name not in streams())
    else:
        record = records().get(of.record)
        known = [k.name for k in record.kpis if isinstance(k, Kpi)] if record else []
        if of.kpi not in known:
            yield f"no KPI {of.kpi!r} of a record {of.record!r}"
        elif record is not None and record.located == "not":
            yield f"{of.record} has no district"
