"""``python -m forecasts``: issue, score and train forecasts, and show how good they are."""

from pathlib import Path
from typing import Annotated

import typer

from forecasts.backtest_command import csv_command
from service.command import run

app = typer.Typer(no_args_is_help=True, help="What comes: forecasts with their uncertainty.")


@app.callback()
def room() -> None:
    """What comes: forecasts with their uncertainty, and how right they were."""


@app.command("backtest")
def backtest_command(
    csv: Annotated[Path | None, typer.Option(help="a CSV file with a header: any series")] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="TOML map, or the name of one in ingest/maps/")
    ] = None,
    learn: Annotated[float | None, typer.Option(help="days before the first origin")] = None,
    warm: Annotated[float | None, typer.Option(help="days of origins that do not count")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Forecast past data at every step, knowing only what was known, and score it per lead.

    Examples:

    python -m forecasts backtest --csv ETTh1.csv --map etth1

    python -m forecasts backtest --csv any.csv --json
    """
    if csv is None:
        raise typer.BadParameter("name a file: --csv FILE")
    csv_command(csv, map_, learn, warm, as_json)


if __name__ == "__main__":
    run(app)
