"""The declaration model of a detection: a sudden fall of a metric, and the record that it opens.

One file in a system's ``detections/`` declares one: a module with one name, ``DETECTION``. The
core is ``engine/falls.py``, the loop ``records/detections.py``; ``simulators/event_score.py``
scores it against the simulator's truth.
"""

from collections.abc import Iterator
from functools import cache

from pydantic import Field, model_validator

from catalog.base import ENGINEERING, Frozen, Name, Source, Text
from catalog.declared import load_all
from catalog.lifecycle.lookups import bad_values
from catalog.lifecycle.record import ENGINE
from catalog.lifecycle.registry import records
from catalog.registry import streams


class Fall(Frozen):
    """When minutes of a metric have fallen, each minute judged by those before it.

    Usual is the 75th percentile of the minutes ``back_min`` to ``gap_min`` ago: a fall that lasts
    does not become usual at once. A minute is low at or below ``share`` of usual; ``hits`` low ones
    of the last ``of`` are a fall. It is over when the last ``of`` are all above ``over`` of usual.
    Below ``least`` usual, or with fewer than ``known`` good minutes, or when the last
    ``still_min`` are all the same number (a stuck detector), nothing is judged.
    """

    share: float = Field(gt=0, lt=1)
    over: float = Field(gt=0, le=1)
    hits: int = Field(default=3, ge=1)
    of: int = Field(default=4, ge=1, le=30)
    back_min: int = Field(default=120, ge=30, le=360)
    gap_min: int = Field(default=10, ge=1)
    known: int = Field(default=30, ge=5)
    least: float = Field(gt=0)
    still_min: int = Field(default=15, ge=5)

    @model_validator(mode="after")
    def _is_sound(self) -> "Fall":
        if not self.share < self.over or self.hits > self.of or self.gap_min < self.of:
            raise ValueError("share < over, hits <= of <= gap_min")
        if self.known > self.back_min - self.gap_min:
            raise ValueError("known is more than there are minutes")
        return self


class Detection(Frozen):
    """What is watched, and what is opened: a record with a place, once a sensor while it is open.

    ``fields`` are given as they are. When the fall is over, and nobody has touched the record, the
    platform takes the move ``passes`` with its reason. ``quiet_min`` after its end no other is
    opened at this sensor.
    """

    name: Name
    title: Text
    system: str = ""
    """Set when it is loaded: the name of the system's folder."""
    stream: Name
    metric: Name
    fall: Fall
    record: Name
    fields: dict[Name, str | float | bool]
    passes: tuple[Name, str]
    """A move of the platform from the first state, and its reason."""
    quiet_min: float = Field(default=30, ge=0)
    source: Source = ENGINEERING


@cache
def detections() -> dict[str, Detection]:
    """Return all declared detections by name; read once per process."""
    return load_all("detections", "DETECTION", Detection, problems)


def problems(one: Detection) -> Iterator[str]:
    """Say what is wrong with a detection; nothing when it is in order."""
    declared, record = streams().get(one.stream), records().get(one.record)
    if declared is None or one.metric not in declared.metric_names:
        yield f"no metric {one.stream}.{one.metric}"
    elif declared.cadence_s > 60:
        yield f"{one.stream} has less than a reading a minute"
    if record is None or record.located == "not" or ENGINE not in record.opening.roles:
        yield f"no record {one.record!r} with a place that the platform may open"
        return
    yield from bad_values(record, "fields", one.fields)
    move = record.move(one.passes[0])
    if move is None or ENGINE not in move.roles or record.initial not in move.from_states:
        yield f"{one.record}: the platform has no move {one.passes[0]!r} from {record.initial}"
    elif one.passes[1] not in {reason.name for reason in move.reasons}:
        yield f"{one.record}: {one.passes[0]} has no reason {one.passes[1]!r}"
