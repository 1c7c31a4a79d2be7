"""What a rule says when it changes: transitions whose ids depend on the log alone."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from catalog.contracts import Transition
from engine import doubts
from engine.outputs import Outputs, moment
from engine.state import State


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a rule on a sensor; ``at`` is epoch µs, ``doubt`` what is held against the
    alert after it, ``reason`` another one for it."""

    kind: str
    severity: int
    at: int
    value: float | None = None
    doubt: int = 0
    previous: int | None = None
    threshold: float | None = None
    reason: str = ""
    metric: str | None = None


def say(
    state: State, number: int, slot: int, change: Change, produced_at: datetime, out: Outputs
) -> None:
    """Emit a change of a rule (by its number); later than the rule's last one on the sensor."""
    a, rule = state.arrays, state.stream.rules[number]
    at = max(change.at, int(a["r_last"][slot, number]) + 1)
    a["r_last"][slot, number] = at
    if change.kind == "raised":
        a["r_raised"][slot, number] = at
    doubtful = bool(change.doubt) or change.kind == "withdrawn"
    out.transitions.append(
        transition(
            *(state, rule.name, state.names[slot], change.kind, change.severity, change.previous),
            *(int(a["r_raised"][slot, number]), at, produced_at),
            metric=change.metric or getattr(rule, "metric", None),
            value=change.value,
            threshold=change.threshold,
            confidence="unconfirmed" if doubtful else "confirmed",
            reason=change.reason or doubts.reason(change.doubt),
        )
    )


def watch(
    state: State,
    number: int,
    slot: int,
    change: Change,
    produced_at: datetime,
    out: Outputs,
) -> None:
    """Raise or clear a rule that watches over a sensor (by its number), and emit that."""
    state.arrays["r_level"][slot, number] = change.severity if change.kind == "raised" else 0
    say(state, number, slot, change, produced_at, out)


def transition(
    state: State,
    rule: str,
    subject: str,
    kind: str,
    severity: int,
    previous: int | None,
    raised: int,
    at: int,
    produced_at: datetime,
    *,
    metric: str | None = None,
    value: float | None = None,
    threshold: float | None = None,
    stream: str = "",
    confidence: str = "confirmed",
    reason: str = "",
) -> Transition:
    """Return a transition whose ids depend on the log alone (times in epoch µs).

    ``stream`` stands for the state's own where the rule is the platform's.
    """
    stream = stream or state.stream.name
    rule_id = f"{stream}.{rule}"
    episode = _digest(rule_id, subject, raised)
    return Transition(
        id=_digest(episode, kind, severity, at),
        episode=episode,
        rule=rule_id,
        stream=stream,
        sensor=subject,
        kind=kind,  # pyright: ignore[reportArgumentType]
        severity=severity,
        previous=previous,
        metric=metric,
        value=value,
        threshold=threshold,
        observed_at=moment(at),
        produced_at=produced_at,
        confidence=confidence,  # pyright: ignore[reportArgumentType]
        reason=reason,
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:24]
