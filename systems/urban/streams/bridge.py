"""Bridges: strain freed of what warmth does, tilt, shaking."""

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
    SensorAttribute,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

JTG_D60 = Source(standard="JTG D60-2015", clause="表 4.3.12-1")
JTT_1037 = Source(standard="JT/T 1037-2022", clause="预警分级")
EXPANSION_UE_PER_K, INSTALLED_C = 10.0, 20.0
"""Concrete; the gauges were zeroed at this temperature."""


def load_strain(columns: Mapping[str, Floats], _at: NDArray[np.int64]) -> Floats:
    """Return the strain that is not of warmth, µε; tension and pressure alike are its size."""
    return np.abs(columns["strain_ue"] - EXPANSION_UE_PER_K * (columns["temp_c"] - INSTALLED_C))


STREAM = Stream(
    name="bridge",
    domain="urban",
    title=text("桥梁监测", "Bridge"),
    cadence_s=60,
    lateness_s=3600,
    headline="load_ue",
    overall="max",
    metrics=(
        Metric(
            name="strain_ue",
            unit="µε",
            title=text("应变", "Strain"),
            decimals=0,
            fail_span=(-3000, 3000),
            spike=(150, 800),
            typical=(-100, 100),
        ),
        Metric(
            name="temp_c",
            unit="°C",
            title=text("结构温度", "Temperature of the girder"),
            fail_span=(-40, 80),
            typical=(5, 35),
        ),
        Metric(
            name="tilt_deg",
            unit="°",
            title=text("倾角", "Tilt"),
            decimals=2,
            fail_span=(-5, 5),
            typical=(-0.05, 0.05),
        ),
        Metric(
            name="accel_mg",
            unit="mg",
            title=text("最大加速度", "Largest acceleration"),
            decimals=0,
            fail_span=(0, 2000),
            typical=(3, 20),
        ),
    ),
    derived=(
        Derived(
            name="load_ue",
            unit="µε",
            title=text("温度修正应变", "Strain without warmth"),
            of=("strain_ue", "temp_c"),
            by=load_strain,
            typical=(0, 150),
            source=JTG_D60,
        ),
    ),
    attributes=(
        Attribute(name="level1_ue", unit="µε", title=text("设计值的 0.8 倍", "0.8 of design")),
        Attribute(name="level2_ue", unit="µε", title=text("设计值", "Design value")),
    ),
    rules=(
        ThresholdRule(
            name="load",
            title=text("桥梁应变超限", "Strain of a bridge"),
            metric="load_ue",
            op=">=",
            thresholds=levels(
                JTT_1037,
                yellow=SensorAttribute(attribute="level1_ue"),
                orange=SensorAttribute(attribute="level2_ue"),
            ),
            decimals=0,
            deadband=20,
            clear_s=600,
            advice=text("限载限速，派结构工程师检查", "Limit load and speed; send an engineer"),
        ),
        ThresholdRule(
            name="tilt",
            title=text("桥墩倾斜", "A pier tilts"),
            metric="tilt_deg",
            op=">=",
            thresholds=levels(orange=0.5, red=1),
            deadband=0.1,
            for_s=120,
            clear_s=600,
            advice=text("封闭桥梁，疏散桥下", "Close the bridge and what is under it"),
        ),
        ThresholdRule(
            name="shock",
            title=text("桥梁剧烈振动", "A bridge shakes"),
            metric="accel_mg",
            op=">=",
            thresholds=levels(yellow=300, orange=600),
            deadband=100,
            clear_s=600,
            advice=text("查看是否有船车撞击或超载", "Look for a collision or an overload"),
        ),
        AbsenceRule(after_s=600),
        StreamAbsenceRule(after_s=600),
        HealthRule(),
    ),
    placement=Placement(),
)
