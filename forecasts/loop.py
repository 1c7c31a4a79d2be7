"""The long-running process: a round of every group, each hour, in a transaction of its own."""

import threading
import time
from datetime import UTC, datetime

from prometheus_client import Counter
from psycopg import Connection
from pydantic import Field

from forecasts.fetch import sources
from forecasts.groups import Group, groups
from forecasts.guidance import Fetcher
from forecasts.joint.loop import judge_groups
from forecasts.round import Done, is_due, issue_time, run_group
from service.log import logger
from service.metrics import seconds
from service.postgres import allow
from service.reconnecting import keep_connected
from service.settings import Settings
from service.vitals import Vitals

NAME = "forecasts"
LOOK_S = 20.0
STATEMENT_S = 60.0
STALL_S = 180.0
"""A round of one group reads seven weeks and may train."""

ISSUED = Counter(
    "cityops_forecasts_issued", "Forecasts issued, one per series and hour", ["stream"]
)
SCORED = Counter("cityops_forecasts_scored", "Forecasts compared with what came", ["stream"])
TRAINED = Counter("cityops_forecasts_trained", "Models made, one per series", ["stream"])
STALE = Counter("cityops_forecasts_stale", "Series left out because they are silent", ["stream"])
ROUND = seconds("cityops_forecasts_round_seconds", "Duration of one round of one group")


class ForecastSettings(Settings):
    """What the process of the forecasts is told."""

    guidance: str = Field(
        default="",
        description="Forecasts of others: NAME=ADDRESS,… (CSV by http or file, or a .toml map)",
    )


def run_forecasts(settings: ForecastSettings, vitals: Vitals, stop: threading.Event) -> None:
    """Issue, score and train until ``stop``; a database that is away is waited for.

    ContractError when the setting of the guidance makes no sense.
    """
    fetcher = Fetcher(sources(settings.guidance))

    def work(conn: Connection) -> None:
        allow(conn, STATEMENT_S)
        while not stop.is_set():
            failed = fetcher.look(conn, datetime.now(UTC), time.monotonic())
            vitals.detail(guidance_away=", ".join(failed))
            one_round(conn, datetime.now(UTC), vitals, stop)
            vitals.trouble("")
            stop.wait(LOOK_S)

    vitals.ready()
    keep_connected(settings.database(), NAME, work, stop, vitals.trouble)


def one_round(
    conn: Connection,
    now: datetime,
    vitals: Vitals | None = None,
    stop: threading.Event | None = None,
    stream: str | None = None,
) -> list[Done]:
    """Do what is due at ``now``, group by group; ``conn`` is in autocommit."""
    end = issue_time(now)
    due = [group for group in groups(stream) if is_due(conn, group, end)]
    done: list[Done] = []
    for number, group in enumerate(due):
        if stop is not None and stop.is_set():
            break
        if vitals:
            vitals.lag(len(due) - number)
        done.append(_one(conn, group, end))
        if vitals:
            vitals.progress(done[-1].issued, newest=end)
    if stream is None:
        judge_groups(conn, end, vitals, stop)
    if vitals:
        vitals.lag(0)
    return done


def _one(conn: Connection, group: Group, end: datetime) -> Done:
    with ROUND.time(), conn.transaction():
        done = run_group(conn, group, end)
    name = group.stream.name
    for counter, count in (
        (ISSUED, done.issued),
        (SCORED, done.scored),
        (TRAINED, done.trained),
        (STALE, done.stale),
    ):
        counter.labels(name).inc(count)
    if done.issued:
        logger().info(
            "issued", group=done.group, series=done.issued, scored=done.scored, stale=done.stale
        )
    return done
