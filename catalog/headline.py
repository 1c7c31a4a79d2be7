"""How a stream is shown in one number: the order of streams, and what its headline is called."""

from catalog.model import SensorAttribute, Stream, Text, ThresholdRule
from catalog.registry import streams, systems


def in_screen_order() -> list[Stream]:
    """Return the streams by domain, then by name."""
    order = list(systems())
    return sorted(streams().values(), key=lambda s: (order.index(s.domain), s.name))


def fold(stream: Stream) -> str:
    """Return how sensors make one number of the headline: as declared; instead of a mean the worst
    one, where the headline's limits all lie on one side."""
    ways = {
        "min" if rule.op in ("<", "<=") else "max"
        for rule in stream.rules
        if isinstance(rule, ThresholdRule) and rule.metric == stream.headline
    }
    return ways.pop() if stream.overall == "mean" and len(ways) == 1 else stream.overall


def margin_attribute(stream: Stream) -> str | None:
    """Return the attribute that the headline's mildest own limit stands on, for ``margin``."""
    limits = [
        (-limit.severity, limit.value.attribute)
        for rule in stream.rules
        if isinstance(rule, ThresholdRule) and rule.metric == stream.headline
        for limit in rule.thresholds
        if isinstance(limit.value, SensorAttribute) and limit.value.offset == 0
    ]
    return min(limits)[1] if limits else None


def _limit_title(stream: Stream) -> Text:
    limit = margin_attribute(stream)
    return next(a for a in stream.attributes if a.name == limit).title


def distance_title(stream: Stream) -> Text:
    """Return the title of a ``margin`` headline as the distance that charts show."""
    metric = stream.quantity(stream.headline).title
    limit = _limit_title(stream)
    return Text(zh=f"{metric.zh}较{limit.zh}", en=f"{metric.en} above {limit.en.lower()}")


def vital_title(stream: Stream) -> Text:
    """Return the title of the stream's one number: stream, metric and how sensors make one."""
    metric = stream.quantity(stream.headline).title
    if stream.overall != "margin":
        zh, en = OVERALL[fold(stream)]
        return Text(zh=f"{metric.zh}{zh}", en=f"{metric.en}{en}")
    # the sensor is named below it: short enough for a narrow tile
    return Text(zh=f"较{_limit_title(stream).zh}", en=f"{distance_title(stream).en}, worst")


OVERALL = {
    "mean": ("", ""),
    "sum": ("合计", ", total"),
    "min": ("（最低）", ", lowest"),
    "max": ("（最高）", ", highest"),
}
