"""Construction sites: dust at the fence, and how much of it is the site's own."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.model import (
    AbsenceRule,
    Attribute,
    Derived,
    Floats,
    HealthRule,
    Metric,
    Placement,
    Relation,
    Rolling,
    SensorAttribute,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

DB51_2682 = Source(standard="DB51/2682-2020", clause="表 1")


def own_dust(columns: Mapping[str, Floats], _at: NDArray[np.int64]) -> Floats:
    """Return the site's own part of PM10: at the fence, less upwind, µg/m³."""
    return columns["pm10_15min"] - columns["background_15min"]


STREAM = Stream(
    name="dust_site",
    domain="urban",
    title=text("工地扬尘", "Construction dust"),
    cadence_s=60,
    lateness_s=3600,
    headline="tsp_15min",
    overall="max",
    metrics=(
        Metric(
            name="tsp_ug_m3",
            unit="µg/m³",
            title=text("总悬浮颗粒物", "TSP"),
            decimals=0,
            fail_span=(0, 20000),
            spike=(400, 5000),
            typical=(60, 180),
        ),
        Metric(
            name="pm10_ug_m3",
            unit="µg/m³",
            title=text("场界 PM10", "PM10 at the fence"),
            decimals=0,
            fail_span=(0, 10000),
            spike=(300, 3000),
            typical=(40, 120),
        ),
        Metric(
            name="background_ug_m3",
            unit="µg/m³",
            title=text("背景 PM10", "PM10 upwind"),
            decimals=0,
            fail_span=(0, 2000),
            typical=(40, 100),
        ),
        Metric(
            name="wind_m_s",
            unit="m/s",
            title=text("风速", "Wind"),
            fail_span=(0, 60),
            typical=(0.5, 3),
        ),
    ),
    rolling=(
        Rolling(
            name="tsp_15min",
            of="tsp_ug_m3",
            kind="mean",
            unit="µg/m³",
            title=text("总悬浮颗粒物 15 分钟均值", "TSP, mean of 15 min"),
            decimals=0,
            window_s=900,
            bucket_s=60,
            min_buckets=12,
        ),
        Rolling(
            name="pm10_15min",
            of="pm10_ug_m3",
            kind="mean",
            unit="µg/m³",
            title=text("场界 PM10 15 分钟均值", "PM10 at the fence, mean of 15 min"),
            decimals=0,
            window_s=900,
            bucket_s=60,
            min_buckets=12,
        ),
        Rolling(
            name="background_15min",
            of="background_ug_m3",
            kind="mean",
            unit="µg/m³",
            title=text("背景 PM10 15 分钟均值", "PM10 upwind, mean of 15 min"),
            decimals=0,
            window_s=900,
            bucket_s=60,
            min_buckets=12,
        ),
    ),
    derived=(
        Derived(
            name="own_pm10",
            unit="µg/m³",
            title=text("工地贡献 PM10", "The site's own PM10"),
            of=("pm10_15min", "background_15min"),
            by=own_dust,
            typical=(0, 60),
        ),
    ),
    relations=(
        Relation(
            name="pm10_within_tsp",
            title=text("PM10 不大于总悬浮颗粒物", "PM10 is part of TSP"),
            of=("pm10_ug_m3", "tsp_ug_m3"),
            marks=("pm10_ug_m3",),
            broken=lambda c: c["pm10_ug_m3"] > 1.1 * c["tsp_ug_m3"] + 10,
        ),
    ),
    attributes=(
        Attribute(name="limit_tsp", unit="µg/m³", title=text("阶段限值", "Limit of the phase")),
    ),
    rules=(
        ThresholdRule(
            name="tsp",
            title=text("工地扬尘超标", "Too much dust"),
            metric="tsp_15min",
            op=">",
            thresholds=levels(DB51_2682, yellow=SensorAttribute(attribute="limit_tsp"))
            + levels(orange=1200, red=2000),
            decimals=0,
            deadband=30,
            clear_s=900,
            advice=text(
                "责令湿法作业、覆盖裸土，必要时停工", "Wet and cover the ground, or stop work"
            ),
        ),
        ThresholdRule(
            name="own",
            title=text("工地贡献偏高", "The site adds much dust"),
            metric="own_pm10",
            op=">",
            thresholds=levels(blue=150, yellow=300),
            decimals=0,
            deadband=30,
            clear_s=900,
            advice=text("检查喷淋、围挡与车辆冲洗", "Check spraying, hoarding and wheel washing"),
        ),
        AbsenceRule(after_s=600),
        StreamAbsenceRule(after_s=600),
        HealthRule(),
    ),
    placement=Placement(),
)
