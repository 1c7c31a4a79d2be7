"""Rolling and derived quantities of readings, and what goes into their windows."""

from typing import Protocol

import numpy as np

from catalog.model import Derived
from engine import rolling, windows
from engine.alone import elementwise
from engine.cells import Sensors
from engine.outputs import Outputs
from engine.rates import rates
from engine.state import State

Columns = dict[str, np.ndarray]


class Checked(Protocol):
    """What tests have found of readings ``[k, M]``."""

    @property
    def used(self) -> np.ndarray:
        """Which values are used: neither missing nor failed."""
        ...

    @property
    def doubts(self) -> np.ndarray:
        """What is held against each value."""
        ...


def take_in(
    state: State,
    sensors: Sensors,
    times: np.ndarray,
    values: np.ndarray,
    checked: Checked,
    out: Outputs,
    held: np.ndarray | None = None,
) -> Columns:
    """Add readings to buckets and windows; return the used columns by name.

    Of readings that are ``held`` (a mask) nothing is added, and all columns are NaN.
    """
    used = checked.used
    if held is not None:
        used, values = used & ~held[:, None], np.where(held[:, None], np.nan, values)
    columns = _measured(state, sensors, times, np.where(used, values, np.nan))
    columns |= rolling.roll(state, sensors, times, columns)
    _derive_all(state, sensors, times, columns, out)
    if held is not None:
        columns = {name: np.where(held, np.nan, column) for name, column in columns.items()}
    good = used & (checked.doubts == 0)
    extra = [columns[name] for name in state.stream.aggregate_names[values.shape[1] :]]
    if extra:
        counted = [~np.isnan(e) for e in extra]
        values = np.column_stack([values, *extra])
        good, used = np.column_stack([good, *counted]), np.column_stack([used, *counted])
    windows.fill(state, sensors, times, values, good, used)
    return columns


def preview(
    state: State, sensors: Sensors, times: np.ndarray, used: np.ndarray, out: Outputs
) -> Columns:
    """Return the columns that used values ``[k, M]`` would give; nothing is kept of them."""
    columns = _measured(state, sensors, times, used)
    columns |= rolling.peek(state, sensors, times, columns)
    _derive_all(state, sensors, times, columns, out)
    return columns


def _measured(state: State, sensors: Sensors, times: np.ndarray, used: np.ndarray) -> Columns:
    """Return measured values and the rates of counters; none of a counter's value not used."""
    columns = {name: used[:, m] for m, name in enumerate(state.stream.metric_names)}
    if state.stream.rates:
        found = rates(state, sensors, times)
        for rate in state.stream.rates:
            columns[rate.name] = np.where(np.isnan(columns[rate.of]), np.nan, found[rate.name])
    return columns


def _derive_all(
    state: State, sensors: Sensors, times: np.ndarray, columns: Columns, out: Outputs
) -> None:
    for derived in state.stream.derived:
        columns[derived.name] = _derive(derived, sensors, times, columns, out)


def _derive(
    derived: Derived, sensors: Sensors, times: np.ndarray, columns: Columns, out: Outputs
) -> np.ndarray:
    def by(rows: slice) -> np.ndarray:
        return derived.by({name: columns[name][rows] for name in derived.of}, times[rows])

    return elementwise(derived.name, by, np.nan, sensors.slots, times, out)
