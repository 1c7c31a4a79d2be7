"""Surface-water stations: class by GB 3838-2002."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Attribute,
    Derived,
    FlatLine,
    HealthRule,
    Metric,
    Placement,
    SensorAttribute,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.surface_water import water_class

GB_3838 = Source(
    standard="GB 3838-2002", clause="table 1", effective_from=date(2002, 6, 1), verified=True
)
# automatic stations measure every 4 h, so a value stands still for long by nature
STILL = FlatLine(suspect_s=86400, fail_s=172800)

STREAM = Stream(
    name="surface_water",
    domain="water",
    title=text("地表水质", "Surface water quality"),
    cadence_s=300,
    lateness_s=3600,
    headline="water_class",
    overall="max",
    metrics=(
        Metric(
            name="temp_c",
            unit="°C",
            title=text("水温", "Water temperature"),
            fail_span=(-1, 45),
            typical=(12, 18),
        ),
        Metric(
            name="ph",
            unit="1",
            title=text("pH", "pH"),
            decimals=2,
            fail_span=(0, 14),
            suspect_span=(2, 13),
            spike=(0.5, 1),
            flat=STILL,
            typical=(7.4, 8.1),
        ),
        Metric(
            name="do",
            unit="mg/L",
            title=text("溶解氧", "Dissolved oxygen"),
            decimals=2,
            fail_span=(0, 25),
            suspect_span=(0, 18),
            spike=(2, 5),
            flat=STILL,
            typical=(7, 9),
        ),
        Metric(
            name="codmn",
            unit="mg/L",
            title=text("高锰酸盐指数", "Permanganate index"),
            decimals=1,
            fail_span=(0, 200),
            suspect_span=(0, 50),
            typical=(1.6, 3),
        ),
        Metric(
            name="nh3n",
            unit="mg/L",
            title=text("氨氮", "Ammonia nitrogen"),
            decimals=2,
            fail_span=(0, 100),
            suspect_span=(0, 50),
            spike=(1, 3),
            flat=STILL,
            typical=(0.1, 0.4),
        ),
        Metric(
            name="tp",
            unit="mg/L",
            title=text("总磷", "Total phosphorus"),
            decimals=3,
            fail_span=(0, 20),
            suspect_span=(0, 3),
            typical=(0.03, 0.09),
        ),
    ),
    derived=(
        Derived(
            name="water_class",
            unit="1",
            title=text("水质类别", "Water class"),
            of=("ph", "do", "codmn", "nh3n", "tp"),
            by=water_class,
            names=(
                *(text(f"{roman} 类", f"Class {roman}") for roman in ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ")),
                text("劣Ⅴ 类", "Worse than Ⅴ"),
            ),
            typical=(1, 3),
            source=GB_3838,
        ),
    ),
    rules=(
        ThresholdRule(
            name="target",
            title=text("水质劣于目标类别", "Worse than the target class"),
            metric="water_class",
            op=">",
            thresholds=levels(GB_3838, yellow=SensorAttribute(attribute="target_class"), red=5.0),
            decimals=0,
            deadband=0,
            for_s=600,
            clear_s=600,
            advice=text("溯源排查上游排口", "Trace the outfalls upstream"),
        ),
        AbsenceRule(after_s=1200),
        StreamAbsenceRule(after_s=1200),
        HealthRule(for_s=1800),
    ),
    attributes=(Attribute(name="target_class", unit="1", title=text("目标类别", "Target class")),),
    placement=Placement(per_district=1, attributes={"target_class": 3}),
    smart_data_model=SmartDataModel(
        model="WaterQualityObserved",
        version="0.0.6",
        fields={"temp_c": "temperature", "ph": "pH", "do": "O2", "nh3n": "NH4"},
    ),
)
