"""Early warnings of the forecasts as alerts: raised, changed and ended as their table says.

Of a rule's levels that stand for a sensor the worst is told, a level milder than what is expected.
It ends as *cleared* when what was expected has come (the rule's own alert is there by then), as
*withdrawn* when it was taken back, did not come, or nobody can tell. Warnings on trial are left
alone. All state is in the database: a restart tells nothing twice and forgets nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import Connection
from psycopg.rows import class_row
from pydantic import BaseModel

from alerts.episode.episodes import Change, Origin, apply
from alerts.routing.notify import Notifier
from alerts.settings import AlertSettings
from alerts.sources.dispatch import settle
from catalog.contracts import Transition
from catalog.early import LABEL, SUFFIX, early_rule, milder
from catalog.registry import early_rules, streams
from catalog.site import zone

REASONS = {
    "hit": "came",
    "withdrawn": "taken_back",
    "false": "stayed_away",
    "void": "unverified",
}


class Expected(BaseModel):
    """The worst warning that stands of a rule and sensor."""

    id: int
    stream: str
    sensor: str
    metric: str
    rule: str
    severity: int
    limit_value: float
    chance: float
    expected_at: datetime
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Firing:
    """An early warning's alert that is open."""

    episode: str
    stream: str
    severity: int
    metric: str


_STANDING = """
SELECT DISTINCT ON (w.rule, s.subject) w.id, s.stream, s.subject AS sensor, s.metric, w.rule,
       w.severity, w.limit_value, w.chance, w.expected_at, w.raised_at
FROM forecast_warnings w JOIN forecast_series s ON s.id = w.series
WHERE w.outcome = 'open' AND NOT w.on_trial AND w.origin = 'live' AND s.level = 'sensor'
ORDER BY w.rule, s.subject, w.severity
"""
_FIRING = (
    "SELECT rule, sensor, id, stream, severity, metric FROM episodes"
    " WHERE labels ->> %s = 'true' AND rule = ANY(%s) AND cleared_at IS NULL"
)
_ENDED = """
SELECT w.outcome, w.ended_at FROM forecast_warnings w JOIN forecast_series s ON s.id = w.series
WHERE s.stream = %s AND s.subject = %s AND w.rule = %s AND w.outcome NOT IN ('open', 'miss')
  AND NOT w.on_trial
ORDER BY w.ended_at DESC, (w.outcome = 'hit') DESC LIMIT 1
"""


def tell_early(conn: Connection, notifier: Notifier, settings: AlertSettings, now: datetime) -> int:
    """Bring all alerts to what stands in the table; return how many changed."""
    with conn.cursor(row_factory=class_row(Expected)) as cursor:
        standing = cursor.execute(_STANDING.encode()).fetchall()
    wanted = {
        (early_rule(w.rule), w.sensor): w for w in standing if early_rule(w.rule) in early_rules()
    }
    rows = conn.execute(_FIRING, [LABEL, list(early_rules())]).fetchall()
    firing = {(rule, sensor): Firing(*rest) for rule, sensor, *rest in rows}
    changes: list[Change | None] = []
    for (rule, sensor), warning in wanted.items():
        known = firing.get((rule, sensor))
        if known is None:
            changes.append(_raise(conn, rule, warning, now))
        elif known.severity != milder(warning.severity):
            changes.append(_change(conn, known, rule, warning, now))
    for key in firing.keys() - wanted.keys():
        changes.append(_end(conn, key, firing[key], now))
    found = [change for change in changes if change]
    settle(conn, found, notifier, settings, now)
    return len(found)


def _raise(conn: Connection, rule: str, w: Expected, now: datetime) -> Change | None:
    told = _transition(f"{rule}-{w.id}", "raised", rule, w, None, now)
    zh, en = words_of(w)
    words = {"description": zh, "description_en": en}
    return apply(conn, told, Origin({LABEL: "true"}, words, None))


def _change(
    conn: Connection, known: Firing, rule: str, w: Expected, now: datetime
) -> Change | None:
    told = _transition(known.episode, "changed", rule, w, known.severity, now)
    return apply(conn, told)


def _transition(
    episode: str,
    kind: Literal["raised", "changed"],
    rule: str,
    w: Expected,
    before: int | None,
    now: datetime,
) -> Transition:
    return Transition(
        id=f"{episode}/{kind}/{w.id}",
        episode=episode,
        rule=rule,
        stream=w.stream,
        sensor=w.sensor,
        kind=kind,
        severity=milder(w.severity),
        previous=before,
        metric=w.metric,
        threshold=w.limit_value,
        observed_at=now,
        produced_at=now,
        confidence="unconfirmed",
        reason="forecast",
    )


def _end(conn: Connection, key: tuple[str, str], known: Firing, now: datetime) -> Change | None:
    rule, sensor = key
    row = conn.execute(_ENDED, [known.stream, sensor, rule.removesuffix(SUFFIX)]).fetchone()
    outcome = row[0] if row else "withdrawn"
    told = Transition(
        id=f"{known.episode}/ended",
        episode=known.episode,
        rule=rule,
        stream=known.stream,
        sensor=sensor,
        kind="cleared" if outcome == "hit" else "withdrawn",
        severity=known.severity,
        previous=known.severity,
        metric=known.metric,
        observed_at=now,
        produced_at=now,
        reason=REASONS.get(outcome, "taken_back"),
    )
    return apply(conn, told)


def words_of(w: Expected) -> tuple[str, str]:
    """Return what is expected in zh and en: when, which limit, how likely."""
    quantity = streams()[w.stream].quantity(w.metric)
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    limit, chance = f"{w.limit_value:g}{unit}", f"{100 * w.chance:.0f} %"
    at = f"{w.expected_at.astimezone(zone()):%H:%M}"
    return (
        f"预计 {at} 前后{quantity.title.zh}达到限值 {limit}，概率 {chance}",
        f"{quantity.title.en} expected to reach {limit} about {at}, chance {chance}",
    )
