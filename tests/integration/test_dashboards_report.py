"""The day on one page: the numbers are the database's, the PDF is one page that can be read."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection
from typer.testing import CliRunner

from catalog.headline import vital_title
from catalog.incident import incident_kinds
from catalog.registry import stream, streams
from catalog.site import zone
from dashboards.__main__ import app
from dashboards.report.day import Day, Span, read_day
from dashboards.report.page import number, render, written_date
from dashboards.report.pdf import CHOSEN, print_pdf
from deploy.native import packages
from tests.support.databases import Databases
from tests.support.history import (
    Past,
    write_deliveries,
    write_history,
    write_incidents,
    write_older_alerts,
)


@pytest.fixture(scope="module")
def past() -> Past:
    """Two days and a bit up to the newest 23:00 in town: yesterday is whole at any time of day."""
    town = datetime.now(zone())
    late = town.replace(hour=23, minute=0, second=0, microsecond=0)
    now = (late if late <= town else late - timedelta(days=1)).astimezone(UTC)
    return Past(now, raw_hours=0, window_hours=0, quarter_hours=72, rollup_hours=50)


@pytest.fixture(scope="module")
def city(databases: Databases, past: Past) -> Iterator[str]:
    """Address of a database that knows yesterday."""
    with databases.fresh(migrated=True) as dsn:
        with psycopg.connect(dsn) as conn:
            conn.execute("SET LOCAL synchronous_commit = off")
            write_history(conn, past)
            write_older_alerts(conn, past, every_hours=3)
            write_incidents(conn, past)
            write_deliveries(conn)
            _verified(conn, past)
        yield dsn


def _verified(conn: Connection, past: Past) -> None:
    """A forecast of each of the last hours: half as far off as the day before, 80 % inside."""
    conn.execute(
        "WITH made AS (INSERT INTO forecast_series (stream, metric, level, subject) VALUES"
        " ('noise', 'leq_db', 'sensor', 'noise-510104-01') RETURNING id)"
        " INSERT INTO forecast_scores (series, valid_at, lead_s, truth, median, base_day, inside80)"
        " SELECT id, date_trunc('hour', %s::timestamptz) - make_interval(hours => h), lead_s, 60,"
        " 60 + lead_s / 28800.0, 60 + lead_s / 14400.0, h %% 5 > 0"
        " FROM made, generate_series(1, 49) h, (VALUES (3600), (21600), (86400)) l (lead_s)",
        [past.now],
    )
    conn.execute(
        "INSERT INTO forecast_warnings (series, rule, severity, limit_value, raised_at, chance,"
        " expected_at, ended_at, outcome, on_trial) SELECT id, 'noise.day', n, 70, %s, 0.6, %s, %s,"
        " (ARRAY['hit', 'false', 'withdrawn', 'miss'])[n], n > 1"
        " FROM forecast_series, generate_series(1, 4) n",
        [past.now - timedelta(hours=hours) for hours in (27, 26, 25)],
    )


@pytest.fixture(scope="module")
def span(past: Past) -> Span:
    """Yesterday, in local time."""
    return Span((past.now.astimezone(zone()) - timedelta(days=1)).date())


@pytest.fixture
def reader(city: str) -> Iterator[Connection]:
    """Connection as grafana_ro: the report needs no more."""
    with psycopg.connect(city) as conn:
        conn.execute("SET ROLE grafana_ro")
        yield conn


@pytest.fixture
def day(reader: Connection, span: Span) -> Day:
    """Yesterday's report in Chinese."""
    return read_day(reader, span.date, "zh")


@pytest.fixture(scope="module")
def chromium() -> None:
    """Chromium, a font with Chinese letters, and poppler to read what was printed."""
    packages.ensure_browser(["poppler-utils"])


