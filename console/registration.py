"""The register of sensors as people keep it: place one, take it out of service, put it back.

What the catalog declares is changed there; a sensor that nobody declared has its name and place
from here.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from psycopg import Connection
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.event.labels import Matcher
from alerts.routing.silences import LONGEST, SilenceDraft, add_silence, end_silence, list_silences
from catalog.errors import ConflictError, NotFoundError
from catalog.places import distance_km
from catalog.sensors import sensor as declared_sensor
from catalog.site import site
from storage.audit import record

FAR_KM = 100.0
"""No place of a district lies farther from its seat: swapped or mistyped degrees do."""
Text = Annotated[str, Field(max_length=120)]
Status = Literal["registered", "provisional", "retired"]


class Placing(BaseModel):
    """Name and place of one sensor; WGS-84 degrees, district by GB/T 2260."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title_zh: Annotated[str, Field(min_length=1, max_length=120, examples=["锦江区燃气站 1 号"])]
    title_en: Text = ""
    district: Annotated[str, Field(examples=["510104"])]
    street: Text = ""
    lon: Annotated[float, Field(ge=-180, le=180, examples=[104.08])]
    lat: Annotated[float, Field(ge=-90, le=90, examples=[30.65])]

    @model_validator(mode="after")
    def _lies_there(self) -> "Placing":
        known = site().districts.get(self.district)
        if known is None:
            raise ValueError(f"no district {self.district}")
        if distance_km((self.lon, self.lat), (known.lon, known.lat)) > FAR_KM:
            raise ValueError(f"this place is more than {FAR_KM:g} km from the district's seat")
        return self


def register_sensor(conn: Connection, stream: str, sensor: str, placing: Placing, who: str) -> None:
    """Give a sensor its name and place; ``ConflictError`` when the catalog declares it.

    A sensor that has sent nothing yet is registered all the same.
    """
    if declared_sensor(stream, sensor):
        raise ConflictError(f"sensor {sensor} is declared in the catalog: change it there")
    with conn.transaction():
        conn.execute(
            "INSERT INTO sensors (stream, sensor, title_zh, title_en, city, district, street, lon,"
            " lat, status) VALUES (%(stream)s, %(sensor)s, %(title_zh)s, %(title_en)s, %(city)s,"
            " %(district)s, %(street)s, %(lon)s, %(lat)s, 'registered')"
            " ON CONFLICT (stream, sensor) DO UPDATE SET title_zh = excluded.title_zh,"
            " title_en = excluded.title_en, city = excluded.city, district = excluded.district,"
            " street = excluded.street, lon = excluded.lon, lat = excluded.lat,"
            " status = CASE sensors.status WHEN 'retired' THEN 'retired' ELSE 'registered' END",
            placing.model_dump() | {"stream": stream, "sensor": sensor, "city": site().code},
        )
        record(conn, who, "sensor.register", f"{stream}/{sensor}", **placing.model_dump())


def retire_sensor(
    conn: Connection, stream: str, sensor: str, reason: str, who: str, now: datetime
) -> None:
    """Take a sensor out of service: in no state and no count, and its alerts are not notified.

    What it sends is stored all the same. The silence holds for 31 days, the longest there is.
    """
    draft = SilenceDraft(
        kind="maintenance",
        matchers=_matchers(stream, sensor),
        reason=reason,
        starts_at=now,
        ends_at=now + LONGEST,
    )
    with conn.transaction():
        _set_status(conn, stream, sensor, "retired")
        add_silence(conn, draft, who)
        record(conn, who, "sensor.retire", f"{stream}/{sensor}", reason=reason)


def restore_sensor(conn: Connection, stream: str, sensor: str, who: str, now: datetime) -> None:
    """Put a sensor back into service and end the silence that went with it."""
    with conn.transaction():
        placed = (
            declared_sensor(stream, sensor)
            or conn.execute(
                "SELECT 1 FROM sensors WHERE stream = %s AND sensor = %s AND lon IS NOT NULL",
                [stream, sensor],
            ).fetchone()
        )
        _set_status(conn, stream, sensor, "registered" if placed else "provisional")
        matchers = [str(m) for m in _matchers(stream, sensor)]
        for silence in list_silences(conn, limit=5000):
            ours = silence.kind == "maintenance"
            if ours and [str(m) for m in silence.matchers] == matchers:
                end_silence(
                    conn, silence.id, who, max(now, silence.starts_at + timedelta(seconds=1))
                )
        record(conn, who, "sensor.restore", f"{stream}/{sensor}")


def _matchers(stream: str, sensor: str) -> list[Matcher]:
    return [
        Matcher(name="stream", op="=", value=stream),
        Matcher(name="sensor", op="=", value=sensor),
    ]


def _set_status(conn: Connection, stream: str, sensor: str, status: Status) -> None:
    done = conn.execute(
        "UPDATE sensors SET status = %s WHERE stream = %s AND sensor = %s",
        [status, stream, sensor],
    )
    if done.rowcount == 0:
        raise NotFoundError(f"no sensor {sensor} in stream {stream}")
