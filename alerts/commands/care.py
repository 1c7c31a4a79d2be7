"""``python -m alerts list|show|ack|assign|comment|shelve``: look after alerts."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.commands.start import acting, database, me, write_down
from alerts.delivery.links import links_of
from alerts.episode import acts
from alerts.episode.models import Alert, AlertFilter
from alerts.episode.queries import find_alerts, get_alert
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import AlertSettings
from alerts.sources.ending import end_alert
from alerts.sources.exercises import performances
from alerts.sources.responses import STEPS
from alerts.sources.verdict import ACTS, Verdict, judge_alert
from catalog.model import Severity
from catalog.severity import LEVELS
from service.clock import SystemClock
from service.postgres import now_of

By = Annotated[str, typer.Option(help="who does it (default: you)")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the room's own."""
    for name, command in _COMMANDS.items():
        app.command(name)(command)


def list_command(
    state: Annotated[str, typer.Option(help="open, active, latched, cleared or all")] = "open",
    severity: Annotated[list[int] | None, typer.Option(help="1 red … 4 blue")] = None,
    domain: Annotated[list[str] | None, typer.Option()] = None,
    district: Annotated[list[str] | None, typer.Option(help="GB/T 2260 code")] = None,
    limit: int = 100,
) -> None:
    """Print alerts. Example: python -m alerts list --severity 1 --severity 2 --domain water"""
    table = Table("episode", "level", "rule", "sensor", "value", "raised", "care")
    with database() as conn:
        wanted = AlertFilter.model_validate(
            {
                "state": state,
                "severity": severity or [],
                "domain": domain or [],
                "district": district or [],
                "limit": limit,
            }
        )
        for alert in find_alerts(conn, wanted):
            table.add_row(alert.id, _level(alert), alert.rule, alert.sensor, *_rest(alert))
    Console().print(table)


def answers_command(record: int) -> None:
    """Print how fast receivers of an exercise answered. Example: python -m alerts answers 3"""
    steps = [f"{step}_s" for step in STEPS]
    table = Table("receiver", "delivered", *(step.replace("_", " ") for step in steps))
    with database() as conn:
        for found in performances(conn, record):
            at, taken = found.delivered_at, [getattr(found, step) for step in steps]
            delivered = at.isoformat(timespec="seconds") if at else "waits"
            shown = ("" if s is None else f"{s:.0f}" for s in taken)
            table.add_row(found.receiver, delivered, *shown)
    Console().print(table)


def show_command(episode: str) -> None:
    """Print one alert with its timeline. Example: python -m alerts show EPISODE"""
    with database() as conn:
        page = get_alert(conn, episode)
    out, alert = Console(), page.alert
    out.print(f"{_level(alert)} {' / '.join(alert.titles)} · {alert.sensor} · {alert.status}")
    table = Table("event time", "recorded", "who", "what", "note")
    lines = [
        (t.recorded_at, t.observed_at.isoformat(timespec="seconds"), alert.rule, t.kind,
         f"level {t.severity} value {t.value}")
        for t in page.transitions
    ]  # fmt: skip
    lines += [(a.at, "", a.who, a.act, a.note) for a in page.acts]
    for at, event_time, who, what, note in sorted(lines, key=lambda line: line[0]):
        table.add_row(event_time, at.isoformat(timespec="seconds"), who, what, note)
    out.print(table)
    out.print(f"told: {', '.join(page.told) or 'nobody'}")
    for held in page.held:
        out.print(f"held back from {held.receiver}: {held.reason}")


def ack_command(episode: str, by: By = "", note: str = "") -> None:
    """Acknowledge an alert. Example: python -m alerts ack EPISODE --by 'duty officer'"""
    with database() as conn, conn.transaction():
        done = acts.acknowledge(conn, episode, by or me(), note, SystemClock().now())
        if done:
            write_down(conn, "alert.ack", episode, by, note=note)
    typer.echo("acknowledged" if done else "was acknowledged before")


def unack_command(episode: str, by: By = "", note: str = "") -> None:
    """Take an acknowledgement back. Example: python -m alerts unack EPISODE"""
    with acting("alert.unack", episode, by, note=note) as conn:
        acts.unacknowledge(conn, episode, by or me(), note)
    typer.echo("not acknowledged any more")


