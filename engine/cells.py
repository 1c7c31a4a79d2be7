"""Which rows of the state a step works on; neighbours are read and changed where they lie.

A source mostly sends the same sensors in the same order, and in the same minute. Their rows then
follow each other in one place of a ring, and a slice of the array itself takes the place of a copy:
several times as fast, with the same result.
"""

from typing import Any

import numpy as np

Index = slice | np.ndarray


def compact(rows: np.ndarray) -> Index:
    """Return the row numbers as a slice where each follows the one before it."""
    count = len(rows)
    if count and rows[-1] - rows[0] == count - 1 and (rows[1:] > rows[:-1]).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


class Sensors:
    """Distinct sensors ``[k]``, by their rows of the state."""

    __slots__ = ("_index", "slots")

    def __init__(self, slots: np.ndarray) -> None:
        self.slots = slots
        self._index = compact(slots)

    def __len__(self) -> int:
        return len(self.slots)

    def chosen(self, rows: np.ndarray) -> "Sensors":
        """Return some of them, by a mask or by places among them."""
        return Sensors(self.slots[rows])

    def read(self, array: np.ndarray) -> np.ndarray:
        """Return their rows of an array; to be looked at only, and before anything is written."""
        if isinstance(self._index, slice):
            return array[self._index]
        return array.take(self._index, axis=0)

    def write(self, array: np.ndarray, values: Any) -> None:
        """Put values into their rows of an array."""
        array[self._index] = values

    def add(self, array: np.ndarray, values: Any) -> None:
        """Add values to their rows of an array."""
        if isinstance(self._index, slice):
            array[self._index] += values
        else:
            array[self._index] = array.take(self._index, axis=0) + values


class Cells:
    """Distinct cells ``[k]`` of a ring: a place and a sensor each."""

    __slots__ = ("_own", "at", "place", "sensors")

    def __init__(self, sensors: Sensors, place: np.ndarray) -> None:
        self.sensors, self.place = sensors, place
        self._own = int(place[0]) if len(place) and (place == place[0]).all() else None
        self.at = (place, sensors.slots)
        """Index of the cells in an array ``[places, sensors, …]``."""

    def chosen(self, rows: np.ndarray) -> "Cells":
        """Return some of them, by a mask or by places among them."""
        return Cells(self.sensors.chosen(rows), self.place[rows])

    def read(self, array: np.ndarray) -> np.ndarray:
        """Return their cells of an array; to be looked at only, and before anything is written."""
        return array[self.at] if self._own is None else self.sensors.read(array[self._own])

    def write(self, array: np.ndarray, values: Any) -> None:
        """Put values into their cells of an array."""
        if self._own is None:
            array[self.at] = values
        else:
            self.sensors.write(array[self._own], values)

    def change(self, array: np.ndarray, by: np.ufunc, values: np.ndarray) -> None:
        """Put ``by(cell, value)`` into each cell, as ``np.add`` does."""
        self.write(array, by(self.read(array), values))

    def replace(self, array: np.ndarray, values: Any, where: np.ndarray) -> None:
        """Put values into those cells for which ``where`` is true."""
        self.write(array, np.where(where, values, self.read(array)))
