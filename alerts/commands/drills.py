"""``python -m alerts drills …``: exercises by the real way, to the exercise channel only."""

from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.commands.start import acting, database, me, write_down
from alerts.sources import drills as book
from catalog.site import zone
from service.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Drills: plan, list, show how fast people answer.")


@app.command("plan")
def plan_command(
    title: str,
    instruction: Annotated[str, typer.Option(help="what the receivers shall do")],
    receiver: Annotated[list[str] | None, typer.Option(help="of the exercise channel")] = None,
    in_minutes: Annotated[float, typer.Option(help="from now")] = 0,
    minutes: Annotated[float, typer.Option(help="how long")] = 30,
) -> None:
    """Plan a drill. Example: … drills plan "Flooded underpass" --instruction "report in" """
    now = SystemClock().now()
    draft = book.DrillDraft(
        title=title,
        instruction=instruction,
        receivers=receiver or [],
        starts_at=now + timedelta(minutes=in_minutes),
        minutes=minutes,
    )
    with database() as conn, conn.transaction():
        made = book.plan_drill(conn, draft, me(), now)
        write_down(conn, "drill.plan", str(made.id), title=made.title)
    typer.echo(f"drill {made.id} begins {made.starts_at.isoformat(timespec='seconds')}")


@app.command("list")
def list_command() -> None:
    """Print drills, the newest first. Example: python -m alerts drills list"""
    table = Table("drill", "title", "begins", "state", "by")
    with database() as conn:
        for d in book.list_drills(conn):
            state = "over" if d.ended_at else "running" if d.started_at else "planned"
            table.add_row(str(d.id), d.title, _time(d.starts_at), state, d.created_by)
    Console().print(table)


@app.command("show")
def show_command(drill: int) -> None:
    """Print seconds from delivery to each step. Example: python -m alerts drills show 3"""
    with database() as conn:
        page = book.get_drill(conn, drill)
    table = Table("receiver", "delivered", "received s", "accepted s", "on site s", "done s")
    for r in page.results:
        steps = (r.received_s, r.accepted_s, r.on_site_s, r.done_s)
        delivered = _time(r.delivered_at) if r.delivered_at else "waits"
        table.add_row(r.receiver, delivered, *("" if s is None else f"{s:.0f}" for s in steps))
    Console().print(page.drill.title, table)


@app.command("cancel")
def cancel_command(drill: int) -> None:
    """End a drill now, or take it off the plan. Example: python -m alerts drills cancel 3"""
    with acting("drill.cancel", str(drill)) as conn:
        book.cancel_drill(conn, drill, me(), SystemClock().now())
    typer.echo(f"drill {drill} is cancelled")


def _time(at: datetime) -> str:
    return at.astimezone(zone()).strftime("%m-%d %H:%M:%S")
