"""A vehicle under a toll gantry of an expressway: who it was stays unknown, what it paid does not.

Fields follow what gantries of the national network upload (passage id, charged and due fee, medium,
class, plates of on-board unit and camera), in fen and tenths of km/h.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.base import text
from catalog.fact.model import Dimension, Fact, Measure, Oddity, Tally

FAILED = ("low_balance", "blocked_card", "no_answer", "device_fault")
TARIFF_TOLERANCE = 0.01


def plates_differ(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Both plates were read, and they are not the same."""
    camera, unit = columns["plate"], columns["unit_plate"]
    there = np.array([a is not None and b is not None for a, b in zip(camera, unit, strict=True)])
    return there & (camera != unit)


def no_entry(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Nothing says where the vehicle entered."""
    return columns["entry"] == "unknown"


def off_tariff(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """What was charged is more than 1 % off what was due."""
    fee, due = columns["fee_fen"], columns["due_fen"]
    return np.abs(fee - due) > TARIFF_TOLERANCE * due


def unreadable(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Charged by nothing but a plate that no camera could read: nobody can be billed."""
    nobody = np.array([plate is None for plate in columns["plate"]], bool)
    return nobody & (columns["medium"] == "plate")


def too_fast(columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Faster than any vehicle on a ring: the clock of gantry or unit is wrong."""
    return columns["speed_dkm_h"] > 2200


FACT = Fact(
    name="gantry_passage",
    domain="traffic",
    title=text("门架通行", "Gantry passages"),
    thing=text("门架", "gantry"),
    lateness_s=3 * 86_400,
    settle_s=5,
    keep_days=400,
    stream="gantry",
    dimensions=(
        Dimension(
            name="medium",
            title=text("通行介质", "Medium"),
            values=("obu", "cpc", "plate"),
            needed=True,
        ),
        Dimension(
            name="result",
            title=text("交易结果", "Result"),
            values=("ok", *FAILED),
            needed=True,
        ),
        Dimension(
            name="vehicle_class",
            title=text("车型", "Vehicle class"),
            values=("k1", "k2", "k3", "k4", "h1", "h2", "h3", "h4", "h5", "h6", "z"),
        ),
        Dimension(name="entry", title=text("入口信息", "Entry"), values=("known", "unknown")),
        Dimension(name="plate", title=text("识别车牌", "Plate by camera"), secret=True),
        Dimension(name="unit_plate", title=text("签内车牌", "Plate in the unit"), secret=True),
    ),
    measures=(
        Measure(
            name="fee_fen",
            unit="分",
            title=text("实收通行费", "Fee charged"),
            span=(0, 500_000),
            needed=True,
        ),
        Measure(name="due_fen", unit="分", title=text("应收通行费", "Fee due"), span=(0, 500_000)),
        Measure(
            name="speed_dkm_h",
            unit="0.1 km/h",
            title=text("通过速度", "Speed"),
            span=(0, 3000),
        ),
    ),
    oddities=(
        Oddity(
            name="plates_differ",
            title=text("签车不符", "Plates of unit and camera differ"),
            of=("plate", "unit_plate"),
            broken=plates_differ,
        ),
        Oddity(
            name="no_entry", title=text("无入口信息", "No entry"), of=("entry",), broken=no_entry
        ),
        Oddity(
            name="off_tariff",
            title=text("金额不符", "Fee is not the tariff"),
            of=("fee_fen", "due_fen"),
            broken=off_tariff,
        ),
        Oddity(
            name="unreadable",
            title=text("无法计收", "Nobody to bill"),
            of=("plate", "medium"),
            broken=unreadable,
        ),
        Oddity(
            name="too_fast",
            title=text("速度不可信", "Impossible speed"),
            of=("speed_dkm_h",),
            broken=too_fast,
        ),
    ),
    tallies=(
        Tally(name="passages"),
        Tally(name="charged", where={"result": ("ok",)}),
        Tally(name="failed", where={"result": FAILED}),
        Tally(name="plates_read", has="plate"),
        Tally(name="fee_fen", kind="sum", of="fee_fen"),
        Tally(name="lag_p95_s", kind="p95", of="lag_s"),
        Tally(name="plates_differ", odd="plates_differ"),
        Tally(name="no_entry", odd="no_entry"),
        Tally(name="off_tariff", odd="off_tariff"),
        Tally(name="unreadable", odd="unreadable"),
        Tally(name="too_fast", odd="too_fast"),
    ),
)
