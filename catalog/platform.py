"""The platform's own rules: what it says of itself, where streams speak of the city."""

from catalog.base import Severity, text
from catalog.rules import JudgingAbsenceRule, LogRule, PipelineAbsenceRule

PLATFORM = "platform"
"""Stands where other alerts name their stream."""

PLATFORM_TITLE = text("全平台", "The whole platform")

PIPELINE = PipelineAbsenceRule()
PIPELINE_ID = f"{PLATFORM}.{PIPELINE.name}"

JUDGING = JudgingAbsenceRule()
JUDGING_ID = f"{PLATFORM}.{JUDGING.name}"

LOG_CHANGED = LogRule(
    name="log_changed",
    title=text("消息日志已不是原来的日志", "Kafka's log is another one"),
    severity=Severity.RED,
    advice=text(
        "入库与规则评判已停在原处。原日志可找回的先找回；"
        "否则执行 make new-log YES=1，从现有日志继续",
        "Storing and evaluating have stopped. Bring the old log back if you can; otherwise run"
        " make new-log YES=1 to go on with the present one",
    ),
)
LOG_CHANGED_ID = f"{PLATFORM}.{LOG_CHANGED.name}"

LOG_GAP = LogRule(
    name="log_gap",
    title=text("消息日志缺失一段", "Records are missing from Kafka's log"),
    severity=Severity.ORANGE,
    latch=True,
    advice=text(
        "缺失部分尚未入库且已无法读取，处理已从其后继续。"
        "执行 make new-log 查看缺失区间，请数据源补传",
        "They were never read and cannot be any more; all went on behind them. make new-log lists"
        " them; ask the sources to send again",
    ),
)
LOG_GAP_ID = f"{PLATFORM}.{LOG_GAP.name}"

RULES = {
    PIPELINE_ID: PIPELINE,
    JUDGING_ID: JUDGING,
    LOG_CHANGED_ID: LOG_CHANGED,
    LOG_GAP_ID: LOG_GAP,
}
BY_DATABASE = frozenset((JUDGING_ID, LOG_CHANGED_ID, LOG_GAP_ID))
"""The rules that the alerts engine judges by the database, without the worker."""
