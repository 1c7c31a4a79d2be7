"""Early warnings of a group: raised by the forecast's distribution, then verified by what came.

What they are and how they end: `forecasts.core.warnings`. They are told to receivers (by the alerts
engine, which reads the table) once their rule has shown skill; until then they are on trial.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from psycopg import Connection

from catalog.base import Floats
from catalog.model import SensorAttribute, Threshold, ThresholdRule
from catalog.sensors import sensor
from forecasts.core.warnings import SAFE_HOURS, Limit, Standing, Step, Warned, chances, decide
from forecasts.groups import Group
from forecasts.history import HOUR, History

LEAST_VERIFIED = 20
MOST_FALSE = 0.5
RECORD = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Record:
    """What came of the warnings of one level of a rule: their number, and what it says of skill.

    ``brier`` is the mean of (chance said − what came)²; ``skill`` how much smaller it is than that
    of saying nothing at all.
    """

    hits: int
    not_come: int
    brier: float

    @property
    def skill(self) -> float:
        """Return 1 − Brier score / that of a chance of 0; NaN without a hit."""
        ended = self.hits + self.not_come
        return 1 - self.brier / (self.hits / ended) if self.hits else float("nan")

    @property
    def on_trial(self) -> bool:
        """Tell whether nobody is to be told yet: too few, too many false, or no skill."""
        ended = self.hits + self.not_come
        if ended < LEAST_VERIFIED or self.not_come > MOST_FALSE * ended:
            return True
        return not self.skill > 0


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


def warn(
    conn: Connection, group: Group, end: datetime, ids: list[int], history: History, said: Floats
) -> int:
    """Raise, end and verify the warnings of a group at ``end``; return how many changed.

    ``said`` are the quantiles just issued ``[series, leads, 5]``. Called once an issue, in its
    transaction.
    """
    leads_h, changed = group.spec.leads, 0
    limits = limits_of(group, history.subjects, end.date())
    if not limits:
        return 0
    standing = {
        (series, rule, severity): Standing(expected is not None and end > expected)
        for series, rule, severity, expected in conn.execute(
            "SELECT series, rule, severity, expected_at FROM forecast_warnings"
            " WHERE outcome = 'open' AND series = ANY(%s)",
            [ids],
        ).fetchall()
    }
    for limit in limits:
        trial: bool | None = None
        chance = chances(said, limit.values[:, None], upwards=limit.upwards)
        for n in np.flatnonzero(np.isfinite(limit.values)):
            own, key = float(limit.values[n]), (ids[n], limit.rule, limit.severity)
            recent = history.panel.values[n, -SAFE_HOURS - 1 :]
            step = decide(recent, chance[n], leads_h, limit, own, standing.get(key))
            if step is None:
                continue
            if trial is None:
                trial = record_of(conn, limit.rule, limit.severity, end).on_trial
            _write(conn, key, own, end, step, trial)
            changed += 1
    return changed


def record_of(conn: Connection, rule: str, severity: int, until: datetime) -> Record:
    """Return what came of a level's warnings of the year before ``until``, of backtests too."""
    row = conn.execute(
        "SELECT count(*) FILTER (WHERE outcome = 'hit'),"
        " count(*) FILTER (WHERE outcome IN ('false', 'withdrawn')),"
        " coalesce(avg((chance - (outcome = 'hit')::int) ^ 2), 0) FROM forecast_warnings"
        " WHERE rule = %s AND severity = %s AND raised_at >= %s AND ended_at <= %s"
        " AND outcome IN ('hit', 'false', 'withdrawn')",
        [rule, severity, until - RECORD, until],
    ).fetchone()
    assert row is not None
    return Record(*row)


def save_replayed(conn: Connection, ids: list[int], found: list[Warned], begin: datetime) -> int:
    """Store the warnings of a backtest as its own, where no live one stands; return how many."""

    def at(step: int | None) -> datetime | None:
        return None if step is None else begin + step * HOUR

    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at, chance,"
            " expected_at, ended_at, outcome, crossed_at, origin)"
            " SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'backtest'"
            " WHERE NOT EXISTS (SELECT 1 FROM forecast_warnings WHERE series = %s AND rule = %s"
            " AND severity = %s AND origin = 'live' AND raised_at <= %s) ON CONFLICT DO NOTHING",
            [
                (
                    *(ids[w.series], w.limit.rule, w.limit.severity),
                    *(float(w.limit.values[w.series]), at(w.raised), w.chance, at(w.expected)),
                    *(at(w.ended), w.outcome, at(w.crossed)),
                    *(ids[w.series], w.limit.rule, w.limit.severity, at(w.raised)),
                )
                for w in found
            ],
        )
        return cursor.rowcount


def _write(
    conn: Connection,
    key: tuple[int, str, int],
    own: float,
    end: datetime,
    step: Step,
    on_trial: bool,
) -> None:
    now = end - HOUR  # the newest hour that is over
    if step.outcome in ("open", "miss"):
        missed = step.outcome == "miss"
        conn.execute(
            "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at, chance,"
            " expected_at, ended_at, outcome, crossed_at, on_trial)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                *(*key, own, end, None if missed else step.chance),
                None if missed else end + (step.lead_h - 1) * HOUR,
                *(end if missed else None, step.outcome, now if missed else None, on_trial),
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
