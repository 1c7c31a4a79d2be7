"""The catalog against tables typed from the standards: every limit, date, code and breakpoint.

A quality limit that differs from the reference says so in its row, with the reason.
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.model import Metric, SensorAttribute, Stream, Threshold, ThresholdRule
from catalog.registry import stream, streams
from catalog.sensors import sensors_of
from catalog.site import site, site_folder
from deploy.paths import ROOT
from systems.standards import aqi, noise, surface_water, traffic_index

Row = dict[str, str]


def table(name: str) -> list[Row]:
    """Return the rows of one golden table of all systems and of the site."""
    files = sorted(
        [*ROOT.glob(f"systems/*/golden/{name}.csv"), *site_folder().rglob(f"{name}.csv")]
    )
    assert files
    return [row for path in files for row in _rows(path)]


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown(value: Any) -> str:
    """Return a limit as the tables write it: ``low..high``, ``suspect/fail`` or a number."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "..".join(f"{x:g}" for x in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def limit_of(metric: Metric, name: str) -> str:
    if name == "flat":
        return f"{metric.flat.suspect_s:g}/{metric.flat.fail_s:g}" if metric.flat else ""
    value = getattr(metric, name)
    return shown(value).replace("..", "/") if name == "spike" else shown(value)


@pytest.mark.parametrize(
    "row", table("quality_limits"), ids=lambda r: f"{r['stream']}.{r['metric']}.{r['limit']}"
)
def test_a_quality_limit_is_the_reference_or_says_why_not(row: Row) -> None:
    metric = stream(row["stream"]).quantity(row["metric"])
    assert isinstance(metric, Metric)
    differs = bool(row["why ours differs"])
    wanted = row["ours"] if differs else row["reference"]
    assert limit_of(metric, row["limit"]) == wanted
    assert row["ours"] != row["reference"]


def cited(declared: Stream, rule: ThresholdRule, limit: Threshold) -> tuple[str, ...]:
    """Return one threshold of the catalog as a row of the table has it."""
    own = limit.value
    value = shown(own)
    if isinstance(own, SensorAttribute):
        value = own.attribute + (f"{own.offset:+g}" if own.offset else "")
    hours = "-".join(f"{h:02d}" for h in limit.hours or ())
    hours += limit.when.words()[1] if limit.when else ""
    source = limit.source
    days = [d.isoformat() if d else "" for d in (source.effective_from, source.effective_to)]
    verified = "yes" if source.verified else "no"
    head = (declared.name, rule.name, rule.metric, rule.op, limit.severity.name.lower())
    return (*head, value, hours, source.standard, source.clause, *days, verified)


def thresholds() -> Iterator[tuple[str, ...]]:
    for declared in streams().values():
        for rule in declared.rules:
            if isinstance(rule, ThresholdRule):
                yield from (cited(declared, rule, limit) for limit in rule.thresholds)


def test_every_threshold_stands_in_the_table_and_nothing_else_does() -> None:
    wanted = []
    for row in table("thresholds"):
        cells = [v for k, v in row.items() if k != "section"]
        cells[5] = f"{float(cells[5]):g}" if cells[5][0].isdigit() else cells[5]
        wanted.append(tuple(cells))
    assert sorted(thresholds()) == sorted(wanted)


def test_no_standard_is_cited_before_it_was_written() -> None:
    """``HJ 633-2012`` cannot be in force in 2011."""
    for row in table("thresholds"):
        year = row["standard"].rpartition("-")[2]
        if year.isdigit() and row["from"]:
            assert date.fromisoformat(row["from"]).year >= int(year), row


def test_districts_are_those_of_gb_t_2260() -> None:
    wanted = [tuple(row.values()) for row in table("districts")]
    found = [
        (d.code, d.title.zh, f"{d.lon:.4f}", f"{d.lat:.4f}", str(d.population))
        for d in site().districts.values()
    ]
    assert found == wanted


@pytest.mark.parametrize("name", [k for k in table("breakpoints")[0] if k != "index"])
def test_breakpoints_of_the_air_quality_index(name: str) -> None:
    rows = table("breakpoints")
    wanted = tuple(float(row[name]) for row in rows if row[name])
    assert tuple(map(float, getattr(aqi, name))) == wanted
    assert tuple(int(row["index"]) for row in rows) == aqi.IAQI


def test_noise_limits_by_class_day_and_night() -> None:
    """GB 3096-2008, table 1, and the night maximum 15 dB above."""
    wanted = {
        **{"0": (50, 40), "1": (55, 45), "2": (60, 50), "3": (65, 55)},
        **{"4a": (70, 55), "4b": (70, 60)},
    }
    assert wanted == noise.LIMITS_DB
    stand = {
        (s.attributes["limit_day_db"], s.attributes["limit_night_db"]) for s in sensors_of("noise")
    }
    assert stand <= set(wanted.values())
    assert len(stand) == 4


def test_surface_water_classes() -> None:
    """GB 3838-2002, table 1, rivers."""
    assert surface_water.UPPER_LIMITS == {
        "codmn": (2, 4, 6, 10, 15),
        "nh3n": (0.15, 0.5, 1.0, 1.5, 2.0),
        "tp": (0.02, 0.1, 0.2, 0.3, 0.4),
    }
    assert surface_water.OXYGEN_LIMITS == (7.5, 6, 5, 3, 2)
    assert surface_water.PH_SPAN == (6, 9)


def test_traffic_index_bands() -> None:
    """GB/T 33171-2016, appendix C: delay-time proportion to index."""
    assert tuple(zip(traffic_index.DTP, traffic_index.TPI, strict=True)) == (
        (0, 0),
        (0.3, 2),
        (0.5, 4),
        (0.6, 6),
        (0.7, 8),
        (1.0, 10),
    )


def test_the_sanhuangmiao_gauge_has_its_published_levels() -> None:
    gauge = next(s for s in sensors_of("river_level") if s.id == "river-sanhuangmiao")
    published = {"warning_level_m": 440.55, "guarantee_level_m": 442.84, "highest_level_m": 446.29}
    assert gauge.attributes.items() >= published.items()


@pytest.mark.parametrize(
    ("day", "limit"), [(date(2026, 2, 28), 75), (date(2026, 3, 1), 60), (date(2031, 1, 1), 50)]
)
def test_one_limit_of_a_day_is_in_force(day: date, limit: float) -> None:
    rule = next(r for r in stream("air_quality").rules if r.name == "pm25_day")
    assert isinstance(rule, ThresholdRule)
    assert [t.value for t in rule.thresholds if t.source.in_force(day)] == [limit]
