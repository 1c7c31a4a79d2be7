"""The rule-owned half of an episode: what the worker's transitions make of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts.episode.again import raised_again
from alerts.episode.explanations import COLUMN
from alerts.episode.lapse import lapse_acknowledgement
from alerts.episode.moving import whereabouts
from alerts.episode.unusual import explain_unusual
from alerts.event.events import Event, Told, alert_event
from alerts.event.labels import Labels
from alerts.settings import AlertSettings
from catalog.contracts import Transition
from catalog.model import Flap
from catalog.registry import concern_of, find_rule

STATE = (
    "raised_at, peak_severity, flapping, status, labels, annotations, shelved_until, "
    + COLUMN.format("episodes")
)
TRANSITION = (
    "id, episode, rule, stream, sensor, kind, severity, previous, metric, value, threshold,"
    " observed_at, produced_at, confidence, reason"
)
NO_TRAITS = (False, Flap())


@dataclass(frozen=True, slots=True)
class Origin:
    """What an alert from elsewhere brings along; nothing for one of our own rules."""

    labels: Labels
    annotations: dict[str, str]
    expires_at: datetime | None


OURS = Origin({}, {}, None)


@dataclass(frozen=True, slots=True)
class Change:
    """A transition that was applied, and the episode after it."""

    transition: Transition
    told: Told
    shelved_until: datetime | None

    def event(self, settings: AlertSettings, **more: Any) -> Event:
        """Return what there is to tell of it."""
        exercise = not settings.is_actual(self.transition.stream)
        return alert_event(self.transition, self.told, exercise=exercise, **more)


def apply(conn: Connection, t: Transition, origin: Origin = OURS) -> Change | None:
    """Apply one transition; None when there is nothing to tell of it.

    So it is when it was recorded before, when its sensor is retired, or when its episode was
    ended here before its rule did. ``UniqueViolation`` when another episode of the same rule and
    subject is open.
    """
    marks = ", ".join(["%s"] * 15)
    done = conn.execute(
        f"INSERT INTO transitions ({TRANSITION}) VALUES ({marks}) ON CONFLICT DO NOTHING".encode(),
        [
            *(t.id, t.episode, t.rule, t.stream, t.sensor, t.kind, t.severity, t.previous),
            *(t.metric, t.value, t.threshold, t.observed_at, t.produced_at),
            *(t.confidence, t.reason),
        ],
    )
    if done.rowcount == 0:
        return None
    explain_unusual(conn, t)
    row = _apply_to_episode(conn, t, origin)
    if row is None:
        again = raised_again(conn, t) if t.kind != "raised" else None
        return apply(conn, again, origin) if again else None
    told = Told(
        raised_at=row["raised_at"],
        peak_severity=row["peak_severity"],
        flapping=row["flapping"],
        latched=row["status"] == "latched",
        labels=row["labels"],
        annotations=row["annotations"],
        explanation=row["explanation"],
    )
    return Change(t, told, row["shelved_until"])


def current(conn: Connection, episode: str) -> Change | None:
    """Return an open episode as if its newest transition had just been applied."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            f"SELECT {STATE} FROM episodes WHERE id = %s AND cleared_at IS NULL".encode(), [episode]
        ).fetchone()
        newest = cursor.execute(
            f"SELECT {TRANSITION} FROM transitions WHERE episode = %s"
            " ORDER BY recorded_at DESC, observed_at DESC LIMIT 1".encode(),
            [episode],
        ).fetchone()
    if row is None or newest is None:
        return None
    shelved, status = row.pop("shelved_until"), row.pop("status")
    told = Told(**row, latched=status == "latched")
    return Change(Transition(**newest), told, shelved)


