"""Air stations: six pollutants, AQI by HJ 633-2012 and HJ 633-2026."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Derived,
    FlatLine,
    HealthRule,
    Metric,
    Placement,
    Relation,
    Rolling,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from catalog.standards.aqi import aqi, aqi_class
from catalog.standards.simple import exceeds

HJ_633_2012_FIRST_CITIES = Source(
    # 74 cities, Beijing and Chengdu among them, published by it before it held for the country;
    # the date is from memory
    standard="HJ 633-2012",
    clause="table 1",
    effective_from=date(2013, 1, 1),
    effective_to=date(2015, 12, 31),
)
HJ_633_2012 = Source(
    standard="HJ 633-2012",
    clause="table 1",
    effective_from=date(2016, 1, 1),
    effective_to=date(2026, 2, 28),
    verified=True,
)
HJ_633_2026 = Source(
    standard="HJ 633-2026", clause="table 3", effective_from=date(2026, 3, 1), verified=True
)
GB_3095_2012 = Source(
    standard="GB 3095-2012",
    clause="table 1, class 2",
    effective_from=date(2016, 1, 1),
    effective_to=date(2026, 2, 28),
    verified=True,
)
GB_3095_2026_TRANSITION = Source(
    standard="GB 3095-2026",
    clause="4.4, class 2 until 2030",
    effective_from=date(2026, 3, 1),
    effective_to=date(2030, 12, 31),
    verified=True,
)
GB_3095_2026 = Source(
    standard="GB 3095-2026",
    clause="table 1, class 2",
    effective_from=date(2031, 1, 1),
    verified=True,
)
GB_3095_VALIDITY = Source(
    standard="GB 3095-2026", clause="table 4", effective_from=date(2026, 3, 1), verified=True
)
"""45 min of an hour, 6 hours of 8, 20 hours of a day."""

STREAM = Stream(
    name="air_quality",
    domain="environment",
    title=text("空气质量", "Air quality"),
    cadence_s=60,
    lateness_s=3600,
    headline="aqi",
    metrics=(
        Metric(
            name="pm25",
            unit="µg/m³",
            title=text("PM2.5", "PM2.5"),
            decimals=0,
            fail_span=(0, 1000),
            suspect_span=(1, 1000),
            spike=(80, 200),
            rate_per_min=50,
            flat=FlatLine(suspect_s=10800, fail_s=21600),
            typical=(15, 55),
        ),
        Metric(
            name="pm10",
            unit="µg/m³",
            title=text("PM10", "PM10"),
            decimals=0,
            fail_span=(0, 2000),
            suspect_span=(1, 2000),
            spike=(80, 200),
            rate_per_min=50,
            flat=FlatLine(suspect_s=10800, fail_s=21600),
            typical=(25, 85),
        ),
        Metric(
            name="so2",
            unit="µg/m³",
            title=text("二氧化硫", "SO2"),
            decimals=0,
            fail_span=(0, 2620),
            suspect_span=(0, 800),
            typical=(2, 12),
        ),
        Metric(
            name="no2",
            unit="µg/m³",
            title=text("二氧化氮", "NO2"),
            decimals=0,
            fail_span=(0, 1000),
            typical=(12, 60),
        ),
        Metric(
            name="co",
            unit="mg/m³",
            title=text("一氧化碳", "CO"),
            decimals=1,
            fail_span=(0, 150),
            suspect_span=(0, 60),
            typical=(0.3, 1.1),
        ),
        Metric(
            name="o3",
            unit="µg/m³",
            title=text("臭氧", "O3"),
            decimals=0,
            fail_span=(0, 1200),
            suspect_span=(0, 1000),
            spike=(80, 160),
            rate_per_min=40,
            flat=FlatLine(suspect_s=10800, fail_s=21600),
            typical=(15, 120),
        ),
    ),
    rolling=(
        Rolling(
            name="pm25_24h",
            of="pm25",
            kind="mean",
            unit="µg/m³",
            title=text("PM2.5 24 小时滑动平均", "PM2.5 24 h mean"),
            decimals=0,
            window_s=86400,
            bucket_s=3600,
            min_buckets=20,
            full=0.75,
            source=GB_3095_VALIDITY,
        ),
        Rolling(
            name="pm10_24h",
            of="pm10",
            kind="mean",
            unit="µg/m³",
            title=text("PM10 24 小时滑动平均", "PM10 24 h mean"),
            decimals=0,
            window_s=86400,
            bucket_s=3600,
            min_buckets=20,
            full=0.75,
            source=GB_3095_VALIDITY,
        ),
        Rolling(
            name="o3_8h",
            of="o3",
            kind="mean",
            unit="µg/m³",
            title=text("臭氧 8 小时滑动平均", "O3 8 h mean"),
            decimals=0,
            window_s=28800,
            bucket_s=3600,
            min_buckets=6,
            full=0.75,
            source=GB_3095_VALIDITY,
        ),
    ),
    derived=(
        Derived(
            name="aqi",
            unit="1",
            title=text("空气质量指数", "Air quality index"),
            of=("pm25", "pm10", "so2", "no2", "co", "o3", "pm25_24h", "pm10_24h", "o3_8h"),
            by=aqi,
            typical=(20, 90),
            source=HJ_633_2026,
        ),
        Derived(
            name="aqi_class",
            unit="1",
            title=text("空气质量级别", "Air quality class"),
            of=("aqi",),
            by=aqi_class,
            typical=(1, 2),
            source=HJ_633_2026,
        ),
    ),
    relations=(
        Relation(
            name="pm25_above_pm10",
            title=text("PM2.5 高于 PM10", "PM2.5 above PM10"),
            of=("pm25", "pm10"),
            marks=("pm25", "pm10"),
            broken=exceeds("pm25", "pm10", by=10.0, share=0.1),
        ),
    ),
    rules=(
        ThresholdRule(
            name="aqi",
            title=text("空气质量指数超标", "Air quality index high"),
            metric="aqi",
            op=">=",
            thresholds=levels(HJ_633_2012_FIRST_CITIES, blue=101, yellow=151, orange=201, red=301)
            + levels(HJ_633_2012, blue=101, yellow=151, orange=201, red=301)
            + levels(HJ_633_2026, blue=101, yellow=151, orange=201, red=301),
            deadband=5,
            advice=text(
                "启动重污染天气应急响应并提示公众防护",
                "Start the heavy-pollution response; warn the public",
            ),
        ),
        ThresholdRule(
            name="pm25_day",
            title=text("PM2.5 日均浓度超标", "PM2.5 daily mean above the limit"),
            metric="pm25_24h",
            op=">",
            thresholds=levels(GB_3095_2012, blue=75)
            + levels(GB_3095_2026_TRANSITION, blue=60)
            + levels(GB_3095_2026, blue=50),
            deadband=3,
            advice=text("督查扬尘与工业排放", "Check dust and industrial emissions"),
        ),
        ThresholdRule(
            name="pm10_day",
            title=text("PM10 日均浓度超标", "PM10 daily mean above the limit"),
            metric="pm10_24h",
            op=">",
            thresholds=levels(GB_3095_2012, blue=150)
            + levels(GB_3095_2026_TRANSITION, blue=120)
            + levels(GB_3095_2026, blue=100),
            deadband=5,
            advice=text("加密道路洒水与工地抑尘", "Water the roads; damp down building sites"),
        ),
        ThresholdRule(
            name="o3_8h",
            title=text("臭氧 8 小时浓度超标", "O3 8 h mean above the limit"),
            metric="o3_8h",
            op=">",
            thresholds=levels(GB_3095_2012, blue=160)
            + levels(GB_3095_2026_TRANSITION, blue=160)
            + levels(GB_3095_2026, blue=160),
            deadband=5,
            advice=text("减少午后户外活动并错峰作业", "Less outdoor work in the afternoon"),
        ),
        AbsenceRule(after_s=300),
        StreamAbsenceRule(after_s=300),
        HealthRule(),
    ),
    placement=Placement(per_district=1),
    smart_data_model=SmartDataModel(
        model="AirQualityObserved",
        version="0.1.4",
        fields={
            "pm25": "pm25",
            "pm10": "pm10",
            "so2": "so2",
            "no2": "no2",
            "co": "co",
            "o3": "o3",
            "aqi": "airQualityIndex",
        },
    ),
)
