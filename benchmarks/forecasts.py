"""One round of forecasts for the whole city, with reading and writing, on the database given.

Run: CITYOPS_DSN=… python -m benchmarks.forecasts (fills an empty, migrated database first).
"""

import time
from datetime import UTC, datetime, timedelta

from psycopg import Connection

from catalog.sensors import sensors
from forecasts.groups import groups
from forecasts.past import backtest_group
from forecasts.round import run_group
from service.postgres import allow, connect
from service.settings import Settings
from tests.support.history import Past, write_history

HISTORY_DAYS = 50
HOUR = timedelta(hours=1)


def main() -> None:
    """Fill, train, then measure the second round, which finds models and a record of errors."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with connect(Settings().database(), "bench", autocommit=True) as conn:
        allow(conn, 600)
        past = Past(end + 2 * HOUR, 0.0, 0.0, 0.0, HISTORY_DAYS * 24.0)
        with conn.transaction():
            write_history(conn, past)
        conn.execute("ANALYZE")
        for group in groups():  # a record as long as it gets
            with conn.transaction():
                backtest_group(conn, group, end, 24, write=True)
        print(f"sensors {len(sensors())}, groups {len(groups())}")
        for title, hours in (("first round, trains", 0), ("round", 1)):
            print(title, *_measured(conn, end + hours * HOUR))


def _measured(conn: Connection, end: datetime) -> tuple[str, ...]:
    cpu, wall, count = time.process_time(), time.perf_counter(), 0
    for group in groups():
        with conn.transaction():
            count += run_group(conn, group, end).issued
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return (f"{count} series", f"own CPU {cpu:.1f} s", f"wall with the database {wall:.1f} s")


if __name__ == "__main__":
    main()
