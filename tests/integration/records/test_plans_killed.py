"""The process of records, killed while a sign has its command and we do not know: told once."""

import threading
from typing import Any

import psycopg

from deploy.wait import wait_until
from simulators.signs import Signs
from tests.support.servers import Spawner

POND = "pond-dongchenggen"


def test_a_kill_between_sending_and_marking_tells_a_sign_once(
    dsn: str, conn: psycopg.Connection, spawn: Spawner
) -> None:
    signs = Signs(lambda: 0.0)
    told, go_on = threading.Event(), threading.Event()

    def hold(method: str, id: str) -> None:
        if method == "PUT":
            told.set()
            go_on.wait(20)

    signs.before_answer = hold
    address, stop = signs.serve()
    conn.execute(
        "INSERT INTO last_waterlogging (sensor, observed_at, received_at, depth_m)"
        " VALUES (%s, now() + interval '60 s', now(), 0.31)",
        [POND],
    )
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES ('flood', 'waterlogging.ponding',"
        " 'waterlogging', %s, 'active', 1, 1, 'depth_m', 0.31, 0.3, now(), now())",
        [POND],
    )
    try:
        first = spawn("records", "run", name="records", env={"CITYOPS_DEVICES": f"sign={address}"})
        assert told.wait(30)
        first.kill9()
        go_on.set()
        signs.before_answer = lambda method, id: None
        spawn("records", "run", name="records", env={"CITYOPS_DEVICES": f"sign={address}"})
        wait_until(lambda: _states(conn) == {"shown": 4}, 40, "four signs that show it")
        assert sorted(len(s.heard) for s in signs.by_id.values())[-5:] == [0, 1, 1, 1, 1]
        attempts = conn.execute("SELECT max(attempts) FROM plan_commands").fetchone()
        assert attempts == (2,)
    finally:
        go_on.set()
        stop()


def _states(conn: psycopg.Connection) -> dict[str, Any]:
    rows = conn.execute(
        "SELECT state, count(*) FROM records WHERE kind = 'sign_message' GROUP BY 1"
    ).fetchall()
    return dict(rows)
