"""Road links: travel time and speed ratio, index of five minutes by GB/T 33171-2016."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Derived,
    Forecast,
    HealthRule,
    Metric,
    Placement,
    Rolling,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    UnusualRule,
    levels,
    text,
)
from systems.standards.traffic_index import delay_proportion, performance_index

GBT_33171 = Source(
    standard="GB/T 33171-2016", clause="App. C", effective_from=date(2017, 5, 1), verified=True
)

STREAM = Stream(
    name="traffic_link",
    domain="traffic",
    title=text("路段运行", "Road link"),
    cadence_s=60,
    lateness_s=300,
    headline="tpi",
    overall="max",
    metrics=(
        Metric(
            name="travel_time_s",
            unit="s",
            title=text("行程时间", "Travel time"),
            decimals=0,
            fail_span=(0, 14400),
            suspect_span=(5, 7200),
            typical=(60, 420),
        ),
        Metric(
            name="speed_ratio",
            unit="1",
            title=text("速度比", "Speed to free-flow ratio"),
            decimals=2,
            fail_span=(0, 2),
            suspect_span=(0.02, 1.5),
            spike=(0.4, 0.8),
            typical=(0.55, 0.98),
        ),
    ),
    rolling=(
        Rolling(
            name="speed_ratio_5min",
            of="speed_ratio",
            kind="mean",
            unit="1",
            title=text("5 分钟平均速度比", "Speed ratio, 5 min mean"),
            decimals=2,
            window_s=300,
            bucket_s=60,
            min_buckets=4,
            full=0.75,
            source=GBT_33171,
        ),
    ),
    derived=(
        Derived(
            name="dtp",
            unit="1",
            title=text("延误时间比", "Delay-time proportion"),
            decimals=2,
            of=("speed_ratio_5min",),
            by=delay_proportion,
            typical=(0, 0.45),
            source=GBT_33171,
        ),
        Derived(
            name="tpi",
            unit="1",
            title=text("交通运行指数", "Traffic performance index"),
            decimals=1,
            of=("dtp",),
            by=performance_index,
            typical=(0, 4),
            source=GBT_33171,
        ),
    ),
    forecast=(Forecast(of="travel_time_s", with_=("speed_ratio",), transform="log"),),
    rules=(
        ThresholdRule(
            name="congestion",
            title=text("路段拥堵", "Link congested"),
            metric="dtp",
            op=">=",
            thresholds=levels(GBT_33171, blue=0.5, yellow=0.6, orange=0.7),
            decimals=6,
            deadband=0.04,
            clear_s=120,
            advice=text("发布绕行诱导并调整配时", "Publish a detour and adjust signal timing"),
        ),
        UnusualRule(
            name="unusually_long",
            title=text("行程时间异常偏长", "Unusually long travel time"),
            metric="travel_time_s",
            direction="above",
            thresholds=levels(blue=3.0),
            deadband=1.5,
            window_s=3600,
            scale="log",
            advice=text("核查事故、施工或管制", "Accident, works or a closure?"),
        ),
        AbsenceRule(after_s=300),
        StreamAbsenceRule(after_s=300),
        HealthRule(),
    ),
    placement=Placement(per_district=2),
    smart_data_model=SmartDataModel(
        model="RoadSegment", version="0.1.1", fields={"travel_time_s": "travelTime"}
    ),
)
