"""Early warnings: raised by the forecast's distribution, then verified by what came.

| outcome | when |
|---|---|
| hit | the limit was crossed upwards while the warning stood, raised an hour before or earlier |
| false | the chance fell below half of what raises before anything was crossed |
| miss | crossed after three hours on the safe side, with no warning standing |
| void | the sensor fell silent while it stood |

All are on trial: nobody is told. Their record is ``dash.warning_record``.
"""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg import Connection

from catalog.base import Floats
from catalog.model import SensorAttribute, Threshold, ThresholdRule
from catalog.sensors import sensor
from forecasts.core.spec import QUANTILES
from forecasts.groups import Group
from forecasts.history import HOUR, History

AHEAD_H = 6
RAISE, END = 0.5, 0.25
SAFE_HOURS = 3
"""Hours on the safe side after which a crossing is an event of its own."""
BELOW_ALL, ABOVE_ALL = 0.0125, 0.9875
"""Beyond the outer quantiles half of what they leave."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One level of a rule: its limit for each series (NaN = it has none)."""

    rule: str
    severity: int
    upwards: bool
    values: Floats


@dataclass(frozen=True, slots=True)
class Step:
    """What is decided of one series and level at an hour."""

    outcome: str
    chance: float
    lead_h: int


def limits_of(group: Group, subjects: tuple[str, ...], today: date) -> list[Limit]:
    """Return the limits in force of the rules on the group's quantity, all hours alike."""
    return [
        Limit(
            group.stream.rule_id(rule),
            int(threshold.severity),
            rule.op.startswith(">"),
            np.array([_value(group.stream.name, subject, threshold) for subject in subjects]),
        )
        for rule in group.stream.rules
        if isinstance(rule, ThresholdRule) and rule.metric == group.forecast.of
        for threshold in rule.thresholds
        if threshold.is_always and threshold.source.in_force(today)
    ]


def chances(quantiles: Floats, limit: float, *, upwards: bool) -> Floats:
    """Return how likely each lead lies beyond a limit; ``quantiles`` ``[leads, 5]`` of one series.

    NaN while there are no bands.
    """
    below = [np.interp(limit, row, QUANTILES, BELOW_ALL, ABOVE_ALL) for row in quantiles]
    found = 1 - np.array(below) if upwards else np.array(below)
    return np.where(np.isfinite(quantiles).all(axis=1), found, np.nan)


def decide(
    recent: Floats,
    chance: Floats,
    leads_h: tuple[int, ...],
    limit: Limit,
    own: float,
    is_open: bool,
) -> Step | None:
    """Return what changes at this hour, None if nothing. ``recent``: hours up to now.

    The window's chance is the largest of its hours: never a product, as hours hang together.
    """
    beyond = recent >= own if limit.upwards else recent <= own
    known = np.isfinite(recent)
    near = np.array([lead <= AHEAD_H for lead in leads_h])
    inside = np.where(near & np.isfinite(chance), chance, -1.0)
    best = int(inside.argmax())
    step = Step("open", float(inside[best]), leads_h[best])
    if is_open:
        if not known[-1]:
            return None if known.any() else Step("void", step.chance, step.lead_h)
        if beyond[-1]:
            return Step("hit", step.chance, step.lead_h)
        return Step("false", step.chance, step.lead_h) if step.chance < END else None
    if not known[-1]:
        return None
    if beyond[-1]:
        calm = known[:-1].all() and not beyond[:-1].any()
        return Step("miss", step.chance, step.lead_h) if calm else None
    return step if step.chance >= RAISE else None


def warn(
    conn: Connection, group: Group, end: datetime, ids: list[int], history: History, said: Floats
) -> int:
    """Raise, end and verify the warnings of a group at ``end``; return how many changed.

    ``said`` are the quantiles just issued ``[series, leads, 5]``. Called once an issue, in its
    transaction.
    """
    leads_h, changed = group.spec.leads, 0
    standing = {
        (series, rule, severity)
        for series, rule, severity in conn.execute(
            "SELECT series, rule, severity FROM forecast_warnings"
            " WHERE outcome = 'open' AND series = ANY(%s)",
            [ids],
        ).fetchall()
    }
    for limit in limits_of(group, history.subjects, end.date()):
        for n in np.flatnonzero(np.isfinite(limit.values)):
            own, key = float(limit.values[n]), (ids[n], limit.rule, limit.severity)
            chance = chances(said[n], own, upwards=limit.upwards)
            recent = history.panel.values[n, -SAFE_HOURS - 1 :]
            step = decide(recent, chance, leads_h, limit, own, key in standing)
            if step is not None:
                _write(conn, key, own, end, step)
                changed += 1
    return changed


def _write(
    conn: Connection, key: tuple[int, str, int], own: float, end: datetime, step: Step
) -> None:
    now = end - HOUR  # the newest hour that is over
    if step.outcome in ("open", "miss"):
        missed = step.outcome == "miss"
        conn.execute(
            "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at, chance,"
            " expected_at, ended_at, outcome, crossed_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                *(*key, own, end, None if missed else step.chance),
                None if missed else end + (step.lead_h - 1) * HOUR,
                *(end if missed else None, step.outcome, now if missed else None),
            ],
        )
        return
    conn.execute(
        "UPDATE forecast_warnings SET outcome = %s, ended_at = %s, crossed_at = %s"
        " WHERE outcome = 'open' AND series = %s AND rule = %s AND severity = %s",
        [step.outcome, end, now if step.outcome == "hit" else None, *key],
    )


def _value(stream: str, subject: str, threshold: Threshold) -> float:
    own = threshold.value
    if not isinstance(own, SensorAttribute):
        return float(own)
    known = sensor(stream, subject)
    value = known.attributes.get(own.attribute) if known else None
    return float("nan") if value is None else value + own.offset
