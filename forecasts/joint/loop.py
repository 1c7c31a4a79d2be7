"""The joint rules' part of the forecasts' loop: every group, every completed hour."""

import threading
from datetime import datetime

from prometheus_client import Counter
from psycopg import Connection

from forecasts.joint.round import due_groups, end_forgotten, judge_group
from service.log import logger
from service.metrics import seconds
from service.vitals import Vitals

JUDGED = Counter("cityops_joint_hours", "Hours of groups that joint rules have judged")
ROUND = seconds("cityops_joint_round_seconds", "Duration of judging one group's hours")


def judge_groups(
    conn: Connection,
    end: datetime,
    vitals: Vitals | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Judge what is due up to ``end``, a whole hour; ``conn`` is in autocommit."""
    judged = 0
    for group in list(due_groups(conn, end)):
        if stop is not None and stop.is_set():
            return judged
        with ROUND.time():
            hours = judge_group(conn, group, end)
        JUDGED.inc(hours)
        judged += hours
        if vitals:
            vitals.progress(hours, newest=end)
    if judged:
        ended = end_forgotten(conn, end)
        logger().info("judged", hours=judged, forgotten=ended)
    return judged
