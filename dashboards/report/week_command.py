"""``python -m dashboards week``: a week of a kind of record, as HTML and PDF."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from catalog.lifecycle.registry import records
from catalog.site import zone
from dashboards.report.pdf import NoPdfError, browser, print_pdf
from dashboards.report.week import read_week
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
    try:
        if pdf:
            browser()  # say what is missing before the work, not after it
        with psycopg.connect(dsn, connect_timeout=5) as conn:
            conn.read_only = True
            week = read_week(conn, records()[kind], chosen, lang, now)
        out.mkdir(parents=True, exist_ok=True)
        page = out / f"cityops-{kind}-week-{week.monday}-{lang}.html"
        page.write_text(render_week(week))
        typer.echo(page)
        if pdf:
            print_pdf(page, page.with_suffix(".pdf"))
            typer.echo(page.with_suffix(".pdf"))
    except NoPdfError as error:
        typer.echo(f"✕ {str(error).strip()}", err=True)
        raise typer.Exit(1) from None
