"""``python -m dashboards report``: one day on one page, as HTML and PDF."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from catalog.site import zone
from dashboards.report.day import read_day
from dashboards.report.page import render
from dashboards.report.pdf import NoPdfError, browser, print_pdf
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
        _fail(f"{chosen} is not over yet and has not begun", 2)
    try:
        if pdf:
            browser()  # say what is missing before the work, not after it
        with psycopg.connect(dsn, connect_timeout=5) as conn:
            conn.read_only = True
            html = render(read_day(conn, chosen, lang))
        out.mkdir(parents=True, exist_ok=True)
        page = out / f"cityops-{chosen}-{lang}.html"
        page.write_text(html)
        typer.echo(page)
        if pdf:
            print_pdf(page, page.with_suffix(".pdf"))
            typer.echo(page.with_suffix(".pdf"))
    except NoPdfError as error:
        _fail(str(error).strip(), 1)


def _fail(message: str, code: int) -> None:
    typer.echo(f"✕ {message}", err=True)
    raise typer.Exit(code)
