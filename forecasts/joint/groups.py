"""The groups of a joint rule: the city's sensors, gathered as the rule says."""

from collections import defaultdict
from dataclasses import dataclass

from psycopg import Connection

from catalog.joint import JointRule, group_id


@dataclass(frozen=True, slots=True)
class Signal:
    """One metric of one sensor."""

    stream: str
    sensor: str
    metric: str

    @property
    def name(self) -> str:
        """Return ``stream/sensor/metric``."""
        return f"{self.stream}/{self.sensor}/{self.metric}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """One group: what it is called, where it lies, and its signals in a fixed order."""

    rule: JointRule
    key: str
    district: str
    signals: tuple[Signal, ...]

    @property
    def subject(self) -> str:
        """Return what stands where other alerts name their sensor."""
        return group_id(self.rule.id, self.key)


def groups_of(conn: Connection, rule: JointRule) -> list[Gathered]:
    """Return the groups of a rule, of all sensors that are in service, in the order of keys."""
    metrics = {part.stream: part.metrics for part in rule.signals}
    rows = conn.execute(
        "SELECT stream, sensor, district, street, parent FROM sensors"
        " WHERE stream = ANY(%s) AND status <> 'retired' ORDER BY stream, sensor",
        [list(metrics)],
    ).fetchall()
    found, where = defaultdict[str, list[Signal]](list), dict[str, str]()
    for stream, sensor, district, street, parent in rows:
        key = _key(rule, sensor, district, street, parent)
        if key is None:
            continue
        where.setdefault(key, district)
        found[key] += [Signal(stream, sensor, metric) for metric in metrics[stream]]
    return [
        Gathered(rule, key, where[key], tuple(signals))
        for key, signals in sorted(found.items())
        if len(signals) >= rule.least
    ]


def _key(
    rule: JointRule, sensor: str, district: str, street: str, parent: str | None
) -> str | None:
    """Return which group a sensor belongs to; None for one that lies nowhere."""
    if rule.by == "parent":
        return parent or sensor
    if not district:
        return None
    return district if rule.by == "district" else f"{district}-{street}" if street else None
