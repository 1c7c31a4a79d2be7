"""``python -m alerts silences …``: what is not said for a while."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.commands.start import database, me, write_down
from alerts.episode.queries import preview
from alerts.event.labels import parse_matcher
from alerts.routing import silences as book
from service.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Silences and maintenance windows.")
Matchers = Annotated[list[str], typer.Argument(help='district=510104, rule=~"water.*", …')]


@app.command("add")
def add_command(
    matchers: Matchers,
    reason: Annotated[str, typer.Option(help="why")],
    hours: Annotated[float, typer.Option(help="how long")] = 2.0,
    author: Annotated[str, typer.Option(help="who (default: you)")] = "",
    maintenance: Annotated[bool, typer.Option(help="works on sensors or in an area")] = False,
) -> None:
    """Set a silence. Example: … silences add district=510104 --reason works --hours 4"""
    now = SystemClock().now()
    with database() as conn, conn.transaction():
        draft = book.SilenceDraft.model_validate(
            {
                "kind": "maintenance" if maintenance else "silence",
                "matchers": [parse_matcher(m) for m in matchers],
                "reason": reason,
                "starts_at": now,
                "ends_at": now + timedelta(hours=hours),
            }
        )
        hidden = len(preview(conn, draft.matchers))
        made = book.add_silence(conn, draft, author or me())
        says = {"matchers": " ".join(map(str, made.matchers)), "reason": reason}
        write_down(conn, f"{made.kind}.create", str(made.id), author, **says)
    typer.echo(f"silence {made.id} until {made.ends_at.isoformat(timespec='minutes')}")
    typer.echo(f"open alerts it hides now: {hidden}")


@app.command("preview")
def preview_command(matchers: Matchers) -> None:
    """Print the open alerts a silence would hide. Example: … silences preview domain=water"""
    table = Table("episode", "rule", "sensor")
    with database() as conn:
        for alert in preview(conn, [parse_matcher(m) for m in matchers]):
            table.add_row(alert.id, alert.rule, alert.sensor)
    Console().print(table)


@app.command("list")
def list_command(expired: bool = False) -> None:
    """Print the silences. Example: … silences list --expired"""
    table = Table("id", "kind", "state", "matchers", "author", "reason", "ends")
    now = SystemClock().now()
    with database() as conn:
        for s in book.list_silences(conn, expired=expired):
            matchers = " ".join(str(m) for m in s.matchers)
            ends = s.ends_at.isoformat(timespec="minutes")
            table.add_row(str(s.id), s.kind, s.state(now), matchers, s.author, s.reason, ends)
    Console().print(table)


@app.command("end")
def end_command(silence: int) -> None:
    """End a silence now; what it hid and still lasts is told. Example: … silences end 3"""
    with database() as conn, conn.transaction():
        ended = book.end_silence(conn, silence, me(), SystemClock().now())
        if ended is None:
            raise LookupError(f"no silence {silence}")
        write_down(conn, f"{ended.kind}.expire", str(silence))
    typer.echo(f"silence {silence} is over")
