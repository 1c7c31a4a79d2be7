"""``python -m alerts incidents …``: alerts of one cause, with plan and tasks."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.commands.start import acting, database, me
from alerts.delivery.links import links_of
from alerts.incident import acts as decide
from alerts.incident import care as care
from alerts.incident import queries as store
from alerts.incident.queries import Summary
from alerts.incident.tasks import finish_task
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import AlertSettings
from catalog.model import Severity
from catalog.severity import LEVELS
from catalog.site import zone
from service.postgres import now_of

app = typer.Typer(no_args_is_help=True, help="Incidents: look at them, decide, work off the plan.")
By = Annotated[str, typer.Option(help="who (default: you)")]
Note = Annotated[str, typer.Option(help="why, for the timeline")]


@app.command("list")
def list_command(
    all: Annotated[bool, typer.Option("--all", help="also what is over")] = False,
    kind: Annotated[str, typer.Option(help="only this kind")] = "",
) -> None:
    """Print incidents. Example: python -m alerts incidents list --kind waterlogging"""
    table = Table("incident", "level", "what", "state", "district", "alerts", "since", "care")
    with database() as conn:
        for i in store.list_incidents(conn, state="all" if all else "open", kind=kind):
            since = i.opened_at.astimezone(zone()).strftime("%m-%d %H:%M")
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
        due = t.due_at.astimezone(zone()).strftime("%H:%M")
        tasks.add_row(t.name, f"{t.title.zh} {t.title.en}", t.owner, due, t.done_by or "")
    out.print(evidence, tasks)
    for act in page.timeline:
        out.print(f"{act.at.astimezone(zone()):%m-%d %H:%M:%S} {act.who} {act.act} {act.note}")


@app.command("confirm")
def confirm_command(incident: str, by: By = "") -> None:
    """Say that a candidate is real; it is told from then on. Example: … incidents confirm inc-…"""
    settings, notifier = _room()
    with acting("incident.confirm", incident, by) as conn:
        decide.confirm_incident(conn, incident, by or me(), notifier, settings, now_of(conn))
    typer.echo(f"confirmed {incident}")


@app.command("merge")
def merge_command(incident: str, into: str, by: By = "") -> None:
    """Say that two incidents are one; the second goes on. Example: … incidents merge inc-1 inc-2"""
    settings, notifier = _room()
    with acting("incident.merge", incident, by, into=into) as conn:
        who, now = by or me(), now_of(conn)
        decide.merge_incidents(conn, incident, into, who, notifier, settings, now)
    typer.echo(f"{incident} is part of {into}")


@app.command("end")
def end_command(
    incident: str,
    note: Annotated[str, typer.Option(help="why, for the timeline")],
    by: By = "",
) -> None:
    """End an incident. Example: … incidents end inc-… --note "pumped dry" """
    settings, notifier = _room()
    with acting("incident.resolve", incident, by, note=note) as conn:
        who, now = by or me(), now_of(conn)
        decide.resolve_incident(conn, incident, who, note, notifier, settings, now)
    typer.echo(f"{incident} is over")


@app.command("reopen")
def reopen_command(incident: str, by: By = "", note: Note = "") -> None:
    """Say that it is not over. Example: … incidents reopen inc-… --note "water is back" """
    settings, notifier = _room()
    with acting("incident.reopen", incident, by, note=note) as conn:
        who, now = by or me(), now_of(conn)
        decide.reopen_incident(conn, incident, who, note, notifier, settings, now)
    typer.echo(f"{incident} goes on")


@app.command("ack")
def ack_command(incident: str, by: By = "", note: Note = "") -> None:
    """Say that you take care; stops escalation. Example: … incidents ack inc-… --note "on it" """
    with acting("incident.ack", incident, by, note=note) as conn:
        care.acknowledge_incident(conn, incident, by or me(), note, now_of(conn))
    typer.echo(f"acknowledged {incident}")


@app.command("assign")
def assign_command(incident: str, to: str, by: By = "") -> None:
    """Give an incident to a user. Example: … incidents assign inc-… zhang.wei"""
    with acting("incident.assign", incident, by, to=to) as conn:
        care.assign_incident(conn, incident, by or me(), to)
    typer.echo(f"assigned to {to}" if to else "assigned to nobody")


@app.command("comment")
def comment_command(incident: str, text: str, by: By = "") -> None:
    """Add a remark to the timeline. Example: … incidents comment inc-… 'road is closed'"""
    with acting("incident.comment", incident, by, note=text) as conn:
        care.comment_incident(conn, incident, by or me(), text)
    typer.echo("noted")


@app.command("done")
def done_command(incident: str, task: str, by: By = "", note: Note = "") -> None:
    """Tick off a task of the plan. Example: … incidents done inc-… pump"""
    with database() as conn, conn.transaction():
        finish_task(conn, incident, task, by or me(), note, now_of(conn), "shell")
    typer.echo(f"{task} is done")


def _room() -> tuple[AlertSettings, Notifier]:
    settings = AlertSettings()
    return settings, Notifier(read_routes(settings.routes_file), links_of(settings))


def _level(incident: Summary) -> str:
    level = LEVELS[Severity(incident.severity)]
    return f"{level.icon} {level.roman}"
