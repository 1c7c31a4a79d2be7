"""``python -m dashboards report``: one day on one page, as HTML and PDF."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from catalog.site import zone
from dashboards.report.day import read_day
from dashboards.report.files import fail, write_report
from dashboards.report.page import render
from dashboards.texts import Lang


def report_command(
    out: Annotated[Path, typer.Option(help="folder for the files; made when missing")],
    dsn: Annotated[str, typer.Option(envvar="CITYOPS_DSN", help="database; only schema dash")],
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="local day; yesterday when not given"),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="language of the page")] = "zh",
    pdf: Annotated[bool, typer.Option(help="print it as PDF too (needs Chromium)")] = True,
) -> None:
    """Write the day's report: vital signs, alerts, data quality, deliveries. 运行日报

    Examples:

    python -m dashboards report --out reports

    python -m dashboards report --date 2026-07-16 --lang en --out reports --no-pdf
    """
    today = datetime.now(zone()).date()
    chosen = day.date() if day else today - timedelta(days=1)
    if chosen > today:
        fail(f"{chosen} is not over yet and has not begun", 2)
    name = f"cityops-{chosen}-{lang}"
    write_report(out, name, dsn, lambda conn: render(read_day(conn, chosen, lang)), pdf=pdf)
