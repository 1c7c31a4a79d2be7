"""Public litter bins: how full they are, and whether something in them burns."""

from catalog.model import (
    AbsenceRule,
    HealthRule,
    Metric,
    Placement,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

STREAM = Stream(
    name="bin",
    domain="urban",
    title=text("智能垃圾箱", "Litter bin"),
    cadence_s=1800,
    lateness_s=7200,
    headline="fill_pct",
    overall="mean",
    metrics=(
        Metric(
            name="fill_pct",
            unit="%",
            title=text("满溢度", "Filling"),
            decimals=0,
            fail_span=(0, 100),
            typical=(10, 60),
        ),
        Metric(
            name="temp_c",
            unit="°C",
            title=text("箱内温度", "Temperature inside"),
            fail_span=(-40, 120),
            typical=(10, 30),
        ),
        Metric(
            name="battery_v",
            unit="V",
            title=text("电池电压", "Battery voltage"),
            decimals=2,
            fail_span=(0, 15),
            typical=(3.4, 3.6),
        ),
    ),
    rules=(
        ThresholdRule(
            name="full",
            title=text("垃圾箱满溢", "Bin full"),
            metric="fill_pct",
            op=">=",
            thresholds=levels(blue=80, yellow=95),
            deadband=10,
            advice=text("安排清运", "Send a truck"),
        ),
        ThresholdRule(
            name="fire",
            title=text("垃圾箱疑似起火", "Bin may burn"),
            metric="temp_c",
            op=">=",
            thresholds=levels(orange=60, red=80),
            deadband=5,
            advice=text("就近派员查看，通知消防", "Send whoever is near; call the fire brigade"),
        ),
        AbsenceRule(after_s=7200),
        StreamAbsenceRule(after_s=7200),
        HealthRule(for_s=7200),
    ),
    placement=Placement(per_district=1),
)
