"""Circuits of street lamps: how many are lit when it is dark, current, leakage, energy."""

from catalog.metrics import Rate
from catalog.model import (
    AbsenceRule,
    Attribute,
    HealthRule,
    Metric,
    Placement,
    SensorAttribute,
    Source,
    Stream,
    StreamAbsenceRule,
    Sun,
    ThresholdRule,
    counter,
    levels,
    state,
    text,
)

DARK, DAY = Sun(below=-6), Sun(above=3)
"""Lamps burn by the end of civil twilight; while the sun is up nobody needs them."""
GREEN_LIGHTING = Source(standard="“十二五”城市绿色照明规划纲要", clause="亮灯率")

CONTROL = state(
    "control",
    text("控制方式", "Control"),
    {
        "auto": text("自动", "automatic"),
        "manual": text("手动", "by hand"),
        "fault": text("控制故障", "control failed"),
    },
)

STREAM = Stream(
    name="lamp_circuit",
    domain="urban",
    title=text("照明回路", "Lamp circuit"),
    cadence_s=300,
    lateness_s=3600,
    headline="lit_pct",
    overall="mean",
    metrics=(
        Metric(
            name="lit_pct",
            unit="%",
            title=text("亮灯率", "Lamps lit"),
            fail_span=(0, 100),
            typical=(97, 100),
        ),
        Metric(
            name="current_a",
            unit="A",
            title=text("回路电流", "Current"),
            fail_span=(0, 200),
            typical=(20, 60),
        ),
        Metric(
            name="leak_ma",
            unit="mA",
            title=text("漏电流", "Leakage"),
            fail_span=(0, 1000),
            typical=(2, 8),
        ),
        counter(
            "energy_kwh",
            "kWh",
            text("累计电量", "Energy"),
            rolls_over_at=100_000,
            rate_per_min=0.8,
            decimals=2,
        ),
        CONTROL,
    ),
    rates=(
        Rate(
            name="power_kw",
            of="energy_kwh",
            per_s=3600,
            unit="kW",
            title=text("平均功率", "Mean power"),
        ),
    ),
    attributes=(
        Attribute(name="least_lit_pct", unit="%", title=text("亮灯率下限", "Least lamps lit")),
    ),
    rules=(
        ThresholdRule(
            name="dark",
            title=text("亮灯率不足", "Too few lamps lit"),
            metric="lit_pct",
            op="<",
            thresholds=levels(
                GREEN_LIGHTING, when=DARK, blue=SensorAttribute(attribute="least_lit_pct")
            )
            + levels(when=DARK, yellow=70, orange=10),
            deadband=0.5,
            for_s=900,
            clear_s=900,
            advice=text(
                "派员巡检该回路路灯与开关箱", "Inspect the circuit's lamps and its cabinet"
            ),
        ),
        ThresholdRule(
            name="leakage",
            title=text("路灯漏电", "Leakage current"),
            metric="leak_ma",
            op=">",
            thresholds=levels(yellow=30, red=100),
            deadband=5,
            clear_s=600,
            advice=text(
                "切断该回路，设警示围挡，防触电", "Switch the circuit off and fence its poles"
            ),
        ),
        ThresholdRule(
            name="day_burner",
            title=text("白昼亮灯", "Lamps burn by day"),
            metric="power_kw",
            op=">",
            thresholds=levels(when=DAY, blue=2),
            decimals=1,
            deadband=0.5,
            for_s=1800,
            clear_s=600,
            advice=text("检查时控与光控设置", "Check the timer and the light sensor"),
        ),
        ThresholdRule(
            name="control_fault",
            title=text("照明控制故障", "Lamp control failed"),
            metric="control",
            op="==",
            thresholds=levels(blue=CONTROL.code("fault")),
            for_s=600,
            clear_s=600,
            advice=text("远程复位，不成则现场检修", "Reset it remotely, else on site"),
        ),
        AbsenceRule(after_s=1800),
        StreamAbsenceRule(after_s=1800),
        HealthRule(for_s=1800),
    ),
    placement=Placement(per_district=1, attributes={"least_lit_pct": 96}),
)
