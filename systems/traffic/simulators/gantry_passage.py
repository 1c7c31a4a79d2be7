"""Vehicles under the gantries: how many by the traffic's demand, each charged by class and section.

Uploads come twice, late, corrected or never, as ``what`` says, which is the truth kept apart.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from simulators.core.calendar import hour, local_day
from simulators.core.city import City
from simulators.core.fleet import Fleet, Rows
from simulators.facts import Happened
from simulators.physics import roads

MINUTE_S = 60
PEAK = 34
"""Passages a minute at the weekday peak, about; lanes of one side."""
SECTION_KM = 7.07
CLASSES = (("k1", 0.78, 45), ("k2", 0.02, 80), ("k3", 0.02, 110), ("h1", 0.09, 45))
CLASSES += (("h2", 0.04, 95), ("h6", 0.05, 220))
"""Class, share, fen a km: near what the province charges on six lanes (engineering)."""
VEHICLES = 600_000


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the traffic, or of its uploads, is out of the ordinary."""

    failed: float = 0.008
    unread: float = 0.02
    differs: float = 0.002
    entry_unknown: float = 0.002
    off_tariff: float = 0.0008
    late: float = 0.015
    lost: float = 0.001
    twice: float = 0.01
    corrected: float = 0.001


SHARES = Shares()


def happen(city: City, fleet: Fleet, after_s: float, until_s: float) -> list[Happened]:
    """Return the passages in (after, until] (epoch s), each with when its uploads arrive."""
    found: list[Happened] = []
    first, last = int(after_s // MINUTE_S), int(until_s // MINUTE_S)
    for minute in range(first, last + 1):
        found += [one for one in _minute(city, fleet, minute) if after_s < one.at_s <= until_s]
    return sorted(found, key=lambda one: one.at_s)


@lru_cache(maxsize=4)
def _minute(city: City, fleet: Fleet, minute: int) -> list[Happened]:
    """Return the passages of a minute at all gantries; the live city asks for it each second."""
    places = range(len(fleet))
    return [one for place in places for one in _passages(city, fleet, place, minute)]


def _passages(city: City, fleet: Fleet, place: int, minute: int) -> list[Happened]:
    chance, key = city.chance, fleet.keys[place]
    begin = np.array([minute * MINUTE_S], float)
    busy = chance.between(0.6, 1.0, "gantry/busy", key)
    rows = Rows(np.array([place]), (begin * 1e6).astype(np.int64), np.array([minute]))
    slow = float(roads.slowing(city, fleet, rows)[0])
    wanted = PEAK * float(roads.demand(city, begin)[0]) * float(busy) * min(1.0, 1.25 * slow)
    count = int(wanted + float(chance.uniform("gantry/count", key, minute)))
    draw = lambda what: chance.uniform(f"gantry/{what}", key, minute, np.arange(count))  # noqa: E731
    draws = {what: draw(what) for what in DRAWS}
    return [
        _passage(city, fleet.ids[place], minute, nth, {w: float(d[nth]) for w, d in draws.items()})
        for nth in range(count)
    ]


DRAWS = ("at", "class", "medium", "result", "read", "differs", "entry", "tariff", "speed")
DRAWS += ("vehicle", "line", "delay", "copy", "correct")


def _passage(city: City, gantry: str, minute: int, nth: int, u: dict[str, float]) -> Happened:
    at_s = round(minute * MINUTE_S + MINUTE_S * u["at"], 3)
    kind, rate = _class_of(u["class"])
    due = round(rate * SECTION_KM)
    failed = u["result"] < SHARES.failed
    fee = 0 if failed else due + (200 if u["tariff"] < SHARES.off_tariff else 0)
    night = not 6 <= float(hour(np.array([at_s]))[0]) < 20
    unread = u["read"] < SHARES.unread * (2 if night else 1)
    plate = _hash(city.seed, at_s, int(u["vehicle"] * VEHICLES))
    medium = "obu" if u["medium"] < 0.72 else "cpc" if u["medium"] < 0.985 else "plate"
    other = _hash(city.seed, at_s, -1) if u["differs"] < SHARES.differs else plate
    row: dict[str, Any] = {
        "thing": gantry,
        "id": f"{gantry}-{minute}-{nth}",
        "at": datetime.fromtimestamp(at_s, UTC),
        "medium": medium,
        "result": "no_answer" if failed else "ok",
        "vehicle_class": kind,
        "entry": "unknown" if u["entry"] < SHARES.entry_unknown else "known",
        "plate": None if unread else plate,
        "unit_plate": other if medium == "obu" else None,
        "fee_fen": fee,
        "due_fen": due,
        "speed_dkm_h": int(600 + 400 * u["speed"]),
    }
    return Happened(at_s, row, *_uploads(at_s, row, u))


def _uploads(
    at_s: float, row: dict[str, Any], u: dict[str, float]
) -> tuple[str, list[tuple[float, dict[str, Any]]]]:
    """Return what is out of the ordinary, and (arrival, body) of each upload."""
    soon = at_s + 1.0 + 3.0 * u["delay"]
    if u["line"] < SHARES.lost:
        return "missing", []
    if u["line"] < SHARES.lost + SHARES.late:
        return "late", [(at_s + 60.0 + 3540.0 * u["delay"] ** 2, row)]
    if u["correct"] < SHARES.corrected:
        again = row | {"revision": 2, "fee_fen": row["due_fen"]}
        return "corrected", [(soon, row), (soon + 300.0, again)]
    if u["copy"] < SHARES.twice:
        return "duplicate", [(soon, row), (soon + 30.0, row)]
    return "", [(soon, row)]


def _class_of(u: float) -> tuple[str, int]:
    for kind, share, rate in CLASSES:
        if (u := u - share) < 0:
            return kind, rate
    return CLASSES[0][0], CLASSES[0][2]


def _hash(seed: int, at_s: float, vehicle: int) -> str:
    """Return what the plate of a vehicle is on this day, as the gateway would have made it."""
    day = int(local_day(np.array([at_s]))[0])
    return hashlib.sha256(f"{seed}/{day}/{vehicle}".encode()).hexdigest()[:32]
