"""Grid frequency at two substations: deviation limits by GB/T 15945-2008."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Derived,
    FlatLine,
    Metric,
    Placement,
    Severity,
    Site,
    Source,
    Stream,
    Text,
    Threshold,
    ThresholdRule,
)
from catalog.standards.simple import absolute_deviation

GBT_15945 = Source(
    standard="GB/T 15945-2008", clause="3.1", effective_from=date(2009, 5, 1), verified=False
)

STREAM = Stream(
    name="grid_frequency",
    domain="grid",
    title=Text(zh="电网频率", en="Grid frequency"),
    cadence_s=1,
    lateness_s=60,
    headline="frequency_hz",
    metrics=(
        Metric(
            name="frequency_hz",
            unit="Hz",
            title=Text(zh="频率", en="Frequency"),
            decimals=3,
            fail_span=(45.0, 55.0),
            suspect_span=(49.5, 50.5),
            spike=(0.05, 0.2),
            flat=FlatLine(suspect_s=300, fail_s=1800),
            typical=(49.96, 50.04),
        ),
    ),
    derived=(
        Derived(
            name="deviation_hz",
            unit="Hz",
            title=Text(zh="频率偏差", en="Frequency deviation"),
            decimals=3,
            of=("frequency_hz",),
            by=absolute_deviation("frequency_hz", 50.0),
            typical=(0.0, 0.05),
            source=GBT_15945,
        ),
    ),
    rules=(
        ThresholdRule(
            name="deviation",
            title=Text(zh="频率偏差超限", en="Frequency deviation beyond limit"),
            metric="deviation_hz",
            op=">",
            thresholds=(
                Threshold(severity=Severity.ORANGE, value=0.2, source=GBT_15945),
                Threshold(severity=Severity.RED, value=0.5, source=GBT_15945),
            ),
            deadband=0.02,
            for_s=5,
            clear_s=15,
            advice=Text(zh="联系电网调度中心", en="Call the grid dispatch centre"),
        ),
        AbsenceRule(after_s=30),
    ),
    placement=Placement(
        sites=(
            Site(
                id="gf-510104-01",
                title=Text(zh="锦江 220 kV 变电站", en="Jinjiang 220 kV substation"),
                lon=104.1174,
                lat=30.5981,
                district="510104",
                street="三圣街道",
            ),
        )
    ),
)
