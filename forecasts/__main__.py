"""``python -m forecasts``: issue, score and train forecasts, and show how good they are."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from psycopg import Connection

from catalog.errors import ContractError, TransientError
from catalog.guidance import guidances
from catalog.registry import streams
from forecasts.backtest_command import csv_command, stream_command
from forecasts.fetch import sources
from forecasts.groups import groups
from forecasts.guidance import take_all
from forecasts.loop import NAME, STALL_S, ForecastSettings, one_round, run_forecasts
from forecasts.round import issue_time, score_group, train_group
from service.command import run
from service.postgres import connect
from service.process import run_process
from service.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What comes: forecasts with their uncertainty.")
StreamOption = Annotated[str | None, typer.Option(help="one stream; all without it")]


@app.command("run")
def run_command() -> None:
    """Issue, score and train each hour until SIGTERM: the process that `make run` starts."""
    settings = ForecastSettings()
    body = lambda v, stop: run_forecasts(settings, v, stop)  # noqa: E731
    sys.exit(run_process(NAME, settings, body, exit_when_stalled_s=STALL_S))


@app.command("issue")
def issue_command(stream: StreamOption = None) -> None:
    """Issue what is due now, once; safe to repeat.

    Example: python -m forecasts issue --stream air_quality
    """
    with _connected(stream) as conn:
        for done in one_round(conn, datetime.now(UTC), stream=stream):
            typer.echo(
                f"{done.group}: {done.issued} issued at {done.issued_at:%Y-%m-%d %H:%M}Z,"
                f" {done.scored} scored, {done.trained} trained, {done.stale} silent"
            )


@app.command("score")
def score_command(stream: StreamOption = None) -> None:
    """Compare the forecasts of the last three days with what came, late corrections too.

    Example: python -m forecasts score
    """
    end = issue_time(datetime.now(UTC))
    with _connected(stream) as conn:
        for group in groups(stream):
            with conn.transaction():
                count = score_group(conn, group, end)
            typer.echo(f"{group.name}: {count} scored")


@app.command("train")
def train_command(stream: StreamOption = None) -> None:
    """Make the models anew now; they are made daily, and after a shift of level, by themselves.

    Example: python -m forecasts train --stream feeder
    """
    end = issue_time(datetime.now(UTC))
    with _connected(stream) as conn:
        for group in groups(stream):
            with conn.transaction():
                count = train_group(conn, group, end)
            typer.echo(f"{group.name}: {count} series trained")


@app.command("guidance")
def guidance_command(
    of: Annotated[
        str, typer.Option("--from", help="NAME=ADDRESS; without it what CITYOPS_GUIDANCE says")
    ] = "",
) -> None:
    """Fetch forecasts of others (the weather) once: CSV or JSON by HTTP, a file, a .toml map.

    Example: python -m forecasts guidance --from weather=forecast.csv
    """
    now = datetime.now(UTC)
    try:
        maps = sources(of or ForecastSettings().guidance)
        if not maps:
            raise typer.BadParameter("nothing to fetch: --from weather=ADDRESS, or set it")
        with _connected(None) as conn:
            for name, how in maps.items():
                typer.echo(f"{name}: {take_all(conn, guidances()[name], how, now)} issues stored")
    except (ContractError, TransientError) as error:
        typer.echo(f"✗ {error}", err=True)
        raise typer.Exit(2) from None


@app.command("backtest")
def backtest_command(
    csv: Annotated[Path | None, typer.Option(help="a CSV file with a header: any series")] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="TOML map, or the name of one in ingest/maps/")
    ] = None,
    learn: Annotated[float | None, typer.Option(help="days before the first origin")] = None,
    warm: Annotated[float | None, typer.Option(help="days of origins that do not count")] = None,
    stream: Annotated[str | None, typer.Option(help="or a stream of the database")] = None,
    days: Annotated[int, typer.Option(min=1, help="days to forecast, with --stream")] = 30,
    write: Annotated[bool, typer.Option("--write", help="store it, with --stream")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    weather: Annotated[
        Path | None, typer.Option(help="CSV of a weather forecast to use, with --csv")
    ] = None,
    guided: Annotated[
        bool, typer.Option("--guidance/--no-guidance", help="forecasts of others, with --stream")
    ] = True,
) -> None:
    """Forecast past data at every hour, knowing only what was known, and score it per lead.

    Examples:

    python -m forecasts backtest --csv ETTh1.csv --map etth1

    python -m forecasts backtest --csv any.csv --json

    python -m forecasts backtest --stream transformer --days 30 --write

    python -m forecasts backtest --stream air_quality --no-guidance
    """
    if csv is not None:
        csv_command(csv, map_, learn, warm, as_json, weather)
    elif stream is not None:
        with _connected(stream) as conn:
            end = issue_time(datetime.now(UTC))
            stream_command(conn, stream, end, days, write, as_json, guided)
    else:
        raise typer.BadParameter("name what to forecast: --csv FILE or --stream NAME")


def _connected(stream: str | None) -> Connection:
    if stream is not None and stream not in streams():
        raise typer.BadParameter(f"no stream {stream!r}; known: {', '.join(streams())}")
    return connect(Settings().database(), NAME, autocommit=True)


if __name__ == "__main__":
    run(app)
