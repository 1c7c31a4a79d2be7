"""``python -m alerts deliveries …``: what was sent, every attempt, and sending it again."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.commands.start import database, write_down
from alerts.delivery import log as log
from service.postgres import now_of

app = typer.Typer(no_args_is_help=True, help="The delivery log: list, show, replay.")


@app.command("list")
def list_command(
    receiver: Annotated[str, typer.Option(help="only this receiver")] = "",
    state: Annotated[str, typer.Option(help="waiting, delivered, failed or all")] = "all",
    limit: int = 50,
) -> None:
    """Print messages, newest first. Example: … deliveries list --state failed"""
    if state not in ("waiting", "delivered", "failed", "all"):
        raise typer.BadParameter("state is waiting, delivered, failed or all")
    table = Table("message", "receiver", "no.", "what", "made", "tries", "state", "last error")
    with database() as conn:
        for d in log.list_deliveries(conn, receiver=receiver, state=state, limit=limit):
            made = d.created_at.isoformat(timespec="seconds")
            table.add_row(
                *(d.id, d.receiver, str(d.sequence), d.headline, made, str(d.attempts), d.state),
                d.last_error or "",
            )
    Console().print(table)


@app.command("show")
def show_command(message: str) -> None:
    """Print one message, its body and every attempt. Example: … deliveries show msg_…"""
    with database() as conn:
        page = log.get_delivery(conn, message)
    out = Console()
    out.print(f"{page.delivery.receiver} no. {page.delivery.sequence}: {page.delivery.state}")
    table = Table("try", "at", "status", "ms", "error")
    for a in page.attempts:
        at = a.at.isoformat(timespec="milliseconds")
        table.add_row(
            *(str(a.attempt), at, str(a.status_code or ""), str(a.duration_ms), a.error or "")
        )
    out.print(table)
    typer.echo(page.body)


@app.command("replay")
def replay_command(
    message: Annotated[str, typer.Argument(help="webhook-id of one message")] = "",
    receiver: Annotated[str, typer.Option(help="or: everything of this receiver …")] = "",
    since: Annotated[str, typer.Option(help="… made at or after, ISO 8601")] = "",
    until: Annotated[str, typer.Option(help="… and before (default now)")] = "",
    failed: Annotated[bool, typer.Option(help="only what was given up")] = False,
) -> None:
    """Send again, with the same id and body, so that a receiver knows what it has.

    Example: … deliveries replay --receiver duty --since 2026-11-24T08:00+08:00 --failed
    """
    with database() as conn, conn.transaction():
        if message:
            count = log.replay(conn, message)
            write_down(conn, "delivery.replay", message, count=count)
        elif receiver and since:
            end = _time(until) if until else now_of(conn)
            count = log.replay_range(conn, receiver, _time(since), end, only_failed=failed)
            write_down(conn, "receiver.replay", receiver, count=count, since=since)
        else:
            raise typer.BadParameter("give a message, or --receiver and --since")
    typer.echo(f"{count} message(s) will be sent again")


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time") from None
    if at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} needs an offset, e.g. +08:00")
    return at
