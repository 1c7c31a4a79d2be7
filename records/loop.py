"""What happens to records by the passing of time: deadlines, schedules, alerts that open some.

All state is in the database and each step is one transaction, so that a kill changes nothing and
two loops beside each other do nothing twice.
"""

import threading
from collections.abc import Callable
from datetime import date, datetime

from prometheus_client import Counter
from psycopg import Connection

from catalog.errors import RefusedError
from catalog.lifecycle.record import Move, Record
from catalog.lifecycle.registry import records
from catalog.site import zone
from records.act import mark_late, open_record
from records.attempt import attempt
from records.context import Context
from records.openings import open_asked
from records.things.loop import place_all, watch
from service.log import logger
from service.postgres import now_of
from service.reconnecting import keep_connected
from service.settings import Settings
from service.vitals import Vitals

TICK_S = 0.5
THINGS_EVERY = 4
"""In ticks: how often the states of things are looked at."""
PIECE = 200
ACTOR = "cityops"
FOUND = Counter("cityops_records_clocks", "Clocks found to be due soon or overdue", ["found"])


def late(context: Context, *, overdue: bool) -> int:
    """Note some clocks that are overdue, or due soon; return how many were noted now."""
    now, kinds = context.now(context.conn), list(records())
    rows = context.conn.execute(_OVERDUE if overdue else _SOON, [now, kinds, PIECE]).fetchall()
    noted = sum(mark_late(context, kind, id, clock, overdue=overdue) for kind, id, clock in rows)
    FOUND.labels("overdue" if overdue else "due_soon").inc(noted)
    return noted


_OVERDUE = (
    "SELECT kind, record, clock FROM record_timers WHERE running_since IS NOT NULL"
    " AND overdue_at IS NULL AND due_at <= %s AND kind = ANY(%s) ORDER BY due_at LIMIT %s"
)
_SOON = (
    "SELECT kind, record, clock FROM record_timers WHERE running_since IS NOT NULL"
    " AND warned_at IS NULL AND overdue_at IS NULL AND soon_at <= %s AND kind = ANY(%s)"
    " ORDER BY soon_at LIMIT %s"
)


def open_daily(context: Context, today: date) -> int:
    """Open what is opened each day; the day is its key, so it is opened once."""
    made = 0
    for record in records().values():
        if record.opening.every != "day":
            continue
        try:
            key = f"day {today.isoformat()} {record.name}"
            done = open_record(context, record.name, record.opening.fields, key=key)
        except RefusedError as error:
            logger().warning("a daily record was refused", kind=record.name, reason=str(error))
        else:
            made += not done.repeated
    return made


def take_due(context: Context) -> int:
    """Take the moves whose time has come; return how many were taken."""
    taken = 0
    for record in records().values():
        for move in (m for m in record.moves if m.due):
            taken += _take_due(context, record, move)
    return taken


def _take_due(context: Context, record: Record, move: Move) -> int:
    assert move.due is not None
    fields = [move.due.field, move.due.plus_min]
    values = [record.name, list(move.from_states), *fields, context.now(context.conn), PIECE]
    reason = move.reasons[0].name if move.reasons else ""
    due = context.conn.execute(_DUE, values).fetchall()
    return sum(attempt(context, record.name, id, move.name, reason=reason) for (id,) in due)


_DUE = (
    "SELECT id FROM records WHERE kind = %s AND closed_at IS NULL AND state = ANY(%s)"
    " AND coalesce((fields ->> %s)::timestamptz, opened_at)"
    " + make_interval(secs => 60 * coalesce((fields ->> %s)::float8, 0)) <= %s"
    " ORDER BY id LIMIT %s"
)


def tick(conn: Connection, now: Callable[[Connection], datetime] = now_of) -> int:
    """Take every step once; return how much was done."""
    context = Context(conn, ACTOR, "engine", now=now)
    done = open_asked(context) + take_due(context)
    done += open_daily(context, now(conn).astimezone(zone()).date())
    return done + late(context, overdue=True) + late(context, overdue=False)


def run_records(settings: Settings, vitals: Vitals, stop: threading.Event) -> None:
    """Run until ``stop``; a database that is away is waited out."""

    def work(conn: Connection) -> None:
        place_all(conn)
        ticks = 0
        while not stop.wait(TICK_S):
            tick(conn)
            if ticks % THINGS_EVERY == 0:
                watch(conn, ticks // THINGS_EVERY)
            ticks += 1
            vitals.detail(records_at=now_of(conn).isoformat(timespec="seconds"))
            vitals.trouble("")

    vitals.ready()
    keep_connected(settings.database(), "records", work, stop, vitals.trouble)
