"""Keep the states of things: placed at the start, looked at in rounds of a few seconds."""

from psycopg import Connection

from catalog.thing.registry import things
from records.things.places import follow_sensors, place
from records.things.states import note_states

SENSORS_EVERY = 15
"""In rounds: how often the registered sensors are read again."""


def place_all(conn: Connection) -> None:
    """Write every thing that is declared."""
    for thing in things().values():
        with conn.transaction():
            place(conn, thing)


def watch(conn: Connection, rounds: int = 0) -> int:
    """Note every change of state; return how many."""
    if rounds % SENSORS_EVERY == 0:
        for thing in things().values():
            follow_sensors(conn, thing)
    return sum(note_states(conn, thing) for thing in things().values())
