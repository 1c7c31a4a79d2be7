"""Zeros, denormals, huge numbers, NaN and infinities in every metric of every stream."""

import math
import warnings

import pytest

from catalog.registry import stream, streams
from catalog.ticks import Tick
from engine.partition import PartitionEngine
from tests.property.draws import sensor_names
from tests.property.logs import START, US, Log, Record, run_engine, run_reference
from verify.oracle.compare import compare
from verify.oracle.outputs import plain

ODD = (0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-9, 1.7e308, -1.7e308)
NOT_FINITE = (math.nan, math.inf, -math.inf)


def odd_log(name: str) -> Log:
    """Return readings whose metrics go through the odd numbers, out of step with each other."""
    declared, log = stream(name), list[Record]()
    numbers = [*ODD, None, *(m.typical[0] for m in declared.metrics), *NOT_FINITE]
    sensor = sensor_names(declared)[0]
    for n in range(3 * len(numbers)):
        at = START + n * declared.cadence_s
        values = {
            m.name: numbers[(n * (1 + place % 2) + place) % len(numbers)]
            for place, m in enumerate(declared.metrics)
        }
        log += [((sensor, at * US, values),), Tick(at + 1)]
    return [*log, Tick(START + 10**6), Tick(START + 10**6 + 1)]


@pytest.mark.parametrize("name", sorted(streams()))
def test_odd_numbers_give_what_the_reference_gives_and_nothing_that_is_no_number(name: str) -> None:
    log = odd_log(name)
    wanted = run_reference(stream(name), log)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run_engine(PartitionEngine(stream(name)), log)
    assert not (difference := compare("windows", wanted.windows, found.windows)), difference
    told = {id: plain(t) for id, t in wanted.transitions.items()}
    assert not (difference := compare("transitions", told, found.transitions)), difference
    assert found.flags == wanted.flags
    assert found.accepted == wanted.accepted > 0
    statistics = [x for row in found.windows.values() for x in row.values() if x is not None]
    assert all(math.isfinite(x) for x in statistics)
