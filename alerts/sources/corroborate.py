"""Corroboration: alerts in doubt that another signal bears out, as their rule declares.

It goes both ways: an alert in doubt is confirmed by what is open already, and whatever is raised
confirms what was in doubt before it. The other signal is another sensor or another quantity, so
that one broken instrument never bears out itself; on the same sensor it must be sure itself.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from psycopg import Connection

from alerts.episode.episodes import Change, apply
from alerts.episode.lapse import ENGINE
from alerts.event.labels import sensor_of
from catalog.contracts import Transition
from catalog.corroboration import Corroboration
from catalog.model import ThresholdRule
from catalog.places import distance_km
from catalog.registry import find_rule, stream_rules

Open = tuple[str, str, str, str, str]
"""An open alert: episode, rule, stream, sensor, confidence."""


def corroborate(conn: Connection, changes: Sequence[Change], now: datetime) -> list[Change]:
    """Confirm what these changes bear out, and those of them that are borne out; return how."""
    found = []
    for change in changes:
        t = change.transition
        if t.kind not in ("raised", "changed", "confirmed"):
            continue
        me: Open = (t.episode, t.rule, t.stream, t.sensor, t.confidence)
        for doubted, other in (*_bears_out(conn, me), *_is_borne_out(conn, me)):
            found.append(_confirm(conn, doubted, other, now))
    return [change for change in found if change]


def _bears_out(conn: Connection, me: Open) -> Iterator[tuple[Open, Open]]:
    """Yield the doubted alerts that this one corroborates."""
    for rule_id in _upon(me[1]):
        for other in _open(conn, [rule_id]):
            if other[4] == "unconfirmed" and _agrees(other, me):
                yield other, me


def _is_borne_out(conn: Connection, me: Open) -> Iterator[tuple[Open, Open]]:
    """Yield this alert with one that corroborates it, if it is in doubt and there is one."""
    wanted = [c.rule for c in _declared(me[1])]
    if me[4] == "unconfirmed" and wanted:
        others = (other for other in _open(conn, wanted) if _agrees(me, other))
        if other := next(others, None):
            yield me, other


def _agrees(doubted: Open, other: Open) -> bool:
    """Tell whether an alert bears out a doubted one: its rule is named, its place is near."""
    if doubted[0] == other[0]:
        return False
    return any(c.rule == other[1] and _near(c, doubted, other) for c in _declared(doubted[1]))


def _near(declared: Corroboration, doubted: Open, other: Open) -> bool:
    if doubted[3] == other[3]:
        # what doubts one value of a sensor may be wrong with all of it
        return doubted[1] != other[1] and other[4] == "confirmed"
    if not declared.within_km:
        return False
    here, there = sensor_of(*doubted[2:4]), sensor_of(*other[2:4])
    if here is None or there is None:
        return False
    return distance_km((here.lon, here.lat), (there.lon, there.lat)) <= declared.within_km


def _declared(rule_id: str) -> tuple[Corroboration, ...]:
    rule = find_rule(rule_id)
    return rule.corroborated_by if isinstance(rule, ThresholdRule) else ()


@cache
def _upon(rule_id: str) -> list[str]:
    """Return the rules that name this one as what corroborates them."""
    return [
        id
        for id, rule in stream_rules().items()
        if isinstance(rule, ThresholdRule) and any(c.rule == rule_id for c in rule.corroborated_by)
    ]


def _open(conn: Connection, rules: list[str]) -> list[Open]:
    return conn.execute(
        "SELECT id, rule, stream, sensor, confidence FROM episodes"
        " WHERE cleared_at IS NULL AND rule = ANY(%s) ORDER BY id",
        [rules],
    ).fetchall()


def _confirm(conn: Connection, doubted: Open, other: Open, now: datetime) -> Change | None:
    """Confirm a doubted alert, once."""
    row = conn.execute(
        "SELECT severity, metric, value, threshold, changed_at, confidence FROM episodes"
        " WHERE id = %s AND cleared_at IS NULL",
        [doubted[0]],
    ).fetchone()
    if row is None or row[5] != "unconfirmed":
        return None
    conn.execute(
        "INSERT INTO episode_acts (episode, who, act, note) VALUES (%s, %s, 'borne_out', %s)",
        [doubted[0], ENGINE, f"{other[1]} {other[3]}"],
    )
    return apply(
        conn,
        Transition(
            id=f"{doubted[0]}/borne-out/{int(now.timestamp() * 1_000_000)}",
            episode=doubted[0],
            rule=doubted[1],
            stream=doubted[2],
            sensor=doubted[3],
            kind="confirmed",
            severity=row[0],
            metric=row[1],
            value=row[2],
            threshold=row[3],
            observed_at=row[4],
            produced_at=now,
        ),
    )
