"""``python -m alerts``: engine, delivery, and commands for what they keep."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from alerts.commands import care, deliveries, incidents, receivers, routes, silences
from alerts.commands.start import prepare
from alerts.delivery import deliver, receiver
from alerts.engine import run_engine
from alerts.settings import AlertSettings
from service.command import run
from service.process import run_process
from service.vitals import Vitals
from service.waiting import wait_for

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Alerts: episodes, who is told of them, and the proof that they were.",
)
app.add_typer(incidents.app, name="incidents")
app.add_typer(receivers.app, name="receivers")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(silences.app, name="silences")
app.add_typer(routes.app, name="routes")
care.add_to(app)


@app.command("engine")
def engine_command() -> None:
    """Run the engine: transitions become episodes and an outbox."""
    settings = AlertSettings()

    def body(vitals: Vitals, stop: threading.Event) -> None:
        routes = wait_for("PostgreSQL", lambda: prepare(settings), vitals, stop)
        if routes is not None:
            run_engine(settings, routes, vitals, stop)

    sys.exit(run_process("alerts-engine", settings, body))


@app.command("deliver")
def deliver_command() -> None:
    """Run the delivery of the outbox to the receivers."""
    sys.exit(deliver.main())


@app.command("receiver")
def receiver_command(
    port: Annotated[int, typer.Option(help="loopback port to listen on")],
    secret_file: Annotated[Path, typer.Option(help="file that holds the signing secret")],
    json: Annotated[bool, typer.Option(help="print JSON lines")] = False,
) -> None:
    """Run the reference receiver, which verifies signatures and prints each event.

    Example: python -m alerts receiver --port 8800 --secret-file secret.txt
    """
    sys.exit(receiver.receive(port, secret_file, json))


if __name__ == "__main__":
    run(app)
