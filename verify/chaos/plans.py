"""Plans under kills: signs that count what they hear, and the process of records ended as they do.

The causes are the strike's own: traffic events that a person confirms and clears.
"""

import signal
import threading
import time

import psycopg

from catalog.network import networks
from deploy.wait import wait_until
from records.act import act, open_record
from records.context import Context
from service.postgres import connect
from simulators.signs import Signs
from verify.chaos.seen import Seen
from verify.chaos.stack import Stack

SPOKES = (0, 8, 16)
BACK_S = 60.0
EVENT = "traffic_event"


def kill_records_at_sending(stack: Stack, seen: Seen) -> None:
    """Kill the process of records as soon as a sign has heard a command, then judge the signs."""
    signs, told = Signs(time.monotonic), threading.Event()
    signs.before_answer = lambda method, id: told.set() if method == "PUT" else None
    address, stop = signs.serve()
    stack.add("records", {"CITYOPS_DEVICES": f"sign={address}"})
    try:
        with connect(stack.dsn, "chaos-plans", autocommit=True) as conn:
            for spoke in SPOKES:
                id = _event(conn, spoke, told, stack)
                wait_until(lambda: _all(conn, "shown") > 0, BACK_S, "every text verified")
                act(_officer(conn), EVENT, id, "clear", reason="removed")
                wait_until(lambda: _all(conn, "shown") == 0, BACK_S, "every text taken down")
            seen.must("texts", len(_heard(signs)), least=len(SPOKES))
        heard = _heard(signs)
        seen.must("told twice", len(heard) - len({*heard}), least=0, most=0)
        left = sum(sign.showing() is not None for sign in signs.by_id.values())
        seen.must("texts left", left, least=0, most=0)
    finally:
        stack.remove("records")
        stop()


def _event(conn: psycopg.Connection, spoke: int, told: threading.Event, stack: Stack) -> int:
    """Confirm an event on a radial, and kill the process once its first sign has heard of it."""
    lon, lat = networks()["roads"].nodes[f"r9-{spoke}"]
    place = {"category": "accident", "lon": lon, "lat": lat, "address": f"r9-{spoke}"}
    id = open_record(_officer(conn), EVENT, place).id
    told.clear()
    act(_officer(conn), EVENT, id, "confirm")
    if told.wait(BACK_S):
        stack.signal("records", signal.SIGKILL)
    return id


def _officer(conn: psycopg.Connection) -> Context:
    return Context(conn, "chaos", "api", "operator")


def _heard(signs: Signs) -> list[str]:
    """Return every key of a text as it came."""
    return [key for sign in signs.by_id.values() for key in sign.heard]


def _all(conn: psycopg.Connection, state: str) -> int:
    """Return how many texts are open, when all of them are in this state; else -1."""
    open_ones, there = conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = %s) FROM records"
        " WHERE kind = 'sign_message' AND closed_at IS NULL",
        [state],
    ).fetchone() or (0, 0)
    return there if open_ones == there else -1
