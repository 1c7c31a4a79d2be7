"""One round of a group in one transaction: learn what is due, judge the hours that are complete.

A round that is killed leaves nothing; one that is run again finds its scores and does nothing. The
row of the group is its lock, so that of two processes one judges it.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from psycopg import Connection

from catalog.contracts import Transition
from catalog.joint import GROUPS, JointRule, joint_rules
from catalog.site import zone
from forecasts.joint import store
from forecasts.joint.explain import explain
from forecasts.joint.groups import Gathered, groups_of
from forecasts.joint.history import HOUR, read
from forecasts.joint.judge import HISTORY_H, REACH_H, Group, Limits, Standing, Verdict
from forecasts.joint.store import Kept
from service.postgres import now_of

CATCH_UP_H = 48
"""Hours that are judged afterwards when nothing ran; of those before, nothing is said any more."""


def due_groups(conn: Connection, end: datetime) -> Iterator[Gathered]:
    """Yield the groups of all joint rules that have not been judged up to ``end``."""
    for rule in joint_rules().values():
        done = store.due(conn, rule.id, end)
        yield from (group for group in groups_of(conn, rule) if group.subject not in done)


def judge_group(conn: Connection, group: Gathered, end: datetime) -> int:
    """Judge the hours of a group that ended by ``end``; return how many. Owns its transaction."""
    with conn.transaction():
        kept = store.lock(conn, group)
        if kept is None or (kept.scored_until is not None and kept.scored_until >= end):
            return 0
        return Round(conn, group, kept, end).run()


def limits_of(rule: JointRule) -> Limits:
    """Return a rule's limits as the pure half takes them."""
    levels = tuple((int(t.severity), float(t.value)) for t in rule.thresholds)  # pyright: ignore[reportArgumentType]
    return Limits(levels, rule.deadband)


class Round:
    """The hours of one group that are to be judged."""

    def __init__(self, conn: Connection, group: Gathered, kept: Kept, end: datetime) -> None:
        self._conn, self._gathered, self._kept, self._end = conn, group, kept, end
        least = end - CATCH_UP_H * HOUR
        self._first = end - HOUR if kept.scored_until is None else max(kept.scored_until, least)
        self._begin = self._first - (HISTORY_H + REACH_H) * HOUR
        self._whole = False
        self._group = self._load(self._first - REACH_H * HOUR)
        self._version = kept.version

    def run(self) -> int:
        """Judge hour by hour; return how many."""
        hours = round((self._end - self._first) / HOUR)
        for number in range(hours):
            self._hour(self._first + number * HOUR)
        self._save()
        return hours

    def _load(self, since: datetime) -> Group:
        """Return the group with its hours since then; those before are not there."""
        signals = self._gathered.signals
        values = np.full((round((self._end - self._begin) / HOUR), len(signals)), np.nan)
        values[self._step(since) :] = read(self._conn, signals, since, self._end)
        alarmed = np.zeros(len(values), bool)
        for hour in store.alarmed_hours(self._conn, self._kept.id, self._begin):
            alarmed[self._step(hour)] = True
        model = store.load_model(self._conn, self._kept, signals)
        limits = limits_of(self._gathered.rule)
        return Group(values, alarmed, limits, model, self._standing())

    def _standing(self) -> Standing:
        kept = self._kept
        return Standing(
            None if kept.trained_until is None else self._step(kept.trained_until),
            math.nan if kept.log is None else kept.log,
            kept.severity,
            0 if kept.raised_at is None else self._step(kept.raised_at),
            0 if kept.heard_at is None else self._step(kept.heard_at),
        )

    def _step(self, hour: datetime) -> int:
        return round((hour - self._begin) / HOUR)

    def _hour(self, hour: datetime) -> None:
        now, group = self._step(hour), self._group
        before = group.model
        if group.is_due(now):
            self._read_all()
        verdicts = group.hour(now)
        if group.model is not None and group.model is not before:
            self._version += 1
            names = [signal.name for signal in self._gathered.signals]
            store.save_model(self._conn, self._kept.id, self._version, hour, group.model, names)
        for verdict in verdicts:
            self._say(verdict, hour)
        last = verdicts[-1]
        store.save_score(
            *(self._conn, self._kept.id, hour, self._version, last.spreads),
            bool(group.alarmed[now]),
        )

    def _read_all(self) -> None:
        if not self._whole:
            self._whole = True
            signals = self._gathered.signals
            self._group.values[:] = read(self._conn, signals, self._begin, self._end)

    def _say(self, verdict: Verdict, hour: datetime) -> None:
        if verdict.move is None:
            return
        raised = self._begin + verdict.standing.raised * HOUR
        if verdict.reason == "relearned":
            store.learn_again(self._conn, self._kept.id, raised)
        why = None
        if verdict.move in ("raised", "changed"):
            self._read_all()
            zone_ = zone()
            why = explain(self._group, self._step(hour), self._begin, self._gathered.signals, zone_)
        told = self._transition(verdict, hour, raised)
        store.enqueue(self._conn, told, self._gathered.district, why)

    def _transition(self, verdict: Verdict, hour: datetime, raised: datetime) -> Transition:
        assert verdict.move is not None
        episode = f"{self._gathered.subject}-{raised.timestamp():.0f}"
        known = math.isfinite(verdict.spreads)
        return Transition(
            id=f"{episode}/{verdict.move}/{hour.timestamp():.0f}",
            episode=episode,
            rule=self._gathered.rule.id,
            stream=GROUPS,
            sensor=self._gathered.subject,
            kind=verdict.move,
            severity=verdict.severity,
            previous=verdict.previous or None,
            value=round(verdict.spreads, 2) if known else None,
            threshold=self._group.limits.limit(verdict.severity),
            observed_at=hour + HOUR,
            produced_at=now_of(self._conn),
            reason=verdict.reason,
        )

    def _save(self) -> None:
        at, group = self._group.standing, self._group
        hour = lambda step: self._begin + timedelta(hours=step)  # noqa: E731
        heard = bool(np.isfinite(self._group.values[-CATCH_UP_H // 2 :]).any())
        state = "learning" if group.model is None else "ready" if heard else "stale"
        store.save(
            self._conn,
            replace(
                self._kept,
                status=state,
                version=self._version,
                trained_until=None if at.trained is None else hour(at.trained),
                scored_until=self._end,
                heard_at=hour(at.heard) if at.heard else None,
                log=at.log if math.isfinite(at.log) else None,
                severity=at.severity,
                raised_at=hour(at.raised) if at.severity else None,
            ),
        )
        store.forget(self._conn, self._kept.id, self._end)


def end_forgotten(conn: Connection, end: datetime) -> int:
    """End the alerts of groups that nobody judges any more: their rule or sensors are gone."""
    with conn.transaction():
        rows = conn.execute(
            "UPDATE joint_groups g SET severity = 0, status = 'retired' FROM joint_groups old"
            " WHERE g.id = old.id AND old.severity > 0 AND old.scored_until < %s"
            " RETURNING g.rule, g.subject, g.district, old.severity, old.raised_at",
            [end - CATCH_UP_H * HOUR],
        ).fetchall()
        for rule, subject, district, severity, raised in rows:
            episode = f"{subject}-{raised.timestamp():.0f}"
            told = Transition(
                id=f"{episode}/cleared/{end.timestamp():.0f}",
                episode=episode,
                rule=rule,
                stream=GROUPS,
                sensor=subject,
                kind="cleared",
                severity=severity,
                previous=severity,
                observed_at=end,
                produced_at=now_of(conn),
                reason="unheard",
            )
            store.enqueue(conn, told, district, None)
    return len(rows)
