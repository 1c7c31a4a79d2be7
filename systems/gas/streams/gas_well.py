"""Wells of gas valves and beside gas mains: methane that should not be there."""

from catalog.model import (
    AbsenceRule,
    FlatLine,
    HealthRule,
    Metric,
    Placement,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

GBT_50493 = Source(standard="GB/T 50493-2019", clause="5.5.2", verified=True)

STREAM = Stream(
    name="gas_well",
    domain="gas",
    title=text("燃气窨井", "Gas well"),
    cadence_s=60,
    lateness_s=3600,
    headline="ch4_lel",
    overall="max",
    metrics=(
        Metric(
            name="ch4_lel",
            unit="%LEL",
            title=text("甲烷浓度", "Methane"),
            fail_span=(0, 100),
            spike=(15, 60),
            flat=FlatLine(suspect_s=86400, fail_s=172800, ignore_zero=True),
            typical=(0, 2),
        ),
        Metric(
            name="temp_c",
            unit="°C",
            title=text("井内温度", "Temperature in the well"),
            fail_span=(-40, 80),
            suspect_span=(-10, 60),
            typical=(12, 24),
        ),
        Metric(
            name="water_m",
            unit="m",
            title=text("井内水位", "Water in the well"),
            decimals=2,
            fail_span=(0, 5),
            suspect_span=(0, 3),
            typical=(0, 0.2),
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
            name="methane",
            title=text("井内可燃气体超标", "Combustible gas in the well"),
            metric="ch4_lel",
            op=">=",
            thresholds=levels(yellow=15) + levels(GBT_50493, orange=25, red=50),
            deadband=3,
            clear_s=300,
            advice=text(
                "派抢修队复测，疏散井口周边，禁火",
                "Send the repair crew; keep people and fire away from the cover",
            ),
        ),
        AbsenceRule(after_s=300),
        StreamAbsenceRule(after_s=300),
        HealthRule(),
    ),
    placement=Placement(per_district=2),
)
