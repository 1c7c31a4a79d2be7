"""Toll gantries by the minute: what the passages add up to (``facts/gantry_passage.py``)."""

from catalog.model import (
    AbsenceRule,
    Derived,
    HealthRule,
    Metric,
    Placement,
    Span,
    Stream,
    StreamAbsenceRule,
    Text,
    ThresholdRule,
    levels,
    text,
)
from systems.standards.simple import part_pct, scaled


def count(name: str, title: Text, typical: Span, most: float = 2000) -> Metric:
    """Return a count of passages a minute; ``most`` is beyond what lanes can carry."""
    return Metric(
        name=name, unit="辆", title=title, decimals=0, fail_span=(0, most), typical=typical
    )


STREAM = Stream(
    name="gantry",
    domain="traffic",
    title=text("收费门架", "Toll gantries"),
    cadence_s=60,
    lateness_s=600,
    headline="success_pct",
    overall="min",
    metrics=(
        count("passages", text("通行量", "Passages"), (4, 60)),
        count("charged", text("交易成功", "Charged"), (4, 60)),
        count("failed", text("交易失败", "Failed"), (0, 1)),
        count("plates_read", text("车牌识别", "Plates read"), (4, 60)),
        Metric(
            name="fee_fen",
            unit="分",
            title=text("通行费", "Fees"),
            decimals=0,
            fail_span=(0, 1e9),
            typical=(1600, 40000),
        ),
        Metric(
            name="lag_p95_s",
            unit="s",
            title=text("上传滞后（95 %）", "Upload lag (95 %)"),
            decimals=0,
            fail_span=(0, 2.7e6),
            typical=(1, 20),
        ),
        count("plates_differ", text("签车不符", "Plates differ"), (0, 0)),
        count("no_entry", text("无入口信息", "No entry"), (0, 0)),
        count("off_tariff", text("金额不符", "Off the tariff"), (0, 0)),
        count("unreadable", text("无法计收", "Nobody to bill"), (0, 0)),
        count("too_fast", text("速度不可信", "Impossible speed"), (0, 0)),
    ),
    derived=(
        Derived(
            name="success_pct",
            unit="%",
            title=text("交易成功率", "Success rate"),
            decimals=1,
            of=("charged", "failed"),
            by=part_pct("charged", "charged", "failed"),
            typical=(97, 100),
        ),
        Derived(
            name="capture_pct",
            unit="%",
            title=text("车牌捕获率", "Capture rate"),
            decimals=1,
            of=("plates_read", "passages"),
            by=part_pct("plates_read", "passages"),
            typical=(95, 100),
        ),
        Derived(
            name="fee_yuan",
            unit="元",
            title=text("通行费收入", "Revenue"),
            decimals=2,
            of=("fee_fen",),
            by=scaled("fee_fen", 0.01),
            typical=(16, 400),
        ),
    ),
    rules=(
        ThresholdRule(
            name="charging_fails",
            title=text("门架交易成功率低", "Charging fails at a gantry"),
            metric="success_pct",
            op="<",
            thresholds=levels(yellow=90.0, orange=70.0),
            decimals=1,
            deadband=3.0,
            for_s=600,
            clear_s=300,
            advice=text(
                "核查天线与计费单元，必要时改由相邻门架代收",
                "Check antenna and charging unit; let the next gantry charge if need be",
            ),
        ),
        ThresholdRule(
            name="plates_unread",
            title=text("车牌捕获率低", "Plates are not read"),
            metric="capture_pct",
            op="<",
            thresholds=levels(blue=80.0, yellow=50.0),
            decimals=1,
            deadband=5.0,
            for_s=600,
            clear_s=300,
            advice=text("清洁镜头，检查补光灯", "Clean the lens, check the lamp"),
        ),
        ThresholdRule(
            name="nothing_passes",
            title=text("白天无通行记录", "Nothing passes by day"),
            metric="passages",
            op="<",
            thresholds=levels(hours=(6, 22), yellow=1.0),
            for_s=600,
            advice=text(
                "核对路段车流：确有车流则为门架离线，催其补传",
                "Compare with the road's flow: if there is any, the gantry is off line",
            ),
        ),
        ThresholdRule(
            name="uploads_late",
            title=text("门架数据上传滞后", "Uploads come late"),
            metric="lag_p95_s",
            op=">",
            thresholds=levels(blue=300.0, yellow=1800.0),
            for_s=300,
            clear_s=300,
            advice=text("检查门架通信链路", "Check the gantry's line"),
        ),
        AbsenceRule(after_s=300),
        StreamAbsenceRule(after_s=300),
        HealthRule(),
    ),
    placement=Placement(),
)
