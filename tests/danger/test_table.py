"""Each danger of the table raises within one cadence + 1 s; a lone spike raises nothing.

A metric that declares no spike test waits for nothing: an open cover, a blow against a bridge or a
burning bin is told by its first reading, which may be the only one for half an hour.
"""

import pytest

from catalog.model import Stream, ThresholdRule
from catalog.registry import streams
from tests.danger.run import (
    Moved,
    begins_at,
    calm_cadences,
    danger_of,
    lasting,
    log_of,
    run,
    waits_for_a_second,
)
from tests.danger.table import WAYS, Danger, Row, plain, rows

OF_DAYS = ("heat_3d",)
"""Rules on several days together: no danger of theirs comes about within a cadence."""
COUNTED = ("day_burner",)
"""Rules on the rate of a counter, which no row of the table lets rise; golden cases show them."""


def rules() -> list[tuple[str, str]]:
    return [
        (name, rule.name)
        for name, stream in streams().items()
        for rule in stream.rules
        if isinstance(rule, ThresholdRule) and rule.name not in OF_DAYS + COUNTED
    ]


def first(moved: list[Moved], row: Row, stream: Stream) -> tuple[float, int] | None:
    """Return when the row's rule raised (seconds of the log), and how badly."""
    for second, t in moved:
        if (t.rule, t.sensor, t.kind) == (stream.rule_id(row.rule), row.sensor, "raised"):
            return second, t.severity
    return None


def one_by_one(danger: Danger, all_rows: list[Row]) -> list[list[Row]]:
    """Return rows in groups of distinct sensors: some rules have few sensors with limits."""
    count = len(danger.sensors)
    return [all_rows[n : n + count] for n in range(0, len(all_rows), count)]


@pytest.mark.parametrize(("name", "rule"), rules())
def test_no_quality_control_delays_a_danger_and_no_spike_raises(name: str, rule: str) -> None:
    stream = streams()[name]
    declared = next(r for r in stream.rules if r.name == rule)
    assert isinstance(declared, ThresholdRule)
    danger = danger_of(stream, declared)
    calm, lasts = calm_cadences(stream, declared), lasting(stream, declared)
    table = list(rows(stream, danger, calm=calm, lasts=lasts))
    assert [row.way for row in table] == list(WAYS)
    wrong = []
    for group in one_by_one(danger, table):
        log = log_of(stream, group, begins_at(stream, danger.rule))
        wanted, found = run(plain(stream), log), run(stream, log)
        for row in group:
            ideal, real = first(wanted, row, stream), first(found, row, stream)
            if row.way == "spike" and waits_for_a_second(stream, declared):
                if real is not None:
                    wrong.append(f"spike: raised at {real}")
            elif ideal is not None and (real is None or real[0] > ideal[0] + stream.cadence_s + 1):
                wrong.append(f"{row.way}: {real}, without quality control {ideal}")
    assert not wrong, f"{name}.{rule} from {danger.calm} to {danger.worst}: " + "; ".join(wrong)
