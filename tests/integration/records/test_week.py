"""The week's report: its numbers are the KPIs', it escapes what people wrote, it is printed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from catalog.lifecycle.registry import records
from catalog.site import zone
from dashboards.report.week import grouped_by, monday_of, read_week
from dashboards.report.week_page import render_week, written
from records.kpi import Period, figures
from tests.support.databases import Databases
from tests.support.record_history import city_of_records

NOW = datetime(2026, 7, 16, 12, tzinfo=UTC)
CASE = records()["case"]


@pytest.fixture(scope="module")
def city(databases: Databases) -> Iterator[Connection]:
    with city_of_records(databases, NOW) as conn:
        yield conn


def test_a_week_tells_the_kpis_of_its_days_and_of_the_week_before(city: Connection) -> None:
    week = read_week(city, CASE, NOW.date(), "zh", NOW)
    assert (week.monday.isoformat(), week.until) == ("2026-07-13", NOW)
    begin = datetime(2026, 7, 13, tzinfo=zone())
    now = {f.kpi: f.value for f in figures(city, CASE, Period(begin, NOW))}
    then = figures(city, CASE, Period(begin - timedelta(days=7), begin))
    assert {one.kpi.name: one.value for one in week.kpis} == now
    assert {one.kpi.name: one.before for one in week.kpis} == {f.kpi: f.value for f in then}


def test_units_and_areas_have_a_score_the_best_first(city: Connection) -> None:
    week = read_week(city, CASE, NOW.date(), "zh", NOW)
    assert [name for name, _ in week.groups] == grouped_by(CASE) == ["district", "department"]
    scores = [group.values[-1].value for group in dict(week.groups)["district"]]
    known = [score for score in scores if score is not None]
    assert known and known == sorted(known, reverse=True)
    by = {
        f.group: f.value
        for f in figures(city, CASE, Period(datetime(2026, 7, 13, tzinfo=zone()), NOW), "district")
        if f.kpi == "score" and f.value is not None
    }
    assert sorted(known) == sorted(by.values())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(records()))
def test_every_kind_has_its_sheet_in_both_languages(city: Connection, kind: str, lang: str) -> None:
    record = records()[kind]
    page = render_week(read_week(city, record, NOW.date(), lang, NOW))  # pyright: ignore
    for kpi in record.kpis:
        assert (kpi.title.zh if lang == "zh" else kpi.title.en) in page


def test_what_people_wrote_is_text(city: Connection) -> None:
    with city.transaction(force_rollback=True):
        city.execute(
            "UPDATE records SET fields = fields || %s, overdue = true, due_at = '2020-01-01'"
            " WHERE id = (SELECT min(id) FROM records WHERE kind = 'case' AND closed_at IS NULL)",
            [Jsonb({"description": "<script>alert(1)</script>"})],
        )
        page = render_week(read_week(city, CASE, NOW.date(), "zh", NOW))
    assert "&lt;script&gt;" in page and "<script>" not in page


def test_values_are_written_as_people_do() -> None:
    share = next(k for k in CASE.kpis if k.name == "filed")
    score = next(k for k in CASE.kpis if k.name == "score")
    assert written(share, 0.955) == "95.5 %"
    assert (written(score, 96.0), written(share, None)) == ("96.0", "–")
    assert monday_of(NOW.date()).isoweekday() == 1
