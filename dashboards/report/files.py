"""A report's files: read from the database, written as HTML, printed as PDF."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import psycopg
import typer

from dashboards.report.pdf import NoPdfError, browser, print_pdf


def write_report(
    out: Path, name: str, dsn: str, read: Callable[[psycopg.Connection], str], *, pdf: bool
) -> None:
    """Write the page that ``read`` makes into a folder, and as PDF too; say where they are."""
    try:
        if pdf:
            browser()  # say what is missing before the work, not after it
        with psycopg.connect(dsn, connect_timeout=5) as conn:
            conn.read_only = True
            html = read(conn)
        out.mkdir(parents=True, exist_ok=True)
        page = out / f"{name}.html"
        page.write_text(html)
        typer.echo(page)
        if pdf:
            print_pdf(page, page.with_suffix(".pdf"))
            typer.echo(page.with_suffix(".pdf"))
    except NoPdfError as error:
        fail(str(error).strip(), 1)


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong and end the command."""
    typer.echo(f"✕ {message}", err=True)
    raise typer.Exit(code)
