"""What happens to alerts by the passing of time: groups fall due, silences end, nobody answers.

All state is in the database, each step is one transaction, so a restart changes nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import Counter
from psycopg import Connection

from alerts.delivery.links import links_of
from alerts.delivery.outbox import lock_writers
from alerts.episode.episodes import current
from alerts.event.events import Event
from alerts.incident.correlate import folded_under
from alerts.incident.course import assess, stale_incidents
from alerts.incident.events import incident_event
from alerts.incident.parents import gather
from alerts.incident.queries import open_incident
from alerts.incident.tasks import keep_tasks
from alerts.routing.notify import Notifier
from alerts.routing.routes import Routes
from alerts.routing.silences import hiding, silences_at
from alerts.routing.stuck import tell_stuck
from alerts.settings import AlertSettings
from alerts.sources.early import tell_early
from alerts.sources.ending import end_retired
from alerts.sources.external import expire
from alerts.sources.joint import take_joint
from alerts.sources.log_watch import watch_log
from alerts.sources.records import notify_records
from alerts.sources.stalled import Judging
from alerts.wake import wake_screens
from service.postgres import now_of
from service.reconnecting import keep_connected
from service.vitals import Vitals

TICK_S = 0.5
PIECE = 50
"""So much is done in one transaction: what has just been raised passes between two of them."""
FEW = 10
"""Tasks are given in smaller pieces, one a tick: each is several rows, and alerts go first."""
ROUNDS = 20
MOST_HELD = 5000
ESCALATED = Counter("cityops_alerts_escalations", "Escalation steps that ended", ["outcome"])


@dataclass(slots=True)
class Keeper:
    """The timers, each a step that a test can take by itself."""

    settings: AlertSettings
    notifier: Notifier
    judging: Judging = field(default_factory=Judging)

    def steps(self) -> tuple[Callable[[Connection, datetime], int], ...]:
        """Return the steps in the order they are taken."""
        return (
            self.watch,
            self.watch_log,
            self.expire,
            self.retire,
            self.incidents,
            self.tasks,
            self.flush,
            self.release,
            self.repeat,
            self.escalate,
            self.stuck,
            self.records,
            self.joint,
            self.early,
        )

    def watch(self, conn: Connection, now: datetime) -> int:
        """Notice that rules are no longer judged, and that they are again."""
        return self.judging.watch(conn, self.notifier, self.settings, now)

    def watch_log(self, conn: Connection, now: datetime) -> int:
        """Notice that Kafka's log is another one, and that it may be gone on with."""
        return watch_log(conn, self.notifier, self.settings, now)

    def expire(self, conn: Connection, now: datetime) -> int:
        """End alerts from elsewhere that are not reported any more."""
        return expire(conn, self.notifier, self.settings, now)

    def retire(self, conn: Connection, now: datetime) -> int:
        """End alerts of sensors that were taken out of service for good."""
        return end_retired(conn, self.notifier, self.settings, now)

    def incidents(self, conn: Connection, now: datetime) -> int:
        """End incidents of which no trigger fires any more, as an older release left some."""
        stale = stale_incidents(conn, PIECE)
        for incident in stale:
            self.notifier.tell(conn, assess(conn, incident, self.settings, now), now)
        if stale:
            self.notifier.tell(conn, gather(conn, self.settings, now), now)
            wake_screens(conn)
        return len(stale)

    def tasks(self, conn: Connection, now: datetime) -> int:
        """Give, take back and take up again the tasks of incidents."""
        return keep_tasks(conn, now, FEW)

    def records(self, conn: Connection, now: datetime) -> int:
        """Tell of steps of records; raise and end alerts of clocks that have run out."""
        return notify_records(conn, self.notifier, self.settings, now)

    def joint(self, conn: Connection, now: datetime) -> int:
        """Raise and end alerts of groups that do not move as they normally do."""
        return take_joint(conn, self.notifier, self.settings, now)

    def early(self, conn: Connection, now: datetime) -> int:
        """Raise and end the alerts of what the forecasts expect."""
        return tell_early(conn, self.notifier, self.settings, now)

    def flush(self, conn: Connection, now: datetime) -> int:
        """Send groups that are due."""
        return self.notifier.flush(conn, now)

    def release(self, conn: Connection, now: datetime) -> int:
        """Tell what was held back and no longer is, while it lasts; another level to who knows."""
        silences, released = silences_at(conn, now), 0
        rows = conn.execute(_HELD.encode(), [now, MOST_HELD]).fetchall()
        for receiver, name, subject, path, labels, level in rows:
            if released == PIECE:
                break
            if hiding(silences, labels) or self.notifier.routes.leg(path).muted(now):
                continue
            kind = "raised" if level is None else "changed"
            event, reason = self.present(conn, subject, kind, now)
            if event is None or event.severity == level:
                conn.execute(
                    "DELETE FROM held WHERE receiver = %s AND subject = %s", [receiver, subject]
                )
                released += 1
            elif not reason:
                self.notifier.release(conn, event, name, path, now)
                released += 1
        return released

    def repeat(self, conn: Connection, now: datetime) -> int:
        """Say again what is still open and not acknowledged, where the route asks for it."""
        rows = conn.execute(
            "SELECT t.receiver, r.name, t.subject FROM told t"
            " JOIN receivers r ON r.id = t.receiver AND r.enabled"
            " LEFT JOIN alert_subjects e ON e.id = t.subject WHERE t.repeat_s IS NOT NULL"
            " AND t.at + make_interval(secs => t.repeat_s) <= %s AND e.acked_at IS NULL"
            f" AND NOT {_REPEATED_BY_INCIDENT} LIMIT %s".encode(),
            [now, PIECE],
        ).fetchall()
        silences = silences_at(conn, now)
        for receiver, name, subject in rows:
            event, reason = self.present(conn, subject, "repeated", now)
            if event and not reason and not hiding(silences, event.labels):
                key = f"{subject}|repeat|{now.isoformat()}"
                self.notifier.tell_named(conn, event, [name], key, now)
            conn.execute(
                "UPDATE told SET at = %s WHERE receiver = %s AND subject = %s",
                [now, receiver, subject],
            )
        return len(rows)

    def escalate(self, conn: Connection, now: datetime) -> int:
        """Tell the next in line when nobody has acknowledged; stop when somebody has."""
        for outcome, condition in _ANSWERED.items():
            done = conn.execute(_STOP.format(condition=condition).encode(), [now, outcome])
            ESCALATED.labels(outcome).inc(done.rowcount)
        rows = conn.execute(
            "UPDATE escalations SET ended_at = %s, outcome = 'escalated' WHERE id IN (SELECT id"
            " FROM escalations WHERE ended_at IS NULL AND due_at <= %s ORDER BY due_at LIMIT %s)"
            " RETURNING id, subject, step, receivers",
            [now, now, PIECE],
        ).fetchall()
        for escalation, subject, step, names in sorted(rows):
            event, _ = self.present(conn, subject, "escalated", now, {"step": step + 1})
            if event:
                self.notifier.tell_named(conn, event, names, f"escalation|{escalation}", now)
                ESCALATED.labels("escalated").inc()
        return len(rows)

    def stuck(self, conn: Connection, now: datetime) -> int:
        """Tell the fallback receivers of what is not delivered for two minutes."""
        return tell_stuck(conn, self.notifier, now)

    def present(
        self,
        conn: Connection,
        subject: str,
        kind: str,
        now: datetime,
        more: dict[str, object] | None = None,
    ) -> tuple[Event | None, str]:
        """Return the event of a subject as it is now, and why it is not to be told, if so."""
        change = current(conn, subject)
        if change is None:
            incident = open_incident(conn, subject)
            if incident is None:
                return None, ""
            return incident_event(conn, incident, kind, self.settings, now, more), ""
        folded = folded_under(conn, [subject]).get(subject)
        shelved = change.shelved_until is not None and change.shelved_until > now
        event = change.event(self.settings, kind=kind, more=more)
        return event, "shelved" if shelved else f"part of {folded}" if folded else ""


