"""Things that a record names: they must be there, and give it their place."""

from collections.abc import Mapping

from psycopg import Connection

from catalog.errors import InvalidError
from catalog.lifecycle.fields import RecordField, Values
from catalog.lifecycle.record import Record
from catalog.thing.registry import things
from records.things.queries import known_thing, thing_at_sensor


def named_things(conn: Connection, record: Record, changes: Values) -> None:
    """Refuse a thing that is not there."""
    for field in _fields(record):
        value = changes.get(field.name)
        if isinstance(value, str) and known_thing(conn, value) is None:
            raise InvalidError(f"{field.name}: no thing {value[:80]!r}", field.name)


def named_place(
    conn: Connection, record: Record, args: Mapping[str, object]
) -> Mapping[str, object]:
    """Return the fields with the place of the thing that they name, where none was given."""
    if record.located == "not" or args.get("lon") is not None or args.get("lat") is not None:
        return args
    for field in _fields(record):
        value = args.get(field.name)
        place = known_thing(conn, value) if isinstance(value, str) else None
        if place and None not in place:
            return {**args, "lon": place[0], "lat": place[1]}
    return args


def thing_of_alert(
    conn: Connection, record: Record, field: str, stream: object, sensor: object
) -> str | None:
    """Return the one thing that a field may name and that has the sensor of an alert."""
    declared = record.field(field)
    kinds = declared.things if declared else ()
    own = tuple(k for k in kinds if k in things() and things()[k].sensors == stream)
    return thing_at_sensor(conn, str(sensor), own) if own and sensor else None


def _fields(record: Record) -> list[RecordField]:
    return [field for field in record.fields if field.kind == "thing"]
