"""Air stations: six pollutants, AQI by HJ 633-2012 and HJ 633-2026."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    Derived,
    FlatLine,
    Forecast,
    HealthRule,
    Metric,
    Placement,
    Relation,
    Rolling,
    SmartDataModel,
    Source,
    Stream,
    StreamAbsenceRule,
    Text,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.aqi import aqi, aqi_class
from systems.standards.simple import exceeds

HJ_633_2012_FIRST_CITIES = Source(
    # 74 cities published by it before it held for the country; the date is from memory
    standard="HJ 633-2012",
    clause="table 1",
    effective_from=date(2013, 1, 1),
    effective_to=date(2015, 12, 31),
)
HJ_633_2012 = HJ_633_2012_FIRST_CITIES.model_copy(
    update={"effective_from": date(2016, 1, 1), "effective_to": date(2026, 2, 28), "verified": True}
)
HJ_633_2026 = Source(
    standard="HJ 633-2026", clause="table 3", effective_from=date(2026, 3, 1), verified=True
)
GB_3095_2012 = HJ_633_2012.model_copy(
    update={"standard": "GB 3095-2012", "clause": "table 1, class 2"}
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


def hour_mean(of: str, unit: str, title: Text, decimals: int = 0) -> Rolling:
    """Return the mean of the last hour, of five-minute means: 45 min of it must be there.

    It slides, so that a breach is told while the hour runs; at each full hour it is the clock
    hour's. A station that reports by the hour has its own mean as it is. It leads to the
    index and is not kept: hours are in the rollups.
    """
    return Rolling(
        name=f"{of}_1h",
        of=of,
        kind="mean",
        unit=unit,
        title=title,
        decimals=decimals,
        window_s=3600,
        bucket_s=300,
        min_buckets=9,
        full=0.75,
        kept=False,
        source=GB_3095_VALIDITY,
    )


def mean_of_hours(of: str, hours: int, title: Text, at_least: int) -> Rolling:
    """Return the sliding mean of ``hours`` hourly means, each of 45 min at least."""
    return Rolling(
        name=f"{of}_{hours}h",
        of=of,
        kind="mean",
        unit="µg/m³",
        title=title,
        decimals=0,
        window_s=hours * 3600,
        bucket_s=3600,
        min_buckets=at_least,
        full=0.75,
        source=GB_3095_VALIDITY,
    )


WEATHER = ("weather.wind_m_s", "weather.rain_mm_h", "weather.cloud_pct", "weather.temp_c")

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
        hour_mean("pm25", "µg/m³", text("PM2.5 1 小时平均", "PM2.5 1 h mean")),
        hour_mean("pm10", "µg/m³", text("PM10 1 小时平均", "PM10 1 h mean")),
        hour_mean("so2", "µg/m³", text("二氧化硫 1 小时平均", "SO2 1 h mean")),
        hour_mean("no2", "µg/m³", text("二氧化氮 1 小时平均", "NO2 1 h mean")),
        hour_mean("co", "mg/m³", text("一氧化碳 1 小时平均", "CO 1 h mean"), decimals=1),
        hour_mean("o3", "µg/m³", text("臭氧 1 小时平均", "O3 1 h mean")),
        mean_of_hours("pm25", 24, text("PM2.5 24 小时滑动平均", "PM2.5 24 h mean"), at_least=20),
        mean_of_hours("pm10", 24, text("PM10 24 小时滑动平均", "PM10 24 h mean"), at_least=20),
        mean_of_hours("o3", 8, text("臭氧 8 小时滑动平均", "O3 8 h mean"), at_least=6),
    ),
    derived=(
        Derived(
            name="aqi",
            unit="1",
            title=text("空气质量指数", "Air quality index"),
            of=(
                *("pm25_1h", "pm10_1h", "so2_1h", "no2_1h", "co_1h", "o3_1h"),
                *("pm25_24h", "pm10_24h", "o3_8h"),
            ),
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
            names=(
                *(text("优", "Excellent"), text("良", "Good"), text("轻度污染", "Light pollution")),
                text("中度污染", "Moderate pollution"),
                *(text("重度污染", "Heavy pollution"), text("严重污染", "Severe pollution")),
            ),
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
    forecast=(
        Forecast(
            of="pm25",
            levels=("sensor", "city"),
            with_=("pm10", "no2"),
            ahead=WEATHER,
            transform="log",
        ),
        Forecast(of="o3", with_=("no2", "pm25"), ahead=WEATHER, transform="log"),
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
            decimals=0,
            deadband=5,
            advice=text(
                "启动重污染天气应急响应并提示公众防护",
                "Start the heavy-pollution response; warn the public",
            ),
        ),
        ThresholdRule(
            name="pm25_day",
            title=text("PM2.5 24 小时均值超日限值", "PM2.5 24 h mean above the daily limit"),
            metric="pm25_24h",
            op=">",
            thresholds=levels(GB_3095_2012, blue=75)
            + levels(GB_3095_2026_TRANSITION, blue=60)
            + levels(GB_3095_2026, blue=50),
            decimals=0,
            deadband=3,
            advice=text("督查扬尘与工业排放", "Check dust and industrial emissions"),
        ),
        ThresholdRule(
            name="pm10_day",
            title=text("PM10 24 小时均值超日限值", "PM10 24 h mean above the daily limit"),
            metric="pm10_24h",
            op=">",
            thresholds=levels(GB_3095_2012, blue=150)
            + levels(GB_3095_2026_TRANSITION, blue=120)
            + levels(GB_3095_2026, blue=100),
            decimals=0,
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
            decimals=0,
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
            **{name: name for name in ("so2", "no2", "co", "o3")},
            "aqi": "airQualityIndex",
        },
    ),
)
