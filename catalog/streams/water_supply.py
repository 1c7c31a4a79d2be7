"""Drinking-water network: pressure, flow, chlorine, turbidity, pH."""

from datetime import date

from catalog.model import (
    AbsenceRule,
    FlatLine,
    Metric,
    Placement,
    SmartDataModel,
    Source,
    Stream,
    ThresholdRule,
    levels,
    text,
)

GB_5749 = Source(
    standard="GB 5749-2022", clause="table 1 and 2", effective_from=date(2023, 4, 1), verified=True
)
CJJ_58 = Source(
    standard="CJJ 58-2009", clause="3.3", effective_from=date(2010, 1, 1), verified=True
)

STREAM = Stream(
    name="water_supply",
    domain="water",
    title=text("供水管网", "Water supply"),
    cadence_s=30,
    lateness_s=600,
    headline="pressure_mpa",
    metrics=(
        Metric(
            name="pressure_mpa",
            unit="MPa",
            title=text("压力", "Pressure"),
            decimals=3,
            fail_span=(0, 1.6),
            suspect_span=(0, 0.7),
            spike=(0.05, 0.15),
            rate_per_min=0.05,
            flat=FlatLine(suspect_s=1800, fail_s=7200),
            typical=(0.28, 0.38),
        ),
        Metric(
            name="flow_m3_h",
            unit="m³/h",
            title=text("流量", "Flow"),
            decimals=0,
            fail_span=(0, 50000),
            typical=(150, 900),
        ),
        Metric(
            name="chlorine_mg_l",
            unit="mg/L",
            title=text("余氯", "Free chlorine"),
            decimals=2,
            fail_span=(0, 5),
            suspect_span=(0, 2),
            spike=(0.3, 1),
            flat=FlatLine(suspect_s=1800, fail_s=7200),
            typical=(0.2, 0.4),
        ),
        Metric(
            name="turbidity_ntu",
            unit="NTU",
            title=text("浊度", "Turbidity"),
            decimals=2,
            fail_span=(0, 4000),
            typical=(0.12, 0.4),
        ),
        Metric(
            name="ph",
            unit="1",
            title=text("pH", "pH"),
            decimals=2,
            fail_span=(0, 14),
            suspect_span=(2, 13),
            spike=(0.5, 1),
            typical=(7.2, 7.8),
        ),
    ),
    rules=(
        ThresholdRule(
            name="pressure_low",
            title=text("管网压力过低", "Network pressure low"),
            metric="pressure_mpa",
            op="<",
            thresholds=levels(CJJ_58, yellow=0.14) + levels(orange=0.10, red=0.05),
            deadband=0.02,
            for_s=60,
            clear_s=120,
            advice=text("排查爆管与泵站运行", "Look for a burst; check pump stations"),
        ),
        ThresholdRule(
            name="turbidity",
            title=text("浊度超标", "Turbidity above limit"),
            metric="turbidity_ntu",
            op=">",
            thresholds=levels(GB_5749, orange=1.0),
            deadband=0.1,
            for_s=60,
            clear_s=300,
            advice=text("通知水厂并冲洗管网", "Tell the plant; flush the network"),
        ),
        ThresholdRule(
            name="chlorine_low",
            title=text("余氯过低", "Free chlorine low"),
            metric="chlorine_mg_l",
            op="<",
            thresholds=levels(GB_5749, yellow=0.05),
            deadband=0.01,
            for_s=60,
            clear_s=300,
            advice=text("检查加氯与管网滞留", "Check dosing and stagnation"),
        ),
        ThresholdRule(
            name="ph_low",
            title=text("pH 偏低", "pH low"),
            metric="ph",
            op="<",
            thresholds=levels(GB_5749, yellow=6.5),
            deadband=0.1,
            for_s=60,
            clear_s=300,
            advice=text("复测并通知水厂", "Measure again; tell the plant"),
        ),
        ThresholdRule(
            name="ph_high",
            title=text("pH 偏高", "pH high"),
            metric="ph",
            op=">",
            thresholds=levels(GB_5749, yellow=8.5),
            deadband=0.1,
            for_s=60,
            clear_s=300,
            advice=text("复测并通知水厂", "Measure again; tell the plant"),
        ),
        AbsenceRule(after_s=150),
    ),
    placement=Placement(per_district=2, parent_stream="feeder"),
    smart_data_model=SmartDataModel(
        model="WaterQualityObserved",
        version="0.0.6",
        fields={"turbidity_ntu": "turbidity", "ph": "pH", "flow_m3_h": "flow"},
    ),
)
