"""Rows that are read where they lie are the rows that an index would copy."""

import numpy as np
import pytest

from engine.cells import Cells, Sensors, compact

PLACES, ROWS = 3, 8
SLOTS = ([2, 3, 4], [4, 3, 2], [1, 2, 4], [5], [2, 3, 3, 5], [0, 1, 2, 3, 4, 5, 6, 7], [])


def array() -> np.ndarray:
    return np.arange(PLACES * ROWS * 2.0).reshape(PLACES, ROWS, 2)


@pytest.mark.parametrize("slots", SLOTS)
def test_rows_are_read_and_written_as_by_their_numbers(slots: list[int]) -> None:
    numbers, read, expected = np.array(slots, int), array()[0], array()[0]
    sensors = Sensors(numbers)
    assert np.array_equal(sensors.read(read), expected[numbers])
    values = -np.ones((len(slots), 2))
    sensors.write(read, values)
    expected[numbers] = values
    assert np.array_equal(read, expected)


@pytest.mark.parametrize("slots", [s for s in SLOTS if len(set(s)) == len(s)])
@pytest.mark.parametrize("places", [[1] * ROWS, [0, 1, 2, 0, 1, 2, 0, 1]])
def test_cells_are_changed_as_by_their_numbers(slots: list[int], places: list[int]) -> None:
    place, numbers = np.array(places[: len(slots)], int), np.array(slots, int)
    found, expected = array(), array()
    cells = Cells(Sensors(numbers), place)
    assert np.array_equal(cells.read(found), expected[place, numbers])
    values = np.arange(len(slots) * 2.0).reshape(-1, 2)
    cells.change(found, np.add, values)
    cells.replace(found, -values, values > 2)
    expected[place, numbers] += values
    expected[place, numbers] = np.where(values > 2, -values, expected[place, numbers])
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("slots", SLOTS)
def test_only_neighbours_in_rising_order_become_a_slice(slots: list[int]) -> None:
    rising = bool(slots) and slots == list(range(slots[0], slots[0] + len(slots)))
    assert isinstance(compact(np.array(slots, int)), slice) == rising
