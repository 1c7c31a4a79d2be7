"""``python -m dashboards week``: a week of a kind of record, as HTML and PDF."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from catalog.lifecycle.registry import records
from catalog.site import zone
from dashboards.report.files import write_report
from dashboards.report.week import monday_of, read_week
from dashboards.report.week_page import render_week
from dashboards.texts import Lang


def week_command(
    kind: Annotated[str, typer.Argument(help="kind of record, e.g. case")],
    out: Annotated[Path, typer.Option(help="folder for the files; made when missing")],
    dsn: Annotated[str, typer.Option(envvar="CITYOPS_DSN", help="database; only schema dash")],
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="a day of the week; else the last week"),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="language of the page")] = "zh",
    pdf: Annotated[bool, typer.Option(help="print it as PDF too (needs Chromium)")] = True,
) -> None:
    """Write the week's report of records: KPIs, units and areas with their scores. 周报

    Example: python -m dashboards week case --out reports
    """
    if kind not in records():
        raise typer.BadParameter(f"no record {kind!r}; known: {', '.join(records())}")
    now = datetime.now(zone())
    chosen = day.date() if day else now.date() - timedelta(days=7)
    if chosen > now.date():
        raise typer.BadParameter(f"{chosen} has not begun")
    name = f"cityops-{kind}-week-{monday_of(chosen)}-{lang}"

    def read(conn: psycopg.Connection) -> str:
        return render_week(read_week(conn, records()[kind], chosen, lang, now))

    write_report(out, name, dsn, read, pdf=pdf)
