"""Ponding depth at underpasses and low ground."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Corroboration,
    FlatLine,
    Forecast,
    HealthRule,
    Metric,
    Placement,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

GB_51222 = Source(standard="GB 51222-2017", clause="one lane at most 15 cm under water")
LINE_2013 = Source(
    standard="Chengdu underpass warning line",
    clause="30 cm line at 59 underpasses",
    effective_from=date(2013, 1, 1),
    verified=True,
)

STREAM = Stream(
    name="waterlogging",
    domain="water",
    title=text("道路积水", "Road ponding"),
    cadence_s=30,
    lateness_s=300,
    headline="depth_m",
    overall="max",
    metrics=(
        Metric(
            name="depth_m",
            unit="m",
            title=text("积水深度", "Ponding depth"),
            decimals=2,
            fail_span=(0, 5),
            spike=(0.2, 0.5),
            rate_per_min=0.1,
            flat=FlatLine(suspect_s=21600, fail_s=86400, ignore_zero=True),
            typical=(0, 0.01),
        ),
    ),
    forecast=(Forecast(of="depth_m", ahead=("weather.rain_mm_h",), weekly=False, transform="log"),),
    rules=(
        ThresholdRule(
            name="ponding",
            title=text("道路积水", "Road ponding"),
            metric="depth_m",
            op=">=",
            thresholds=levels(GB_51222, blue=0.15)
            + levels(yellow=0.20, orange=0.27)
            + levels(LINE_2013, red=0.30),
            deadband=0.03,
            for_s=30,
            clear_s=300,
            corroborated_by=(
                Corroboration(rule="weather.rain_3h", within_km=10),
                Corroboration(rule="waterlogging.ponding", within_km=2),
            ),
            advice=text("封闭下穿隧道并调派排水抢险车", "Close the underpass; send pump trucks"),
        ),
        AbsenceRule(after_s=150),
        StreamAbsenceRule(after_s=150),
        HealthRule(),
    ),
    placement=Placement(
        per_district=2,
        parent_stream="feeder",
    ),
    smart_data_model=SmartDataModel(
        model="FloodMonitoring", version="0.0.1", fields={"depth_m": "currentLevel"}
    ),
)