_HELD = (
    "SELECT h.receiver, r.name, h.subject, h.route, h.labels, t.severity FROM held h"
    " JOIN receivers r ON r.id = h.receiver"
    " LEFT JOIN told t ON t.receiver = h.receiver AND t.subject = h.subject"
    " LEFT JOIN alert_subjects e ON e.id = h.subject"
    " WHERE (e.shelved_until IS NULL OR e.shelved_until <= %s) AND NOT EXISTS"
    " (SELECT 1 FROM folded_alerts f WHERE f.episode = h.subject) ORDER BY h.since LIMIT %s"
)
# an incident that a receiver is reminded of stands for its alerts, a parent for its children
_REPEATED_BY_INCIDENT = (
    "(EXISTS (SELECT 1 FROM incident_members m JOIN incidents i ON i.id = m.incident"
    " AND i.resolved_at IS NULL AND i.acked_at IS NULL JOIN told k ON k.subject = i.id"
    " AND k.receiver = t.receiver AND k.repeat_s IS NOT NULL WHERE m.episode = t.subject)"
    " OR EXISTS (SELECT 1 FROM incidents c JOIN incidents i ON i.id = c.parent"
    " AND i.resolved_at IS NULL AND i.acked_at IS NULL JOIN told k ON k.subject = i.id"
    " AND k.receiver = t.receiver AND k.repeat_s IS NOT NULL WHERE c.id = t.subject))"
)
_ANSWERED = {
    "acknowledged": "SELECT id FROM alert_subjects WHERE acked_at IS NOT NULL",
    "cleared": "SELECT id FROM alert_subjects WHERE cleared_at IS NOT NULL",
}
_STOP = (
    "UPDATE escalations SET ended_at = %s, outcome = %s WHERE ended_at IS NULL"
    " AND subject IN ({condition} AND id = escalations.subject)"
)


def keep(
    settings: AlertSettings,
    routes: Routes,
    vitals: Vitals,
    stop: threading.Event,
) -> None:
    """Run the timers until ``stop``; a database that is away is waited out."""
    keeper = Keeper(settings, Notifier(routes, links_of(settings)))

    def work(conn: Connection) -> None:
        while not stop.wait(TICK_S):
            now = now_of(conn)
            tick(conn, keeper, now)
            vitals.detail(timers_at=now.isoformat(timespec="seconds"))

    # the engine beside it says when all is well again
    keep_connected(settings.database(), "alerts-keeper", work, stop, vitals.trouble)


def tick(conn: Connection, keeper: Keeper, now: datetime) -> None:
    """Take every step, each piece of it in a transaction of its own."""
    for step in keeper.steps():
        for _ in range(ROUNDS):
            with conn.transaction():
                lock_writers(conn)
                if step(conn, now) < PIECE:
                    break
