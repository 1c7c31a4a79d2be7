"""What is decided of an open alert, as a transition like the rule's own."""

from datetime import datetime
from typing import Any

from alerts.episode.models import Alert
from catalog.contracts import Kind, Transition


def decided(alert: Alert, kind: Kind, named: str, now: datetime, **more: Any) -> Transition:
    """Return the transition by which an alert is ended, confirmed or withdrawn at its level.

    ``named`` stands in its id.
    """
    return Transition(
        id=f"{alert.id}/{named}/{int(now.timestamp() * 1_000_000)}",
        episode=alert.id,
        rule=alert.rule,
        stream=alert.stream,
        sensor=alert.sensor,
        kind=kind,
        severity=alert.severity,
        metric=alert.metric,
        value=alert.value,
        threshold=alert.threshold,
        observed_at=max(now, alert.raised_at),
        produced_at=now,
        **more,
    )
