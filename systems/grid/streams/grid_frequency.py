"""Grid frequency at two substations: deviation limits by GB/T 15945-2008."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Derived,
    FlatLine,
    HealthRule,
    Metric,
    Placement,
    Rolling,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.simple import absolute_deviation, magnitude

GBT_15945 = Source(
    standard="GB/T 15945-2008", clause="3.1", effective_from=date(2009, 5, 1), verified=True
)

STREAM = Stream(
    name="grid_frequency",
    domain="grid",
    title=text("电网频率", "Grid frequency"),
    cadence_s=5,
    lateness_s=60,
    headline="frequency_hz",
    metrics=(
        Metric(
            name="frequency_hz",
            unit="Hz",
            title=text("频率", "Frequency"),
            decimals=3,
            fail_span=(45.0, 55.0),
            suspect_span=(47.0, 52.0),
            spike=(0.05, 0.2),
            flat=FlatLine(suspect_s=300, fail_s=1800),
            typical=(49.97, 50.03),
        ),
    ),
    rolling=(
        Rolling(
            name="change_5s",
            of="frequency_hz",
            kind="change",
            unit="Hz",
            title=text("5 秒频率变化", "Change in 5 s"),
            decimals=3,
            window_s=10,
            bucket_s=5,
            min_buckets=2,
        ),
    ),
    derived=(
        Derived(
            name="deviation_hz",
            unit="Hz",
            title=text("频率偏差", "Frequency deviation"),
            decimals=3,
            of=("frequency_hz",),
            by=absolute_deviation("frequency_hz", 50.0),
            typical=(0.0, 0.05),
            source=GBT_15945,
        ),
        Derived(
            name="rocof_hz_s",
            unit="Hz/s",
            title=text("频率变化率", "Rate of change of frequency"),
            decimals=3,
            of=("change_5s",),
            by=magnitude("change_5s", per=5.0),
            typical=(0.0, 0.01),
        ),
    ),
    rules=(
        ThresholdRule(
            name="deviation",
            title=text("频率偏差超限", "Frequency deviation beyond limit"),
            metric="deviation_hz",
            op=">",
            thresholds=levels(GBT_15945, orange=0.2) + levels(red=0.4),
            decimals=3,
            deadband=0.02,
            for_s=5,
            clear_s=15,
            advice=text("联系电网调度中心", "Call the grid dispatch centre"),
        ),
        ThresholdRule(
            name="rocof",
            title=text("频率变化过快", "Frequency changes too fast"),
            metric="rocof_hz_s",
            op=">",
            thresholds=levels(yellow=0.05, orange=0.1),
            decimals=4,
            deadband=0.02,
            clear_s=30,
            advice=text("核查机组跳闸或大负荷投切", "Look for a lost generator or a large load"),
        ),
        AbsenceRule(after_s=30),
        StreamAbsenceRule(after_s=30),
        HealthRule(),
    ),
    placement=Placement(),
)
