"""What boards are told of records is what their declarations and the KPIs say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection, sql

from catalog.lifecycle.registry import records
from records.kpi import Period, figures
from records.queries import states_of
from storage.views.kpis import PREFIX, make_functions
from tests.support.databases import Databases
from tests.support.record_history import city_of_records

NOW = datetime(2026, 7, 16, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def city(databases: Databases) -> Iterator[Connection]:
    with city_of_records(databases, NOW) as conn:
        yield conn


@pytest.mark.parametrize("by", ["", "district", "subclass"])
def test_the_boards_kpis_are_those_of_the_api(city: Connection, by: str) -> None:
    record, period = records()["case"], Period(NOW - timedelta(days=7), NOW)
    told = {
        (kpi, group): (met, counted, value)
        for kpi, group, met, counted, value in city.execute(
            "SELECT * FROM dash.record_kpis_case(%s, %s, %s)", [period.since, period.until, by]
        )
    }
    api = {
        (f.kpi, f.group): (f.numerator, f.denominator, f.value)
        for f in figures(city, record, period, by)
        if f.denominator != 0 and (f.denominator or f.value is not None)
    }
    assert len(api) >= 10
    assert {key: told[key] for key in api} == api


@pytest.mark.parametrize("kind", sorted(records()))
def test_the_boards_states_are_those_of_the_queue(city: Connection, kind: str) -> None:
    told = city.execute(
        "SELECT state, open, overdue FROM dash.records_by_state(%s)", [kind]
    ).fetchall()
    assert {state: (n, late) for state, n, late in told} == states_of(city, records()[kind])


def test_a_kind_that_is_declared_no_more_leaves_no_function(city: Connection) -> None:
    gone = sql.Identifier("dash", f"{PREFIX}gone")
    city.execute(
        sql.SQL("CREATE FUNCTION {} () RETURNS integer LANGUAGE sql AS 'SELECT 1'").format(gone)
    )
    make_functions(city)
    left = city.execute(
        "SELECT proname FROM pg_proc WHERE starts_with(proname, %s) ORDER BY 1", [PREFIX]
    ).fetchall()
    assert left == [(f"{PREFIX}{name}",) for name, r in sorted(records().items()) if r.kpis]
