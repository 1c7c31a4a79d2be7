"""``python -m alerts incidents …``: alerts of one cause, with plan and tasks."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts import incident_store as store
from alerts.commands.start import database, me
from alerts.incident_store import Summary
from catalog.model import Severity
from catalog.severity import LEVELS
from service.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Incidents: list, show, acknowledge, tick off tasks.")
By = Annotated[str, typer.Option(help="who (default: you)")]


@app.command("list")
def list_command(all: bool = False, kind: str = "") -> None:
    """Print incidents. Example: python -m alerts incidents list --kind waterlogging"""
    table = Table("incident", "level", "what", "state", "district", "alerts", "since", "care")
    with database() as conn:
        for i in store.list_incidents(conn, state="all" if all else "open", kind=kind):
            since = i.opened_at.astimezone().strftime("%m-%d %H:%M")
            counts = f"{i.firing}/{i.alerts}" + (f" ({i.folded} folded)" if i.folded else "")
            what = f"{i.title.zh} {i.title.en}"
            table.add_row(i.id, _level(i), what, i.status, i.district, counts, since, i.acked_by)
    Console().print(table)


@app.command("show")
def show_command(incident: str) -> None:
    """Print one incident. Example: python -m alerts incidents show inc-0123456789abcdef"""
    out = Console()
    with database() as conn:
        page = store.get_incident(conn, incident)
    i = page.incident
    out.print(f"{_level(i)} {i.title.zh} {i.title.en} · {i.status} · {i.district} {i.root_sensor}")
    out.print(f"{page.plan.zh} {page.plan.en}")
    evidence = Table("alert", "role", "rule", "sensor", "level", "state")
    for m in page.evidence:
        state = ("over" if m.cleared_at else "firing") + (", folded" if m.folded else "")
        evidence.add_row(m.episode, m.role, m.rule, m.sensor, str(m.severity), state)
    tasks = Table("task", "what", "who", "due", "done")
    for t in page.tasks:
        due = t.due_at.astimezone().strftime("%H:%M")
        tasks.add_row(t.name, f"{t.title.zh} {t.title.en}", t.owner, due, t.done_by or "")
    out.print(evidence, tasks)
    for act in page.timeline:
        out.print(f"{act.at.astimezone():%m-%d %H:%M:%S} {act.who} {act.act} {act.note}")


@app.command("ack")
def ack_command(incident: str, by: By = "", note: str = "") -> None:
    """Say that you take care; stops escalation. Example: … incidents ack inc-… --note "on it" """
    with database() as conn, conn.transaction():
        store.acknowledge_incident(conn, incident, by or me(), note, SystemClock().now())
    typer.echo(f"acknowledged {incident}")


@app.command("done")
def done_command(incident: str, task: str, by: By = "", note: str = "") -> None:
    """Tick off a task of the plan. Example: … incidents done inc-… pump"""
    with database() as conn, conn.transaction():
        store.finish_task(conn, incident, task, by or me(), note, SystemClock().now())
    typer.echo(f"{task} is done")


def _level(incident: Summary) -> str:
    level = LEVELS[Severity(incident.severity)]
    return f"{level.icon} {level.roman}"
