"""``python -m records``: the loop of deadlines, and every act by the command line."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from catalog.detection import detections
from catalog.lifecycle.fields import RecordField
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.plan.registry import plans
from catalog.site import zone
from records import act as path
from records.context import Context, grants_of
from records.database import database
from records.imports import import_lines
from records.loop import run_records
from records.payload import headline
from records.plans.devices import Fleet
from records.plans.loop import PlanSettings, run_plans
from records.queries import Filter, Window, get_page, list_records
from records.things.command import app as things_app
from records.verify import verify_log, verify_states
from service.command import run
from service.process import run_process
from service.vitals import Vitals
from storage.shell import record_by_shell, shell_user

app = typer.Typer(no_args_is_help=True, help="Records: cases, orders and what else has a life.")
console = Console()
app.add_typer(things_app, name="things")
Fields = Annotated[list[str] | None, typer.Argument(help="field=value …")]


@app.command("run")
def run_command() -> None:
    """Run deadlines, schedules, openings by alerts, and plans until SIGTERM."""
    settings = PlanSettings()
    fleet = Fleet(settings.devices)
    for read in (plans, detections):
        read()  # a wrong declaration ends the start

    def body(vitals: Vitals, stop: threading.Event) -> None:
        beside = (settings, fleet, vitals, stop)
        thread = threading.Thread(target=run_plans, args=beside, name="plans", daemon=True)
        thread.start()
        run_records(settings, vitals, stop)
        thread.join()

    sys.exit(run_process("records", settings, body))


@app.command("kinds")
def kinds_command() -> None:
    """Print the declared records and their moves. Example: python -m records kinds"""
    table = Table("record", "system", "title", "move", "from", "to", "roles", "needs")
    for record in records().values():
        head = (record.name, record.system, f"{record.title.zh} {record.title.en}")
        for move in record.moves:
            states = (", ".join(move.from_states), move.to or "·")
            table.add_row(*head, move.name, *states, ", ".join(move.roles), ", ".join(move.needs))
            head = ("", "", "")
    console.print(table)


@app.command("list")
def list_command(
    kind: str,
    state: Annotated[list[str] | None, typer.Option(help="only these states")] = None,
    overdue: Annotated[bool, typer.Option(help="only overdue ones")] = False,
    closed: Annotated[bool, typer.Option(help="closed ones instead of open ones")] = False,
    limit: int = 50,
) -> None:
    """Print a queue, first due first. Example: python -m records list case --overdue"""
    table = Table("record", "state", "due", "opened", "what")
    with database() as conn:
        record = path.record_of(kind)
        wanted = Filter(states=tuple(state or ()), open=not closed, overdue=overdue)
        for row in list_records(conn, record, wanted, Window(limit=limit)):
            due = f"{_time(row.due_at)}{' !' if row.overdue else ''}"
            title = headline(record, row.fields).zh
            table.add_row(f"{kind}-{row.id}", row.state, due, _time(row.opened_at), title)
    console.print(table)


@app.command("show")
def show_command(kind: str, id: int) -> None:
    """Print a record with its log. Example: python -m records show case 12"""
    with database() as conn:
        page = get_page(conn, path.record_of(kind), id)
    console.print_json(page.model_dump_json())


@app.command("open")
def open_command(kind: str, fields: Fields = None, note: str = "", key: str = "") -> None:
    """Open a record. Example: python -m records open case subclass=0101 lon=104.06 lat=30.66"""
    with _acting() as context:
        given = _values(path.record_of(kind), fields or [])
        done = path.open_record(context, kind, given, note=note, key=key or None)
    typer.echo(f"{kind}-{done.id} is in state {done.state}")


@app.command("act")
def act_command(
    kind: str,
    ids: Annotated[str, typer.Argument(help="12, or 12,13,14")],
    move: str,
    fields: Fields = None,
    reason: str = "",
    note: str = "",
    expected_state: str = "",
    key: str = "",
) -> None:
    """Take a step of one record or of several. Example: … act case 12,13 file --note ok"""
    with _acting() as context:
        given = _values(path.record_of(kind), fields or [])
        try:
            wanted = [int(id) for id in ids.split(",")]
        except ValueError:
            raise typer.BadParameter(f"{ids!r} is no list of numbers") from None
        if len(wanted) == 1:
            done = path.act(
                context,
                kind,
                wanted[0],
                move,
                given,
                reason=reason,
                note=note,
                expected_state=expected_state or None,
                key=key or None,
            )
            typer.echo(f"{kind}-{done.id} is in state {done.state}")
            return
        found = path.act_many(
            context, kind, wanted, move, given, reason=reason, note=note, key=key or None
        )
    for outcome in found:
        said = f"is in state {outcome.done.state}" if outcome.done else f"refused: {outcome.error}"
        typer.echo(f"{kind}-{outcome.id} {said}")
    if any(outcome.error for outcome in found):
        raise typer.Exit(1)


@app.command("import")
def import_command(file: Path) -> None:
    """Take openings and moves from JSON lines, each once, by the same table of legal moves.

    {"kind": "case", "key": "a1", "open": {"subclass": "0101"}} or
    {"kind": "case", "key": "a2", "of": "a1", "move": "file", "args": {}, "reason": "", "note": ""}
    """
    with _acting() as context, file.open(encoding="utf-8") as lines:
        done = import_lines(context, lines)
    for line, why in done.refused:
        typer.echo(f"line {line}: {why}", err=True)
    typer.echo(f"{done.taken} taken, {done.repeated} taken before, {len(done.refused)} refused")
    if done.refused:
        raise typer.Exit(1)


@app.command("grant")
def grant_command(who: str, role: str, scope: str = "", revoke: bool = False) -> None:
    """Give a user or key a duty. Example: … grant team-7 urban.department --scope lighting"""
    system, _, name = role.partition(".")
    known = {(r.system, x.name): x for r in records().values() for x in r.roles}
    if (system, name) not in known:
        names = ", ".join(sorted(".".join(key) for key in known))
        raise typer.BadParameter(f"no role {role!r}; known: {names}")
    if scope and not known[system, name].scope:
        raise typer.BadParameter(f"{role} is for all records, it has no scope")
    with database() as conn, conn.transaction():
        values = [who, system, name, scope]
        if revoke:
            conn.execute(
                "DELETE FROM record_grants WHERE who = %s AND system = %s AND role = %s"
                " AND scope = %s",
                values,
            )
        else:
            conn.execute(
                "INSERT INTO record_grants (who, system, role, scope, granted_by)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [*values, shell_user()],
            )
        what = "record.revoke" if revoke else "record.grant"
        record_by_shell(conn, what, who, role=role, scope=scope)
    typer.echo(f"{who} {'no longer has' if revoke else 'has'} {role} {scope}".rstrip())


@app.command("verify")
def verify_command() -> None:
    """Replay every log, compare it with what is stored, and check each step against the audit."""
    with database() as conn:
        faults = [*verify_log(conn), *(f for k in records() for f in verify_states(conn, k))]
    for fault in faults:
        typer.echo(f"{fault.where}: {fault.what}", err=True)
    typer.echo(f"{len(faults)} faults")
    raise typer.Exit(1 if faults else 0)


@contextmanager
def _acting() -> Iterator[Context]:
    """Give the context of who types: whoever may run this has every role of the console."""
    with database() as conn:
        who = shell_user()
        yield Context(conn, who, "shell", "admin", grants_of(conn, who))


def _values(record: Record, given: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in given:
        name, sign, value = item.partition("=")
        if not sign:
            raise typer.BadParameter(f"{item!r}: write field=value")
        field = record.field(name)
        found[name] = _read(field, value) if field else value
    return found


def _read(field: RecordField, value: str) -> Any:
    if field.kind in ("text", "choice", "time"):
        return value
    if field.kind == "names":
        return value.split(",")
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value  # the field itself says what is wrong


def _time(at: Any) -> str:
    return at.astimezone(zone()).strftime("%m-%d %H:%M") if at else ""


if __name__ == "__main__":
    run(app)
