"""Noise stations: limits of GB 3096-2008 by area class, day and night."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Attribute,
    FlatLine,
    Forecast,
    HealthRule,
    Metric,
    Placement,
    Relation,
    Rolling,
    SensorAttribute,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.noise import limits
from systems.standards.simple import exceeds

GB_3096 = Source(
    standard="GB 3096-2008", clause="5.1", effective_from=date(2008, 10, 1), verified=True
)
GB_3096_PEAK = Source(
    standard="GB 3096-2008", clause="5.4", effective_from=date(2008, 10, 1), verified=True
)

STREAM = Stream(
    name="noise",
    domain="environment",
    title=text("环境噪声", "Noise"),
    cadence_s=30,
    lateness_s=300,
    headline="leq_db",
    overall="max",
    metrics=(
        Metric(
            name="leq_db",
            unit="dB(A)",
            title=text("等效声级", "Leq"),
            fail_span=(20, 130),
            suspect_span=(30, 110),
            spike=(15, 30),
            flat=FlatLine(suspect_s=600, fail_s=1800),
            typical=(44, 49),
        ),
        Metric(
            name="lmax_db",
            unit="dB(A)",
            title=text("最大声级", "Lmax"),
            fail_span=(20, 140),
            suspect_span=(30, 125),
            spike=(10, 25),
            typical=(50, 58),
        ),
    ),
    rolling=(
        Rolling(
            name="leq_20min",
            of="leq_db",
            kind="level",
            unit="dB(A)",
            title=text("20 分钟等效声级", "Leq, 20 min"),
            window_s=1200,
            bucket_s=60,
            min_buckets=15,
        ),
    ),
    relations=(
        Relation(
            name="lmax_below_leq",
            title=text("最大声级低于等效声级", "Lmax below Leq"),
            of=("leq_db", "lmax_db"),
            marks=("leq_db", "lmax_db"),
            broken=exceeds("leq_db", "lmax_db", by=0.5),
        ),
    ),
    forecast=(Forecast(of="leq_db"),),
    rules=(
        ThresholdRule(
            name="day",
            title=text("昼间噪声超标", "Day noise limit exceeded"),
            metric="leq_20min",
            op=">",
            thresholds=levels(
                GB_3096, hours=(6, 22), blue=SensorAttribute(attribute="limit_day_db")
            ),
            decimals=1,
            deadband=1,
            clear_s=300,
            advice=text("排查施工与娱乐噪声源", "Look for building or leisure noise"),
        ),
        ThresholdRule(
            name="night",
            title=text("夜间噪声超标", "Night noise limit exceeded"),
            metric="leq_20min",
            op=">",
            thresholds=levels(
                GB_3096, hours=(22, 6), yellow=SensorAttribute(attribute="limit_night_db")
            ),
            decimals=1,
            deadband=1,
            clear_s=300,
            advice=text("派员现场核查夜间施工", "Send someone to check night work"),
        ),
        ThresholdRule(
            name="sudden",
            title=text("夜间突发噪声", "Sudden night noise"),
            metric="lmax_db",
            op=">",
            thresholds=levels(
                GB_3096_PEAK,
                hours=(22, 6),
                yellow=SensorAttribute(attribute="limit_night_db", offset=15),
            ),
            deadband=1,
            clear_s=300,
            advice=text("核对视频与投诉记录", "Compare cameras and complaints"),
        ),
        AbsenceRule(after_s=150),
        StreamAbsenceRule(after_s=150),
        HealthRule(),
    ),
    attributes=(
        Attribute(name="limit_day_db", unit="dB(A)", title=text("昼间限值", "Day limit")),
        Attribute(name="limit_night_db", unit="dB(A)", title=text("夜间限值", "Night limit")),
    ),
    placement=Placement(
        per_district=1,
        attributes=limits("2"),
    ),
    smart_data_model=SmartDataModel(
        model="NoiseLevelObserved", version="0.1.0", fields={"leq_db": "LAeq", "lmax_db": "LAmax"}
    ),
)