def _apply_to_episode(conn: Connection, t: Transition, origin: Origin) -> dict[str, Any] | None:
    latch, flap = _traits(t)
    values = {
        **{name: getattr(t, name) for name in Transition.__struct_fields__},
        "latch": latch,
        "flap_changes": flap.changes,
        "flap_window": flap.window_s,
        "labels": Jsonb(origin.labels | whereabouts(conn, t)),
        "annotations": Jsonb(origin.annotations),
        "expires_at": origin.expires_at,
        "concern": concern_of(t.rule),
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(f"{_STATEMENT[t.kind]} RETURNING {STATE}".encode(), values).fetchone()
    if row and t.kind == "changed":
        lapse_acknowledgement(conn, "episodes", t.episode, t.severity)
    if row is None and t.kind != "raised" and not _is_known(conn, t.episode):
        return _unknown(t)
    return row


def _is_known(conn: Connection, episode: str) -> bool:
    return bool(conn.execute("SELECT 1 FROM episodes WHERE id = %s", [episode]).fetchone())


def _traits(t: Transition) -> tuple[bool, Flap]:
    rule = find_rule(t.rule)
    return (rule.latch, rule.flap) if rule else NO_TRAITS


def _unknown(t: Transition) -> dict[str, Any]:
    """Stand in for an episode that is not open here: told all the same, never lost."""
    empty = {"labels": {}, "annotations": {}, "shelved_until": None, "status": "cleared"}
    empty |= {"explanation": None}
    return empty | {
        "raised_at": t.observed_at,
        "peak_severity": t.severity,
        "flapping": False,
    }


_FLAPPING = (
    "(SELECT count(*) FROM transitions WHERE rule = %(rule)s AND sensor = %(sensor)s"
    " AND kind IN ('raised', 'changed') AND observed_at > %(observed_at)s::timestamptz"
    " - make_interval(secs => %(flap_window)s)) >= %(flap_changes)s"
)
_STATEMENT = {
    "raised": (
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at, latch, flapping, confidence, reason, labels,"
        " annotations, expires_at, concern) SELECT %(episode)s, %(rule)s, %(stream)s, %(sensor)s,"
        " 'active', %(severity)s, %(severity)s, %(metric)s, %(value)s, %(threshold)s,"
        f" %(observed_at)s, %(observed_at)s, %(latch)s, {_FLAPPING}, %(confidence)s, %(reason)s,"
        " %(labels)s::jsonb, %(annotations)s::jsonb, %(expires_at)s::timestamptz, %(concern)s"
        " WHERE NOT EXISTS (SELECT 1 FROM sensors"
        " WHERE stream = %(stream)s AND sensor = %(sensor)s AND status = 'retired')"
    ),
    "changed": (
        "UPDATE episodes SET severity = %(severity)s,"
        " peak_severity = least(peak_severity, %(severity)s), value = %(value)s,"
        f" threshold = %(threshold)s, changed_at = %(observed_at)s, flapping = {_FLAPPING},"
        # what falls is as sure as it was, also by a person or another signal
        " confidence = CASE WHEN %(severity)s > severity THEN confidence ELSE %(confidence)s END,"
        " reason = CASE WHEN %(severity)s > severity THEN reason ELSE %(reason)s END"
        " WHERE id = %(episode)s AND cleared_at IS NULL"
    ),
    "confirmed": (
        "UPDATE episodes SET value = %(value)s, threshold = %(threshold)s,"
        " changed_at = %(observed_at)s, confidence = 'confirmed', reason = ''"
        " WHERE id = %(episode)s AND cleared_at IS NULL AND confidence = 'unconfirmed'"
    ),
    "withdrawn": (
        "UPDATE episodes SET status = 'withdrawn', cleared_at = %(observed_at)s,"
        " changed_at = %(observed_at)s, cleared_recorded_at = clock_timestamp(),"
        " confidence = 'unconfirmed', reason = %(reason)s"
        " WHERE id = %(episode)s AND cleared_at IS NULL"
    ),
    "cleared": (
        "UPDATE episodes SET status = CASE WHEN latch AND acked_at IS NULL THEN 'latched'"
        " ELSE 'cleared' END, cleared_at = %(observed_at)s, changed_at = %(observed_at)s,"
        " cleared_recorded_at = clock_timestamp(),"
        # one that did not end by itself says why
        " reason = CASE WHEN %(confidence)s = 'confirmed' AND %(reason)s <> ''"
        " THEN %(reason)s ELSE reason END"
        " WHERE id = %(episode)s AND cleared_at IS NULL"
    ),
}
