"""``python -m storage override``: list, set, end what holds for single sensors."""

from datetime import datetime
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from catalog.errors import RefusedError
from service.postgres import connect, now_of
from service.settings import Settings
from storage.overrides import Target, Wish, end_override, history, in_force, set_override
from storage.shell import shell_user

app = typer.Typer(
    no_args_is_help=True, help="Spans, floors and resolutions of single sensors, with the reason."
)
BY_SHELL = "shell"
Reason = Annotated[str, typer.Option(help="why; everybody who sees the sensor reads it")]


@app.command("list")
def list_command(
    stream: str,
    sensor: str,
    ended: Annotated[bool, typer.Option(help="also what holds no more")] = False,
) -> None:
    """Print what is set. Example: python -m storage override list water_supply main-1 --ended"""
    table = Table("metric", "span", "floor", "resolution", "until", "author", "reason", "set at")
    with connect(Settings().database(), "override") as conn:
        rows = history(conn, stream, sensor)
        for row in rows if ended else in_force(rows, now_of(conn)):
            span = "" if row.span_low is None else f"{row.span_low:g} … {row.span_high:g}"
            given = (row.floor, row.resolution, row.until and row.until.isoformat())
            told = ("" if x is None else str(x) for x in given)
            at = row.made_at.isoformat(timespec="seconds")
            table.add_row(row.metric, span, *told, row.author, row.reason, at)
    Console().print(table)


@app.command("set")
def set_command(
    stream: str,
    sensor: str,
    metric: str,
    reason: Reason,
    low: Annotated[float | None, typer.Option(help="plausible from")] = None,
    high: Annotated[float | None, typer.Option(help="plausible to")] = None,
    floor: Annotated[float | None, typer.Option(help="limit of detection")] = None,
    resolution: Annotated[float | None, typer.Option(help="step of its values")] = None,
    until: Annotated[datetime | None, typer.Option(help="ISO 8601, in this machine's zone")] = None,
) -> None:
    """Set what holds. Example: … set water_supply main-1 pressure_mpa --low 0 --high 1.2 --reason
    'the high zone'"""
    span = None if low is None and high is None else (low, high)
    given = {"span": span, "floor": floor, "resolution": resolution, "reason": reason}
    try:
        wish = Wish.model_validate(given | {"until": until and until.astimezone()})
        with connect(Settings().database(), "override") as conn:
            set_override(conn, Target(stream, sensor, metric), wish, shell_user(), via=BY_SHELL)
    except (ValidationError, RefusedError) as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo("set; it holds within seconds")


@app.command("end")
def end_command(stream: str, sensor: str, metric: str, reason: Reason) -> None:
    """Take back what was set. Example: … end water_supply main-1 pressure_mpa --reason 'moved'"""
    try:
        with connect(Settings().database(), "override") as conn:
            end_override(conn, Target(stream, sensor, metric), reason, shell_user(), via=BY_SHELL)
    except (ValidationError, RefusedError) as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo("ended; as declared within seconds")
