"""Parts of one alert as table rows and facts."""

from datetime import datetime
from typing import Any

from alerts.delivery.log import Delivery
from alerts.episode.models import Act, Alert
from catalog.model import (
    STREAM_SUBJECT,
)
from catalog.registry import streams
from catalog.unusual import SPREADS
from console.dossier import Dossier
from console.history import Row
from console.marks import (
    duration,
    level_mark,
    local_time,
    number,
    shown_value,
    state_mark,
)
from console.rows import (
    alert_status,
    district_title,
    incident_title,
    sensor_link,
    subject_link,
    where_title,
)
from console.texts import Words
from console.widgets.facts import Fact


def alert_facts(words: Words, found: Dossier, now: datetime) -> list[Fact]:
    """Return what is known at a glance."""
    alert, sensor = found.alert, found.sensor
    decimals = _decimals(found)
    subject = subject_link(words, alert.stream, alert.sensor, sensor or {})
    linked = sensor is not None or alert.sensor == STREAM_SUBJECT
    place = " ".join(
        filter(None, [district_title(words, sensor["district"]), sensor["street"]])
        if sensor
        else []
    )
    end = alert.cleared_at or now
    shelved = ""
    if alert.shelved_until and alert.shelved_until > now:
        shelved = f"{local_time(alert.shelved_until)} · {alert.shelved_by} · {alert.shelve_reason}"
    stream: Any = alert.stream
    if found.stream:
        stream = {"text": words.of(found.stream.title), "href": f"/streams/{alert.stream}"}
    return [
        (words("alerts.status"), alert_status(words, alert)),
        (words("alert.peak"), level_mark(words, alert.peak_severity)),
        (words("alerts.value"), _told(words, alert, alert.value, decimals)),
        (words("alerts.limit"), _told(words, alert, alert.threshold, decimals)),
        (words("alerts.raised"), local_time(alert.raised_at)),
        (words("alerts.cleared"), local_time(alert.cleared_at) if alert.cleared_at else ""),
        (words("alert.lasted"), duration(words, (end - alert.raised_at).total_seconds())),
        (words("alert.sensor"), subject if linked else subject["text"]),
        (words("alert.district"), place),
        (words("alert.stream"), stream),
        (
            words("alert.incident"),
            [
                {"text": incident_title(words, i), "href": f"/incidents/{i.id}"}
                for i in found.incidents
            ],
        ),
        (words("alerts.acked"), _said(alert.acked_by, alert.acked_at, alert.ack_note)),
        (words("alerts.assignee"), alert.assignee or ""),
        (words("alert.shelved"), shelved),
    ]


def _decimals(found: Dossier) -> int:
    alert = found.alert
    if alert.unit == SPREADS:
        return 1
    return found.stream.quantity(alert.metric).decimals if found.stream and alert.metric else 0


def alert_place(words: Words, found: Dossier) -> str:
    """Return where an alert is, for its heading: street and sensor, or the whole stream."""
    alert, sensor = found.alert, found.sensor or {}
    name = where_title(words, alert.stream, alert.sensor, sensor)
    street = sensor.get("street") or ""
    return f"{name}（{street}）" if street and words.language == "zh" else name


def timeline_rows(words: Words, found: Dossier) -> list[dict[str, Any]]:
    """Return transitions, acts and deliveries in order, newest first."""
    alert = found.alert
    decimals = _decimals(found)
    rows = []
    for t in found.page.transitions:
        level = level_mark(words, t.severity)
        rows.append(
            {
                "id": t.id,
                "at": t.observed_at.isoformat(),
                "level": level,
                "text": words(f"alert.kind_{t.kind}"),
                "value": _told(words, alert, t.value, decimals),
                "who": words("alert.rule_engine"),
                "delay": duration(words, max(0, (t.recorded_at - t.observed_at).total_seconds())),
            }
        )
    for act in found.page.acts:
        said = f"{words(f'alert.act_{act.act}')} {act_note(act)}".strip()
        rows.append({"id": f"act-{act.id}", "at": act.at.isoformat(), "text": said, "who": act.who})
    rows += [
        {
            "id": f"told-{d.id}",
            "at": d.delivered_at.isoformat(),
            "text": f"{words('alert.state_delivered')} → {d.receiver}",
            "who": d.receiver,
        }
        for d in found.deliveries
        if d.delivered_at
    ]
    return sorted(rows, key=lambda row: row["at"], reverse=True)


def act_note(act: Act) -> str:
    """Return what was noted with an act; a moment that begins it in the city's time."""
    first, _, rest = act.note.partition(" ")
    try:
        at = datetime.fromisoformat(first)
    except ValueError:
        return act.note
    return f"{local_time(at)} {rest}".strip() if at.tzinfo else act.note


def delivery_rows(words: Words, deliveries: list[Delivery]) -> list[dict[str, Any]]:
    """Return messages about an alert."""
    return [
        {
            "id": d.id,
            "receiver": d.receiver,
            "message": d.headline or d.kind,
            "state": words(f"alert.state_{d.state}"),
            "attempts": number(words, d.attempts, "", 0),
            "delivered": d.delivered_at.isoformat() if d.delivered_at else None,
            "error": d.last_error or "",
        }
        for d in deliveries
    ]


def past_rows(words: Words, past: list[Alert], now: datetime) -> list[dict[str, Any]]:
    """Return earlier alerts."""
    found = []
    for alert in past:
        level = level_mark(words, alert.peak_severity)
        lasted = (alert.cleared_at or now) - alert.raised_at
        found.append(
            {
                "id": alert.id,
                "level": level,
                "raised": {"text": local_time(alert.raised_at), "href": f"/alerts/{alert.id}"},
                "lasted": duration(words, lasted.total_seconds()),
                "acked": alert.acked_by or "",
            }
        )
    return found


def _told(words: Words, alert: Alert, value: float | None, decimals: int) -> Any:
    return shown_value(words, alert.stream, alert.metric, value, alert.unit, decimals)


def relative_rows(words: Words, relatives: list[Row], sensors: list[Row]) -> list[dict[str, Any]]:
    """Return what feeds a sensor and what it feeds, with their states."""
    states = {(row["stream"], row["sensor"]): row["state"] for row in sensors}
    return [
        {
            "id": f"{row['stream']}/{row['sensor']}",
            "role": words(f"alert.role_{row['role']}"),
            "sensor": sensor_link(words, row),
            "state": _state(words, states.get((row["stream"], row["sensor"]))),
        }
        for row in relatives
    ]


def near_rows(words: Words, around: list[Row]) -> list[dict[str, Any]]:
    """Return sensors around, with state, value and distance."""
    return [
        {
            "id": f"{row['stream']}/{row['sensor']}",
            "sensor": sensor_link(words, row),
            "state": state_mark(words, row["state"]),
            "quantity": headline_title(words, row["stream"]),
            "value": number(words, row["value"], row["unit"], row["decimals"]),
            "km": {"text": f"{row['km']:.1f}", "unit": "km", "sort": row["km"]},
        }
        for row in around
    ]


def headline_title(words: Words, stream: str) -> str:
    """Return the quantity that stands for a stream."""
    declared = streams().get(stream)
    return words.of(declared.quantity(declared.headline).title) if declared else ""


def _state(words: Words, state: str | None) -> dict[str, Any] | None:
    return state_mark(words, state) if state else None


def _said(who: str | None, at: datetime | None, note: str | None) -> str:
    return " · ".join(filter(None, [who, local_time(at) if at else "", note]))
