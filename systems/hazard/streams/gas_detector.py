"""Gas detectors around tanks: combustible gas, and the toxic gas that each is made for."""

from catalog.model import (
    AbsenceRule,
    Attribute,
    Corroboration,
    HealthRule,
    Metric,
    Placement,
    SensorAttribute,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

GBT_50493 = Source(standard="GB/T 50493-2019", clause="5.5.2", verified=True)

STREAM = Stream(
    name="gas_detector",
    domain="hazard",
    title=text("危化品气体探测", "Gas detector"),
    cadence_s=5,
    lateness_s=120,
    headline="combustible_lel",
    overall="max",
    metrics=(
        Metric(
            name="combustible_lel",
            unit="%LEL",
            title=text("可燃气体", "Combustible gas"),
            fail_span=(0, 100),
            spike=(15, 60),
            typical=(0, 1),
        ),
        Metric(
            name="toxic_ppm",
            unit="ppm",
            title=text("有毒气体", "Toxic gas"),
            decimals=2,
            fail_span=(0, 1000),
            spike=(0.2, 500),
            typical=(0, 0.05),
        ),
    ),
    attributes=(
        Attribute(name="level1_ppm", unit="ppm", title=text("一级报警值", "First alarm")),
        Attribute(name="level2_ppm", unit="ppm", title=text("二级报警值", "Second alarm")),
    ),
    rules=(
        ThresholdRule(
            name="combustible",
            title=text("可燃气体泄漏", "Combustible gas escapes"),
            metric="combustible_lel",
            op=">=",
            thresholds=levels(GBT_50493, orange=25, red=50),
            deadband=3,
            clear_s=60,
            corroborated_by=(Corroboration(rule="gas_detector.combustible", within_km=0.5),),
            advice=text("切断进料，禁火，疏散下风向人员", "Shut off; no fire; clear downwind"),
        ),
        ThresholdRule(
            name="toxic",
            title=text("有毒气体泄漏", "Toxic gas escapes"),
            metric="toxic_ppm",
            op=">=",
            thresholds=levels(
                GBT_50493,
                orange=SensorAttribute(attribute="level1_ppm"),
                red=SensorAttribute(attribute="level2_ppm"),
            ),
            decimals=2,
            deadband=0.05,
            clear_s=60,
            corroborated_by=(Corroboration(rule="gas_detector.toxic", within_km=0.5),),
            advice=text("佩戴呼吸器，疏散下风向人员", "Breathing apparatus; clear downwind"),
        ),
        AbsenceRule(after_s=30, concern="city"),
        StreamAbsenceRule(after_s=30),
        HealthRule(),
    ),
    placement=Placement(),
)
