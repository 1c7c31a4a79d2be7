"""Rules of a stream: when an alert is raised, and when it ends."""

from typing import Annotated, Literal

from pydantic import Field

from catalog.base import Flap, Frozen, Name, Severity, Text
from catalog.corroboration import Corroboration
from catalog.early import EarlyRule
from catalog.thresholds import Threshold

Concern = Literal["city", "maintenance"]
"""Whom an alert concerns: those who run the city, or those who look after its sensors."""


class ThresholdRule(Frozen):
    """Raise when ``metric op value`` holds for ``for_s``; clear past the deadband for ``clear_s``.

    ``deadband`` is in the metric's unit: with ``>=`` a level clears below ``value - deadband``.
    Durations are event-time seconds between readings of the same sensor. The value is rounded to
    ``decimals`` before it is compared, by GB/T 8170; what is computed needs them, as binary
    fractions miss a limit that is met exactly. Without them it is compared as it was measured.
    """

    kind: Literal["threshold"] = "threshold"
    name: Name
    title: Text
    metric: Name
    op: Literal[">", ">=", "<", "<=", "=="]
    """``==`` for a boolean or a state: a limit is one of its values."""
    thresholds: tuple[Threshold, ...]
    decimals: int | None = None
    deadband: float = 0.0
    for_s: float = 0.0
    clear_s: float = 0.0
    latch: bool = False
    """Keep the alert on the list after it cleared, until somebody acknowledges it."""
    flap: Flap = Flap()
    corroborated_by: tuple[Corroboration, ...] = ()
    """What confirms an alert of it that rests on a doubtful value."""
    advice: Text

    def title_at(self, severity: int) -> Text:
        """Return what an alert of this severity is called."""
        own = (limit.title for limit in self.thresholds if limit.severity == severity)
        return next((title for title in own if title), self.title)


class UnusualRule(Frozen):
    """Raise when a metric has been off what is usual for its sensor at this hour of such a day.

    Limits are in *usual spreads*: how far the metric's mean of the last ``window_s`` lies from what
    the sensor has shown at this hour of this kind of day (working or free), in multiples of how far
    that mean usually lies off. By ``scale`` ``log`` it is measured by ratio, for what has a heavy
    upper tail (travel times); ``root`` is for counts and shares: the larger, the more they scatter.
    Nothing is said of a kind of day that the sensor has not shown yet, nor on its first two days.
    """

    kind: Literal["unusual"] = "unusual"
    name: Name
    title: Text
    metric: Name
    direction: Literal["above", "below", "both"]
    thresholds: tuple[Threshold, ...]
    deadband: float = 2.0
    window_s: float = 1800.0
    scale: Literal["plain", "root", "log"] = "plain"
    for_s: float = 0.0
    clear_s: float = 1800.0
    latch: bool = False
    flap: Flap = Flap()
    advice: Text

    @property
    def upon(self) -> str:
        """Return what is learned for the rule; one of another window or scale begins anew."""
        return f"{self.metric}/{self.window_s:g}/{self.scale}"

    def upon_spreads(self) -> ThresholdRule:
        """Return the same rule as limits upon how many spreads off the metric is."""
        return ThresholdRule(
            name=self.name,
            title=self.title,
            metric=self.metric,
            op=">=",
            thresholds=self.thresholds,
            deadband=self.deadband,
            for_s=self.for_s,
            clear_s=self.clear_s,
            latch=self.latch,
            flap=self.flap,
            advice=self.advice,
        )

    def title_at(self, severity: int) -> Text:
        """Return what an alert of this severity is called."""
        return self.upon_spreads().title_at(severity)


class AbsenceRule(Frozen):
    """Raise when a sensor has sent nothing usable for ``after_s`` seconds of platform time (ticks).

    Sensors that the catalog places are watched from the start, with the reason: nothing comes,
    never came, its times are too old, its values are not usable. While nothing of the whole stream
    is heard, this rule is quiet: that is one ``stream_absence``, not one per sensor.
    """

    kind: Literal["absence"] = "absence"
    name: Name = "silent"
    title: Text = Text(zh="传感器离线", en="Sensor silent")
    after_s: int
    severity: Severity = Severity.BLUE
    latch: bool = False
    flap: Flap = Flap()
    concern: Concern = "maintenance"
    """``city`` for a sensor whose silence is a danger itself."""
    advice: Text = Text(zh="检查供电与通信链路", en="Check power and the communication link")


