"""``python -m alerts receivers …``: who is told."""

from pathlib import Path
from typing import Annotated, get_args

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from alerts.commands.start import acting, database, me, write_down
from alerts.delivery import receivers as book
from alerts.delivery.guard import guard_of, hide
from alerts.delivery.links import links_of
from alerts.delivery.log import send_test
from alerts.delivery.vault import open_vault
from alerts.event.events import Format
from alerts.routing.routes import read_routes
from alerts.settings import AlertSettings
from alerts.sources.records import subscribe
from service.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Who is told: add, list, rotate, test, switch off.")
FORMATS = ", ".join(get_args(Format))


@app.command("add")
def add_command(
    name: str,
    url: str,
    format: Annotated[str, typer.Option(help=FORMATS)] = "cityops",
    min_severity: Annotated[int, typer.Option(help="1 red only … 4 all")] = 4,
    domain: Annotated[list[str] | None, typer.Option(help="only this domain (repeatable)")] = None,
    maintenance: Annotated[bool, typer.Option(help="also sensors silent or unwell")] = False,
    secret_file: Annotated[Path | None, typer.Option(help="use the secret in this file")] = None,
    exercise: Annotated[bool, typer.Option(help="a channel for drills")] = False,
    routed: Annotated[bool, typer.Option(help="take part in '*' of the routes file")] = True,
) -> None:
    """Register a receiver and print its new secret once.

    Example: python -m alerts receivers add duty https://duty.example.cn/hook --min-severity 2
    """
    settings = AlertSettings()
    try:
        given = book.Receiver.model_validate(
            {
                "name": name,
                "url": url,
                "format": format,
                "min_severity": min_severity,
                "domains": domain or [],
                "concerns": ["city", "maintenance"] if maintenance else ["city"],
                "secret_file": secret_file,
                "channel": "exercise" if exercise else "actual",
                "routed": routed,
            }
        )
    except ValidationError as error:
        raise typer.BadParameter("; ".join(e["msg"] for e in error.errors())) from None
    seen = given.model_dump(mode="json", exclude={"name", "secret", "secret_file"})
    with acting("receiver.create", name, **(seen | {"url": hide(url)})) as conn:
        guard = guard_of(settings, settings.webhook_hosts)
        secret = book.register(conn, given, guard, open_vault(settings.vault_file()), "api")
    shown = "" if secret_file or not secret else f"; secret (shown only now): {secret}"
    typer.echo(f"registered {name}{shown}")


@app.command("follow")
def follow_command(
    name: str,
    patterns: Annotated[
        list[str] | None, typer.Argument(help="case.*, *.close; none = stop")
    ] = None,
) -> None:
    """Send a receiver the steps of records. Example: … receivers follow duty 'case.*'"""
    with acting("receiver.follow", name, patterns=patterns or []) as conn:
        subscribe(conn, name, patterns or [])
    typer.echo(f"{name} gets {', '.join(patterns or []) or 'no steps of records'}")


@app.command("list")
def list_command() -> None:
    """Print the receivers and what waits for them. Example: python -m alerts receivers list"""
    table = Table("name", "address", "format", "channel", "state", "sent", "waiting", "last error")
    with database() as conn:
        for r in book.list_receivers(conn):
            state = "on" if r.enabled else f"off: {r.disabled_reason}"
            waiting = f"{r.waiting} ({r.oldest_waiting_s:.0f} s)" if r.waiting else "0"
            table.add_row(
                *(r.name, r.url, r.format, r.channel, state, str(r.last_seq), waiting),
                r.last_error or "",
            )
    Console().print(table)


@app.command("rotate")
def rotate_command(name: str) -> None:
    """Give a receiver a new secret; the old one signs as well for 24 hours.

    Example: python -m alerts receivers rotate duty
    """
    vault = open_vault(AlertSettings().vault_file())
    with acting("receiver.rotate", name) as conn:
        secret = book.rotate_secret(conn, name, vault, SystemClock().now())
    typer.echo(f"new secret (shown only now): {secret}")


@app.command("enable")
def enable_command(name: str) -> None:
    """Switch a receiver on; what waited is delivered. Example: … receivers enable duty"""
    with acting("receiver.change", name, enabled=True) as conn:
        book.switch(conn, name, True)
    typer.echo(f"{name} is on")


@app.command("disable")
def disable_command(name: str, reason: str = "switched off") -> None:
    """Switch a receiver off; nothing new is owed to it. Example: … receivers disable duty"""
    with acting("receiver.change", name, enabled=False, reason=reason) as conn:
        book.switch(conn, name, False, reason)
    typer.echo(f"{name} is off")


@app.command("remove")
def remove_command(name: str) -> None:
    """Remove a receiver, what waits for it and its delivery log. Example: … receivers remove duty

    One that the routes file or the receivers file names is taken out there first.
    """
    routes = read_routes(AlertSettings().routes_file)
    with database() as conn, conn.transaction():
        lost = book.remove(conn, name, routes.receivers())
        write_down(conn, "receiver.remove", name, undelivered=lost)
    typer.echo(f"removed {name}; {lost} message(s) had not been delivered")


@app.command("test")
def test_command(name: str) -> None:
    """Send a test message the way every alert goes. Example: … receivers test duty"""
    with database() as conn, conn.transaction():
        sent = send_test(conn, name, me(), links_of(AlertSettings()), SystemClock().now())
        write_down(conn, "receiver.test", name, message=sent)
    typer.echo(f"owed {sent}; see: python -m alerts deliveries show {sent}")
