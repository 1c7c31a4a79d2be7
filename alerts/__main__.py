"""``python -m alerts``: engine, delivery, receivers and the list of alerts."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.deliver import AlertSettings, run_deliver
from alerts.engine import run_engine
from alerts.receiver import serve
from alerts.receivers import Receiver, read_file, register
from alerts.store import NotFoundError, acknowledge, active_alerts
from catalog.model import Severity
from catalog.severity import LEVELS
from service.clock import SystemClock
from service.errors import FatalError
from service.postgres import connect
from service.process import run_process
from service.vitals import Vitals

app = typer.Typer(no_args_is_help=True, help="Alerts: episodes and who is told of them.")


@app.command("engine")
def engine_command() -> None:
    """Run the engine: transitions become episodes and an outbox."""
    settings = AlertSettings()

    def body(vitals: Vitals, stop: threading.Event) -> None:
        if settings.receivers_file:
            _register_file(settings)
        run_engine(settings, vitals, stop)

    sys.exit(run_process("alerts-engine", settings, body))


@app.command("deliver")
def deliver_command() -> None:
    """Run the delivery of the outbox to the receivers."""
    settings = AlertSettings()
    sys.exit(
        run_process("alerts-deliver", settings, lambda v, stop: run_deliver(settings, v, stop))
    )


@app.command("receiver")
def receiver_command(
    port: Annotated[int, typer.Option(help="loopback port to listen on")],
    secret_file: Annotated[Path, typer.Option(help="file that holds the signing secret")],
    json: Annotated[bool, typer.Option(help="print JSON lines")] = False,
) -> None:
    """Run the reference receiver, which verifies signatures and prints each event."""
    secret = secret_file.read_text().strip()

    def body(vitals: Vitals, stop: threading.Event) -> None:
        vitals.ready()
        serve(port, secret, json, stop)

    sys.exit(run_process("receiver", AlertSettings(), body))


@app.command("add-receiver")
def add_receiver_command(
    name: str,
    url: str,
    min_severity: Annotated[int, typer.Option(help="1 red only … 4 all")] = 4,
    secret_file: Annotated[Path | None, typer.Option(help="use the secret in this file")] = None,
) -> None:
    """Register a receiver. Example: python -m alerts add-receiver duty http://127.0.0.1:8800/"""
    settings = AlertSettings()
    try:
        given = Receiver(name=name, url=url, min_severity=min_severity, secret_file=secret_file)
        with connect(settings.database(), "alerts", autocommit=True) as conn:
            secret = register(conn, given, settings.webhook_hosts, "api")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(f"registered {name}" if secret_file else f"registered {name}; secret: {secret}")


@app.command("list")
def list_command() -> None:
    """Print the active alerts."""
    table = Table("episode", "level", "rule", "sensor", "value", "raised", "acknowledged")
    with connect(AlertSettings().database(), "alerts", autocommit=True) as conn:
        for alert in active_alerts(conn):
            level = LEVELS[Severity(alert.severity)]
            shown = "" if alert.value is None else f"{alert.value:g} {alert.unit}"
            raised = alert.raised_at.isoformat(timespec="seconds")
            name = f"{level.icon} {level.title.zh}"
            table.add_row(alert.id, name, alert.rule, alert.sensor, shown, raised, alert.acked_by)
    Console().print(table)


@app.command("ack")
def ack_command(episode: str, by: str, note: str = "") -> None:
    """Acknowledge an alert. Example: python -m alerts ack EPISODE 'duty officer'"""
    with connect(AlertSettings().database(), "alerts", autocommit=True) as conn:
        try:
            acknowledge(conn, episode, by, note, SystemClock().now())
        except NotFoundError as error:
            raise typer.BadParameter(str(error)) from None
    typer.echo("acknowledged")


def _register_file(settings: AlertSettings) -> None:
    with connect(settings.database(), "alerts", autocommit=True) as conn:
        for receiver in read_file(Path(settings.receivers_file)):
            try:
                register(conn, receiver, settings.webhook_hosts, "file")
            except (ValueError, OSError) as error:
                raise FatalError(str(error), code="receivers", stage="delivering") from error


if __name__ == "__main__":
    app()
