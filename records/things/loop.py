"""Keep the states of things: placed at the start, looked at in rounds of a few seconds."""

from psycopg import Connection

from catalog.registry import streams
from catalog.thing.model import Thing
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


def _moves(thing: Thing) -> bool:
    stream = streams().get(thing.sensors or "")
    return thing.each_sensor and stream is not None and stream.position is not None


def watch(conn: Connection, rounds: int = 0) -> int:
    """Note every change of state; return how many."""
    for thing in things().values():
        if rounds % SENSORS_EVERY == 0 or _moves(thing):
            follow_sensors(conn, thing)
    return sum(note_states(conn, thing) for thing in things().values())
