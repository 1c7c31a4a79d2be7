"""Power transformers: load, oil and winding temperature."""

from catalog.model import (
    AbsenceRule,
    FlatLine,
    Forecast,
    HealthRule,
    Metric,
    Placement,
    Relation,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.simple import exceeds

DLT_572 = Source(standard="DL/T 572", clause="top oil, natural cooling", verified=True)
IEC_60076_7 = Source(standard="IEC 60076-7", clause="table 4", verified=True)

WEATHER = ("weather.temp_c", "weather.cloud_pct")

STREAM = Stream(
    name="transformer",
    domain="grid",
    title=text("主变压器", "Power transformer"),
    cadence_s=30,
    lateness_s=3600,
    headline="oil_temp_c",
    overall="max",
    metrics=(
        Metric(
            name="load_pct",
            unit="%",
            title=text("负载率", "Load"),
            fail_span=(-200, 200),
            suspect_span=(-50, 180),
            typical=(30, 65),
        ),
        Metric(
            name="oil_temp_c",
            unit="°C",
            title=text("顶层油温", "Top-oil temperature"),
            fail_span=(-20, 150),
            suspect_span=(-5, 140),
            spike=(3, 10),
            rate_per_min=1.0,
            flat=FlatLine(suspect_s=7200, fail_s=21600),
            typical=(32, 52),
        ),
        Metric(
            name="winding_temp_c",
            unit="°C",
            title=text("绕组温度", "Winding temperature"),
            fail_span=(-20, 200),
            suspect_span=(-10, 180),
            typical=(38, 62),
        ),
    ),
    relations=(
        Relation(
            name="winding_below_oil",
            title=text("绕组温度低于油温", "Winding colder than the oil"),
            of=("oil_temp_c", "winding_temp_c"),
            marks=("winding_temp_c",),
            broken=exceeds("oil_temp_c", "winding_temp_c", by=5.0),
        ),
    ),
    forecast=(
        Forecast(of="oil_temp_c", with_=("load_pct", "winding_temp_c"), ahead=WEATHER),
        Forecast(of="load_pct", with_=("oil_temp_c",), ahead=WEATHER),
    ),
    rules=(
        ThresholdRule(
            name="oil_temp",
            title=text("油温过高", "Top oil too hot"),
            metric="oil_temp_c",
            op=">=",
            thresholds=levels(DLT_572, yellow=85, orange=95) + levels(IEC_60076_7, red=105),
            deadband=2,
            for_s=60,
            clear_s=120,
            advice=text("启动全部冷却器并转移负荷", "Start all coolers; move load"),
        ),
        ThresholdRule(
            name="winding_temp",
            title=text("绕组温度过高", "Winding too hot"),
            metric="winding_temp_c",
            op=">=",
            thresholds=levels(yellow=95) + levels(IEC_60076_7, red=120),
            deadband=2,
            for_s=60,
            clear_s=120,
            advice=text("降低负荷", "Reduce load"),
        ),
        ThresholdRule(
            name="load",
            title=text("变压器重过载", "Transformer heavily loaded"),
            metric="load_pct",
            op=">=",
            thresholds=levels(blue=80, yellow=100, orange=120),
            deadband=3,
            for_s=300,
            clear_s=300,
            advice=text("转供或错峰", "Transfer or shift demand"),
        ),
        AbsenceRule(after_s=150),
        StreamAbsenceRule(after_s=150),
        HealthRule(),
    ),
    placement=Placement(per_district=1),
)