def plain(html: str) -> str:
    """Return the text of a page, without tags and with single spaces."""
    body = html.split("</style>")[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def pages_and_text(pdf: Path) -> tuple[int, str, str]:
    """Return the number of pages, the paper and the text of a PDF."""
    info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    text = subprocess.run(
        ["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = re.search(r"Pages:\s+(\d+)", info)
    assert pages
    return int(pages[1]), info, text


def test_numbers_are_those_of_the_tables(city: str, span: Span, day: Day) -> None:
    with psycopg.connect(city) as conn:
        low, mean, high = conn.execute(
            "SELECT min(v), avg(v), max(v) FROM (SELECT max(leq_db_max) AS v"
            " FROM rollup_15m_noise WHERE window_start >= %s AND window_start < %s"
            " GROUP BY window_start) w",
            [span.start, span.end],
        ).fetchone() or (0, 0, 0)
        (raised,) = conn.execute(
            "SELECT count(*) FROM episodes WHERE raised_at >= %s AND raised_at <= %s",
            [span.start, span.end],
        ).fetchone() or (0,)
    noise = next(one for one in day.vitals if one.vital.stream.name == "noise")
    assert noise.mean == pytest.approx(mean)
    assert (min(noise.values), max(noise.values)) == pytest.approx((low, high))
    assert len(noise.points) == 96
    assert day.raised == raised == sum(map(sum, day.by_hour.values()))
    assert raised >= 7 * len(streams())
    places = stream("noise").quantity("leq_db").decimals
    row = f"{number(low, places)} {number(mean, places)} {number(high, places)} dB(A)"
    assert row in plain(render(day))


def test_both_languages_tell_the_same_day(reader: Connection, span: Span, day: Day) -> None:
    english = plain(render(read_day(reader, span.date, "en")))
    chinese = plain(render(day))
    for one in streams().values():
        assert vital_title(one).zh in chinese
        assert vital_title(one).en in english
    assert f"产生 {day.raised} 起告警" in chinese
    assert f"{day.raised} alerts were raised" in english
    left = english.replace("值班室", "")  # a receiver is called what people called it
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in left)


def test_incidents_are_shown_with_their_cause(day: Day) -> None:
    (incident,) = day.incidents
    page = plain(render(day))
    assert incident_kinds()["power_outage"].title.zh in page
    assert f"{incident['sensor_zh']} 2 – 已结束" in page


def test_deliveries_and_completeness_are_shown(day: Day) -> None:
    (receiver,) = day.receivers
    assert receiver["delivered"] > 50
    assert f"值班室 {receiver['delivered']} 0" in plain(render(day))
    assert {row["stream"] for row in day.completeness} == set(streams())
    assert day.complete_pct is not None


def test_the_day_says_what_had_been_forecast_of_it_and_what_came(
    reader: Connection, span: Span, day: Day
) -> None:
    (row,) = day.forecasts
    assert (row["mae"], row["gain1_pct"], row["gain24_pct"]) == (3, 50, 50)
    assert 75 < row["inside80_pct"] < 85
    assert day.warnings == {"raised": 3, "hits": 1, "not_come": 2, "misses": 1, "told": 1}
    page = plain(render(day))
    assert "3.0 dB(A) 50 / 50 / 50" in page
    assert "预警 3 条（通知 1 条）；已结束：命中 1、未发生 2；漏报 1" in page
    english = plain(render(read_day(reader, span.date, "en")))
    assert "3 early warnings (1 told); ended: 1 came true, 2 did not; 1 missed" in english


def test_a_day_without_data_says_so(reader: Connection) -> None:
    page = plain(render(read_day(reader, datetime(2020, 1, 1, tzinfo=zone()).date(), "zh")))
    assert "全天无告警；没有收到任何数据。" in page
    assert "尚未结束" not in page
    assert page.count("无数据") == len(streams())
    assert "当天没有告警" in page


def test_a_day_that_is_not_over_says_so_and_is_compared_with_the_same_hours(
    reader: Connection, span: Span
) -> None:
    noon = span.start + timedelta(hours=12)
    day = read_day(reader, span.date, "zh", now=noon)
    whole = read_day(reader, span.date, "zh", now=span.end + timedelta(days=1))
    page = plain(render(day))
    assert "0 时至 12:00" in page
    assert "当天尚未结束：以下数字截至 12:00" in page
    assert f"迄今产生 {day.raised} 起告警" in page
    assert 0 < day.raised < whole.raised
    assert max(hour for one in day.vitals for hour, _ in one.points) < 12
    noise, all_noise = (
        next(v for v in d.vitals if v.vital.stream.name == "noise") for d in (day, whole)
    )
    assert noise.mean_before is not None and all_noise.mean_before is not None
    assert noise.mean_before != pytest.approx(all_noise.mean_before)
    assert day.complete_pct == pytest.approx(whole.complete_pct, abs=5)  # not half of it


def test_dates_are_written_as_people_write_them(span: Span) -> None:
    new_year = datetime(2026, 1, 1, tzinfo=zone()).date()
    assert written_date(new_year, "zh") == "2026 年 1 月 1 日 星期四"
    assert written_date(new_year, "en") == "Thursday, 1 January 2026"
    assert (span.end - span.start) == timedelta(days=1)


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_the_command_prints_one_page_that_can_be_read(
    city: str, span: Span, day: Day, tmp_path: Path
) -> None:
    given = ["report", "--dsn", city, "--out", str(tmp_path), "--date", str(span.date)]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    pdf = tmp_path / f"cityops-{span.date}-zh.pdf"
    assert done.output.split() == [str(pdf.with_suffix(".html")), str(pdf)]
    pages, info, text = pages_and_text(pdf)
    assert pages == 1
    assert "A4" in info
    assert "成都市运行日报" in text
    assert all(vital_title(one).zh in text for one in streams().values())
    assert f"全天产生 {day.raised} 起告警" in text
    assert "来源：TimescaleDB" in text  # the footer: nothing below was cut off


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_twice_the_streams_still_fit(day: Day, tmp_path: Path) -> None:
    full = replace(
        day,
        vitals=day.vitals * 2,
        completeness=day.completeness * 2,
        flags=[("spike", 9)] * 6,
        letters=[{"stream": "noise", "code": "late", "letters": 1, "open": 0}] * 9,
        receivers=day.receivers * 9,
    )
    page, pdf = tmp_path / "full.html", tmp_path / "full.pdf"
    page.write_text(render(full))
    print_pdf(page, pdf)
    pages, _, text = pages_and_text(pdf)
    assert pages == 1
    assert text.count("顶层油温") == 2
    assert "来源：TimescaleDB" in text
    assert text.rindex("主变压器") < text.index("来源：TimescaleDB")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["--date", "2999-01-01"], 2, "not over yet"),
        ([], 1, "/no/chromium is not a program"),
    ],
)
def test_errors_say_what_to_do(
    city: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.setenv(CHOSEN, "/no/chromium")
    done = CliRunner().invoke(app, ["report", "--dsn", city, "--out", str(tmp_path), *given])
    assert done.exit_code == code
    assert said in done.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []
