"""``python -m alerts routes …``: check the routing file and try it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.event.labels import Labels, alert_labels
from alerts.routing.routes import Routes, read_routes
from alerts.settings import AlertSettings
from catalog.errors import FatalError
from catalog.model import Severity
from catalog.registry import streams
from service.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Check the routing file and try it.")
File = Annotated[Path | None, typer.Option("--file", help="routes file (default: the running one)")]


@app.command("check")
def check_command(file: File = None) -> None:
    """Check a routes file. Example: python -m alerts routes check --file my-routes.toml"""
    routes = _read(file)
    named = ", ".join(sorted(routes.receivers())) or "none (every receiver takes part)"
    typer.echo(f"fine; receivers named: {named}")


@app.command("test")
def test_command(
    rule: Annotated[str, typer.Option(help="rule id, e.g. feeder.trip")] = "",
    sensor: Annotated[str, typer.Option(help="sensor id; gives the district too")] = "",
    severity: Annotated[str, typer.Option(help="red, orange, yellow or blue")] = "red",
    incident: Annotated[str, typer.Option(help="incident kind")] = "",
    label: Annotated[list[str] | None, typer.Option(help="name=value, overrides")] = None,
    file: File = None,
) -> None:
    """Tell where an alert would go.

    Example: python -m alerts routes test --rule waterlogging.ponding --severity orange --label district=510104
    """  # noqa: E501
    routes = _read(file)
    labels = _labels(rule, sensor, severity, incident, label or [])
    now = SystemClock().now()
    table = Table("route", "receivers", "grouping", "muted now", "escalation")
    for leg in routes.legs(labels):
        group = leg.group
        how = "at once" if not group.by and not group.wait_s else f"by {', '.join(group.by)}"
        how += f", wait {group.wait_s:g} s" if group.wait_s else ""
        how += f", repeat {group.repeat_s:g} s" if group.repeat_s else ""
        steps = "; ".join(f"{s.after_min:g} min → {', '.join(s.to)}" for s in leg.escalate)
        table.add_row(
            *(leg.path, ", ".join(leg.receivers), how, "yes" if leg.muted(now) else "no", steps)
        )
    Console().print(table)


def _labels(rule: str, sensor: str, severity: str, incident: str, given: list[str]) -> Labels:
    try:
        level = Severity[severity.upper()]
    except KeyError:
        raise typer.BadParameter("severity is red, orange, yellow or blue") from None
    stream = rule.partition(".")[0]
    if stream and stream not in streams():
        raise typer.BadParameter(f"no stream {stream!r}; known: {', '.join(streams())}")
    labels = alert_labels(rule, stream, sensor, level) | {"incident": incident}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign:
            raise typer.BadParameter(f"{pair!r} is not name=value")
        labels[name] = value
    return labels


def _read(file: Path | None) -> Routes:
    try:
        return read_routes(file or AlertSettings().routes_file)
    except FatalError as error:
        raise typer.BadParameter(str(error)) from None
