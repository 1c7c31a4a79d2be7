"""When a group is called off, and when it is normal again: one hour after the other. Pure.

Weekly (daily while history is short) the model is made anew of the last eight weeks, without the
hours under alarm. If the new one finds nothing in them, the alert is withdrawn. What lasts for a
week is no event but the new normal (a sensor was replaced, a level has shifted): it is learned, and
the alert ends.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from catalog.base import Floats
from forecasts.joint.model import (
    LEARN_ROWS,
    Model,
    logs_of,
    smooth,
    smoothed,
    spreads_off,
    train,
)

DAY = 24
HISTORY_H = 56 * DAY
RETRAIN_H, RETRAIN_YOUNG_H = 7 * DAY, DAY
RELEARN_H = 7 * DAY
REACH_H = 2 * DAY
"""Hours looked at again by a new model."""
SILENT_H = DAY
"""An alert of which nothing can be said for so long ends."""

Move = Literal["raised", "changed", "cleared", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Usual spreads from which each severity (1 red … 4 blue) holds, and the deadband."""

    levels: tuple[tuple[int, float], ...]
    deadband: float

    @property
    def least(self) -> float:
        """Return where the alert begins."""
        return min(value for _, value in self.levels)

    def severity(self, spreads: float, now: int) -> int:
        """Return the severity at so many spreads while ``now`` holds; 0 = none."""
        held = [
            level
            for level, value in self.levels
            if spreads >= (value - self.deadband if now and level >= now else value)
        ]
        return min(held, default=0)

    def limit(self, severity: int) -> float:
        """Return the limit of a severity."""
        return dict(self.levels)[severity]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of a group between two hours; hours are counted from one beginning."""

    trained: int | None = None
    """The hour up to which the model has learned."""
    log: float = float("nan")
    severity: int = 0
    raised: int = 0
    heard: int = 0
    """The newest hour of which something could be said."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one hour; ``spreads`` NaN while learning or with too few signals."""

    standing: Standing
    spreads: float
    move: Move | None = None
    reason: str = ""
    severity: int = 0
    previous: int = 0


@dataclass
class Group:
    """One group's hours ``[T, n]``, which of them lay under alarm, its model and standing."""

    values: Floats
    alarmed: np.ndarray
    limits: Limits
    model: Model | None = None
    standing: Standing = field(default_factory=Standing)

    def hour(self, now: int) -> list[Verdict]:
        """Judge the hour ``now``, all before being known; return one verdict, or two of them.

        The first is then of the hours before, which a new model sees otherwise.
        """
        verdicts = [v for v in [self._learn(now)] if v is not None]
        verdicts.append(self._judge(now))
        self.standing = verdicts[-1].standing
        return verdicts

    def _learn(self, now: int) -> Verdict | None:
        begin = max(0, now - HISTORY_H)
        at, lasts = self.standing, self._lasts(now)
        if not self.is_due(now):
            return None
        if lasts:
            self.alarmed[at.raised : now] = False
        fresh = train(self.values[begin:now], ~self.alarmed[begin:now])
        if fresh is None:
            return None
        self.model = fresh
        since = at.raised if at.severity else now
        again = max(0, since - REACH_H)
        logs = smoothed(logs_of(fresh, self.values[again:now]))
        self.standing = replace(at, trained=now, log=float(logs[-1]) if len(logs) else at.log)
        return self._disowned(fresh, logs[since - again :], lasts) if at.severity else None

    def _disowned(self, fresh: Model, logs: Floats, lasts: bool) -> Verdict | None:
        """Return the end of an alert in which the new model sees nothing."""
        known = logs[np.isfinite(logs)]
        if not len(known):
            return None
        seen = known[-1] if lasts else known.max()
        spreads, severity = spreads_off(fresh, float(seen)), self.standing.severity
        bar = self.limits.least - (self.limits.deadband if lasts else 0.0)
        if spreads >= bar:
            return None
        move, reason = ("cleared", "relearned") if lasts else ("withdrawn", "retrained")
        self.standing = replace(self.standing, severity=0)
        return Verdict(self.standing, spreads, move, reason, severity, severity)

    def _lasts(self, now: int) -> bool:
        return bool(self.standing.severity) and now - self.standing.raised >= RELEARN_H

    def is_due(self, now: int) -> bool:
        """Tell whether a new model is to be made before this hour is judged."""
        trained = self.standing.trained
        if self.model is None or trained is None:
            return now >= LEARN_ROWS
        if self.standing.severity and now - self.standing.raised < DAY:
            return False  # a model made while an event begins would learn its first hours
        young = self._lasts(now) or self.model.rows < 2 * LEARN_ROWS
        return now - trained >= (RETRAIN_YOUNG_H if young else RETRAIN_H)

    def _judge(self, now: int) -> Verdict:
        at, model = self.standing, self.model
        if model is None:
            return Verdict(at, float("nan"))
        hours = self.values[max(0, now - 1) : now + 1]
        log = float(logs_of(model, hours)[-1])
        at = replace(at, log=smooth(at.log, log))
        if not np.isfinite(log):
            self.alarmed[now] = bool(at.severity)
            return self._unheard(now, at)
        at = replace(at, heard=now)
        spreads = spreads_off(model, at.log)
        severity = self.limits.severity(spreads, at.severity)
        self.alarmed[now] = severity > 0
        if severity == at.severity:
            return Verdict(at, spreads, severity=severity)
        if not at.severity:
            then = replace(at, severity=severity, raised=now)
            return Verdict(then, spreads, "raised", "", severity, 0)
        move: Move = "changed" if severity else "cleared"
        then = replace(at, severity=severity)
        return Verdict(then, spreads, move, "", severity or at.severity, at.severity)

    def _unheard(self, now: int, at: Standing) -> Verdict:
        if not at.severity or now - at.heard < SILENT_H:
            return Verdict(at, float("nan"), severity=at.severity)
        then = replace(at, severity=0)
        return Verdict(then, float("nan"), "cleared", "unheard", at.severity, at.severity)


@dataclass(frozen=True, slots=True)
class Found:
    """One episode of a walk, in hours; ``end`` None = still open."""

    raised: int
    end: int | None
    kind: Literal["open", "cleared", "withdrawn"]
    peak: float


def walk(values: Floats, limits: Limits) -> tuple[Floats, list[Found]]:
    """Return what is said of hours ``[T, n]``, from the first on: spreads ``[T]``, episodes."""
    group = Group(values, np.zeros(len(values), bool), limits)
    spreads, found, peak = np.full(len(values), np.nan), list[Found](), 0.0
    for now in range(len(values)):
        for verdict in group.hour(now):
            spreads[now] = verdict.spreads
            peak = verdict.spreads if verdict.move == "raised" else max(peak, verdict.spreads)
            if verdict.move in ("cleared", "withdrawn"):
                found.append(Found(verdict.standing.raised, now, verdict.move, peak))
    if group.standing.severity:
        found.append(Found(group.standing.raised, None, "open", peak))
    return spreads, found
