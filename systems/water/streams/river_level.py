"""River gauges: level and flow against each gauge's own warning levels."""

from catalog.model import (
    AbsenceRule,
    Attribute,
    Corroboration,
    FlatLine,
    Forecast,
    HealthRule,
    Metric,
    Placement,
    Relation,
    SensorAttribute,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.simple import above_all_known, below_the_bed

FLOOD = Source(standard="水情预警 (hydrological warning)", clause="flood grades", verified=True)

STREAM = Stream(
    name="river_level",
    domain="water",
    title=text("河道水位", "River level"),
    cadence_s=60,
    lateness_s=600,
    headline="level_m",
    overall="margin",
    metrics=(
        Metric(
            name="level_m",
            unit="m",
            title=text("水位", "Level"),
            decimals=2,
            fail_span=(0, 1500),
            spike=(0.15, 0.5),
            rate_per_min=0.1,
            flat=FlatLine(suspect_s=43200, fail_s=86400),
            typical=(485.0, 486.2),
        ),
        Metric(
            name="flow_m3_s",
            unit="m³/s",
            title=text("流量", "Flow"),
            decimals=0,
            fail_span=(0, 20000),
            suspect_span=(0, 12000),
            typical=(20, 90),
        ),
    ),
    relations=(
        Relation(
            name="below_the_bed",
            title=text("水位低于河底", "Level below the bed"),
            of=("level_m", "bed_level_m"),
            marks=("level_m",),
            broken=below_the_bed,
            flag=4,
        ),
        Relation(
            name="above_all_known",
            title=text("水位远超历史最高", "Level far above the highest known"),
            of=("level_m", "highest_level_m"),
            marks=("level_m",),
            broken=above_all_known,
        ),
    ),
    forecast=(
        Forecast(
            of="level_m",
            with_=("flow_m3_s",),
            ahead=("weather.rain_mm_h",),
            weekly=False,
            ahead_h=72,
        ),
    ),
    rules=(
        ThresholdRule(
            name="flood",
            title=text("超警戒水位", "Above flood warning level"),
            metric="level_m",
            op=">=",
            thresholds=levels(
                FLOOD,
                yellow=SensorAttribute(attribute="warning_level_m"),
                orange=SensorAttribute(attribute="guarantee_level_m"),
                red=SensorAttribute(attribute="highest_level_m"),
            )
            + levels(
                title=text("接近警戒水位", "Near flood warning level"),
                blue=SensorAttribute(attribute="warning_level_m", offset=-0.5),
            ),
            deadband=0.1,
            for_s=60,
            clear_s=600,
            corroborated_by=(Corroboration(rule="river_level.flood", within_km=15),),
            advice=text("加密巡堤并通知下游", "Patrol the dikes; tell downstream"),
        ),
        AbsenceRule(after_s=300),
        StreamAbsenceRule(after_s=300),
        HealthRule(),
    ),
    attributes=(
        Attribute(name="bed_level_m", unit="m", title=text("河底高程", "Bed level")),
        Attribute(name="warning_level_m", unit="m", title=text("警戒水位", "Warning level")),
        Attribute(name="guarantee_level_m", unit="m", title=text("保证水位", "Guarantee level")),
        Attribute(name="highest_level_m", unit="m", title=text("历史最高水位", "Highest known")),
    ),
    placement=Placement(),
    smart_data_model=SmartDataModel(
        model="FloodMonitoring", version="0.0.1", fields={"level_m": "currentLevel"}
    ),
)
