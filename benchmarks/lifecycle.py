"""Records under load: moves a second through the one write path, and the queue page when full.

``python -m benchmarks.lifecycle DSN`` fills a migrated, empty database with 100 000 open cases and
1 000 000 lines of log, then measures. Rows are written in bulk, without the log's trigger: hashes
are not what is measured here.
"""

import statistics
import sys
import time

from psycopg import Connection

from records.act import act, open_record, record_of
from records.context import Context
from records.queries import Filter, Window, list_records, states_of
from service.postgres import allow, connect

OPEN, LINES = 100_000, 10
MOVES, LOOKS = 500, 60
FILL = """
INSERT INTO records (kind, state, version, fields, district, lon, lat, opened_by, opened_at,
    changed_at, state_since, due_at, overdue)
SELECT 'case',
    (ARRAY['reported','filed','dispatched','handling','fed_back','checking'])[1 + n %% 6],
    %(lines)s, jsonb_build_object('subclass', (ARRAY['E0101','E0103','P0106','E0501'])[1 + n %% 4],
    'source', 'collector', 'description', 'case ' || n, 'department',
    (ARRAY['sanitation','lighting','drainage','roads','enforcement'])[1 + n %% 5],
    'district', '510104', 'lon', 104.0, 'lat', 30.6), '510104', 104.0 + n * 1e-6, 30.6, 'fill',
    now() - interval '1 day', now(), now(), now() + make_interval(secs => (n * 7919) %% 864000),
    n %% 50 = 0 FROM generate_series(1, %(open)s) n
"""
LOG = """
INSERT INTO record_log (seq, record, kind, version, at, actor, role, via, move, from_state,
    to_state, changes, clocks, hash)
SELECT -row_number() OVER (), id, 'case', v, now(), 'bench', 'acceptor', 'shell', 'remark', state,
    state, '{}', '[]', '' FROM records, generate_series(1, %(lines)s) v
WHERE opened_by = 'fill'
"""


def fill(conn: Connection) -> None:
    """Write the open cases and their log."""
    allow(conn, 600)
    conn.execute(FILL, {"open": OPEN, "lines": LINES})
    conn.execute("ALTER TABLE record_log DISABLE TRIGGER record_log_audit")
    conn.execute(LOG, {"lines": LINES})
    conn.execute("ALTER TABLE record_log ENABLE TRIGGER record_log_audit")
    conn.execute("ANALYZE records")
    conn.execute("ANALYZE record_log")


def moves_per_s(conn: Connection) -> float:
    """Return how many moves a second one operator's connection makes, opening not counted."""
    context = Context(conn, "bench", "shell", "admin")
    given = {"subclass": "E0101", "source": "collector", "lon": 104.5, "lat": 30.9}
    ids = [open_record(context, "case", given).id for _ in range(MOVES)]
    begun = time.perf_counter()
    for id in ids:
        act(context, "case", id, "file")
    return MOVES / (time.perf_counter() - begun)


def pages_ms(conn: Connection) -> dict[str, tuple[float, float]]:
    """Return p50 and p95 in ms of what the queue pages ask."""
    record = record_of("case")
    asked = {
        "queue": lambda: list_records(conn, record, Filter(), Window(50)),
        "queue of a state": lambda: list_records(
            conn, record, Filter(states=("handling",)), Window(50)
        ),
        "queue of a department": lambda: list_records(
            conn, record, Filter(fields={"department": "lighting"}), Window(50)
        ),
        "overdue": lambda: list_records(conn, record, Filter(overdue=True), Window(50)),
        "board": lambda: states_of(conn, record),
    }
    found: dict[str, tuple[float, float]] = {}
    for name, ask in asked.items():
        spent: list[float] = []
        for _ in range(LOOKS):
            begun = time.perf_counter()
            ask()
            spent.append((time.perf_counter() - begun) * 1000)
        parts = statistics.quantiles(spent, n=20)
        found[name] = (parts[9], parts[18])
    return found


def main(dsn: str) -> None:
    """Fill, measure, print."""
    with connect(dsn, "bench", autocommit=True) as conn:
        empty = moves_per_s(conn)
        fill(conn)
        full = moves_per_s(conn)
        print(f"moves/s: {empty:.0f} empty, {full:.0f} with {OPEN} open and {OPEN * LINES} lines")
        for name, (p50, p95) in pages_ms(conn).items():
            print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1])