class StreamAbsenceRule(Frozen):
    """Raise once when no placed sensor of the stream has sent anything for ``after_s`` (ticks).

    Its subject is ``*``, the stream itself. It waits until something of another stream has come
    meanwhile: while nothing does, that is one alert of the platform, not one per stream.
    """

    kind: Literal["stream_absence"] = "stream_absence"
    name: Name = "silent_stream"
    title: Text = Text(zh="数据接入中断", en="Stream silent")
    after_s: int
    severity: Severity = Severity.YELLOW
    latch: bool = False
    flap: Flap = Flap()
    advice: Text = Text(
        zh="检查上游接入与采集平台，而非单个传感器", en="Check the feed, not single sensors"
    )


class PipelineAbsenceRule(Frozen):
    """Raise once when nothing has come from any stream for ``after_s`` (ticks).

    It is the platform's own rule, not a stream's (``catalog/platform.py``); its subject is ``*``.
    Where the quickest stream that was heard sends less often, ``cadences`` of it are waited for.
    """

    kind: Literal["pipeline_absence"] = "pipeline_absence"
    name: Name = "silent"
    title: Text = Text(zh="数据接入全线中断", en="Nothing arrives from any stream")
    after_s: int = 120
    cadences: int = 2
    severity: Severity = Severity.RED
    latch: bool = False
    flap: Flap = Flap()
    advice: Text = Text(
        zh="检查接入网关、消息队列与机房网络，而非单个传感器或监测类别",
        en="Check gateway, broker and the network before them, not single sensors or streams",
    )


class JudgingAbsenceRule(Frozen):
    """Raise once when the worker's place in some partition has not moved for ``after_s``.

    It is the platform's own rule as well, and the only one that needs neither broker nor worker:
    the alerts engine judges it by the database; its subject is ``*``.
    """

    kind: Literal["judging_absence"] = "judging_absence"
    name: Name = "stalled"
    title: Text = Text(zh="规则评判停止", en="Rules are no longer judged")
    after_s: int = 120
    severity: Severity = Severity.RED
    latch: bool = False
    flap: Flap = Flap()
    advice: Text = Text(
        zh="检查消息队列与流处理进程；恢复之前不会再有新的告警，请以其他方式值守",
        en="Check broker and worker; until they are back no other alert can come: watch otherwise",
    )


class LogRule(Frozen):
    """Raise once when Kafka's log does not go on where its readers stopped (``log_breaks``).

    It is the platform's own rule as well, judged by the alerts engine by the database; its subject
    is ``*``. Records that are gone for good end the alert at once, which then waits to be seen.
    """

    kind: Literal["log_break"] = "log_break"
    name: Name
    title: Text
    after_s: int = 5
    severity: Severity
    latch: bool = False
    flap: Flap = Flap()
    advice: Text


class OverdueRule(Frozen):
    """Raise while a record's clock has run out; ended by the move that stops or extends it.

    ``records`` finds it, the alerts engine raises it; its stream is ``records``, its subject the
    record. Each clock of a declared record with a severity has one (``case.overdue_handle``).
    """

    kind: Literal["overdue"] = "overdue"
    name: Name
    title: Text
    domain: Name
    severity: Severity
    latch: bool = False
    flap: Flap = Flap()
    advice: Text = Text(zh="督促责任单位尽快办理", en="Urge whoever has it")


class HealthRule(Frozen):
    """Raise when some metric of a sensor has been unwell for ``for_s`` of event time.

    It is so while its values fail (4), are missing (9) though the sensor has sent them before, or
    are doubted by a test of the instrument itself (flat line, relation, the device's own flag). A
    value that is only unusual is no fault of the sensor. The alert ends when every metric has been
    well for ``clear_s``, or when the sensor is silent, which is said instead.
    """

    kind: Literal["health"] = "health"
    name: Name = "health"
    title: Text = Text(zh="传感器数据异常", en="Sensor unwell")
    for_s: float = 600.0
    clear_s: float = 600.0
    severity: Severity = Severity.BLUE
    latch: bool = False
    flap: Flap = Flap()
    concern: Concern = "maintenance"
    advice: Text = Text(zh="现场核查传感器并校准", en="Inspect and calibrate the sensor")


STREAM_SUBJECT = "*"
"""The subject of an alert on a whole stream or platform, where others name a sensor."""

WatchRule = AbsenceRule | StreamAbsenceRule | PipelineAbsenceRule
"""Rules that count the ticks without a reading."""

Rule = Annotated[
    ThresholdRule | UnusualRule | AbsenceRule | StreamAbsenceRule | HealthRule,
    Field(discriminator="kind"),
]
"""A rule of a stream."""

AnyRule = Rule | PipelineAbsenceRule | JudgingAbsenceRule | LogRule | OverdueRule | EarlyRule
"""What looks at one subject: of a stream, the platform, a record's clock, or a forecast."""