def assign_command(episode: str, to: str, by: By = "") -> None:
    """Give an alert to a user. Example: python -m alerts assign EPISODE zhang.wei"""
    with acting("alert.assign", episode, by, note=to) as conn:
        acts.assign(conn, episode, by or me(), to, SystemClock().now())
    typer.echo(f"assigned to {to}" if to else "assigned to nobody")


def comment_command(episode: str, text: str, by: By = "") -> None:
    """Add a remark. Example: python -m alerts comment EPISODE 'pump is running'"""
    with acting("alert.comment", episode, by, note=text) as conn:
        acts.comment(conn, episode, by or me(), text)
    typer.echo("noted")


def shelve_command(episode: str, minutes: int, reason: str, by: By = "") -> None:
    """Say nothing of an alert for a while. Example: python -m alerts shelve EPISODE 60 'works'"""
    now = SystemClock().now()
    with acting("alert.shelve", episode, by, note=reason) as conn:
        acts.shelve(conn, episode, by or me(), now + timedelta(minutes=minutes), reason, now)
    typer.echo(f"shelved for {minutes} min")


def unshelve_command(episode: str, by: By = "") -> None:
    """End shelving. Example: python -m alerts unshelve EPISODE"""
    with acting("alert.unshelve", episode, by) as conn:
        acts.unshelve(conn, episode, by or me())
    typer.echo("not shelved any more")


def end_command(
    episode: str,
    note: Annotated[str, typer.Option(help="why, for the timeline")],
    by: By = "",
) -> None:
    """End an alert from elsewhere. Example: python -m alerts end EPISODE --note "rule deleted" """
    settings = AlertSettings()
    notifier = Notifier(read_routes(settings.routes_file), links_of(settings))
    with acting("alert.end", episode, by, note=note) as conn:
        end_alert(conn, episode, by or me(), note, notifier, settings, now_of(conn))
    typer.echo(f"{episode} is over")


def confirm_command(
    episode: str, note: Annotated[str, typer.Option(help="how it is known")], by: By = ""
) -> None:
    """Say that an alert in doubt is true. Example: python -m alerts confirm EPISODE --note seen"""
    _judge("confirmed", episode, note, by)
    typer.echo(f"{episode} is confirmed")


def withdraw_command(
    episode: str, note: Annotated[str, typer.Option(help="how it is known")], by: By = ""
) -> None:
    """Say that an alert's value is wrong. Example: python -m alerts withdraw EPISODE --note dry"""
    _judge("withdrawn", episode, note, by)
    typer.echo(f"{episode} is withdrawn")


def _judge(verdict: Verdict, episode: str, note: str, by: str) -> None:
    settings = AlertSettings()
    notifier = Notifier(read_routes(settings.routes_file), links_of(settings))
    with acting(f"alert.{ACTS[verdict]}", episode, by, note=note) as conn:
        judge_alert(conn, episode, verdict, by or me(), note, notifier, settings, now_of(conn))


def _level(alert: Alert) -> str:
    level = LEVELS[Severity(alert.severity)]
    return f"{level.icon} {level.title.zh}"


def _rest(alert: Alert) -> tuple[str, str, str]:
    shown = "" if alert.value is None else f"{alert.value:g} {alert.unit}"
    care = [f"ack {alert.acked_by}" if alert.acked_by else "", alert.assignee or ""]
    care += ["flapping" if alert.flapping else "", "shelved" if alert.shelved_until else ""]
    care += [alert.status if alert.status != "active" else ""]
    raised = alert.raised_at.isoformat(timespec="seconds")
    return shown, raised, ", ".join(part for part in care if part)


_COMMANDS = {
    "list": list_command,
    "show": show_command,
    "answers": answers_command,
    "ack": ack_command,
    "unack": unack_command,
    "assign": assign_command,
    "comment": comment_command,
    "shelve": shelve_command,
    "unshelve": unshelve_command,
    "end": end_command,
    "confirm": confirm_command,
    "withdraw": withdraw_command,
}
