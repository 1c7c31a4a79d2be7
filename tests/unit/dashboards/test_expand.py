"""Panel SQL is expanded as Grafana's browser and PostgreSQL plugin do."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.expand import View, expand, interval_ms

END = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
VIEW = View(END - timedelta(hours=6), END, {"district": "510104", "evil": "a' OR '1'='1"})


def test_time_macros_are_utc_literals() -> None:
    shown = expand("f($__timeFrom(), $__timeTo()) AND $__timeFilter(t)", VIEW, 60_000)
    assert shown == (
        "f('2026-11-24T06:00:00Z', '2026-11-24T12:00:00Z')"
        " AND t BETWEEN '2026-11-24T06:00:00Z' AND '2026-11-24T12:00:00Z'"
    )


def test_intervals_and_every_way_to_write_a_variable() -> None:
    written = "$__interval $__interval_ms $district ${district} [[district]] ${district:sqlstring}"
    assert expand(written, VIEW, 300_000) == "5m 300000 510104 510104 510104 '510104'"


def test_a_quote_in_a_variable_stays_inside_its_literal() -> None:
    assert expand("x = ${evil:sqlstring}", VIEW, 1000) == "x = 'a'' OR ''1''=''1'"


def test_unknown_macro_is_an_error_and_unknown_variable_stays() -> None:
    assert expand("$unknown", VIEW, 1000) == "$unknown"
    with pytest.raises(ValueError, match="__unixEpochFilter"):
        expand("$__unixEpochFilter(t)", VIEW, 1000)


@pytest.mark.parametrize(
    ("points", "least", "expected"),
    [(500, None, 30_000), (500, "1m", 60_000), (72, None, 300_000), (None, None, 20_000)],
)
def test_step_is_range_over_points_rounded_as_grafana_rounds(
    points: int | None, least: str | None, expected: int
) -> None:
    assert interval_ms(VIEW, points, least) == expected
