"""``python -m storage dead-letters``: list, show, redrive, discard."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
import typer
from psycopg import Connection
from rich.console import Console

from catalog.errors import CityOpsError
from service.postgres import connect
from service.settings import Settings
from storage import dead_letters
from storage.dead_letters import Selection
from storage.dead_letters_screen import (
    clean,
    explain,
    letters_table,
    print_json,
    progress_bar,
    results_line,
)
from storage.redrive import gateway_client, redrive
from storage.shell import record_by_shell

app = typer.Typer(no_args_is_help=True, help="Readings that could not be stored, and the way back.")

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COMMAND = "python -m storage dead-letters"
MOST_NAMED = 100
"""Ids of discarded letters that one line of the audit log names."""


def parse_since(text: str | datetime) -> datetime:
    """Return the moment meant by ``30m``, ``2h``, ``7d`` (ago) or an ISO 8601 time with zone."""
    if isinstance(text, datetime):
        return text
    if found := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is neither an age (30m, 2h, 7d) nor a time with zone (2026-01-31T08:00Z)"
        )
    return moment


Code = Annotated[str | None, typer.Option(help="only this code, e.g. unknown_sensor")]
StreamName = Annotated[str | None, typer.Option(help="only this stream, e.g. noise")]
Since = Annotated[
    datetime | None,
    typer.Option(
        parser=parse_since, metavar="AGE|TIME", help="only newer: 30m, 2h, 7d, or a time with zone"
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="at most so many")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="ids, as list shows them")]
Json = Annotated[bool, typer.Option("--json", help="print JSON, times in UTC")]


@app.command("list")
def list_command(
    code: Code = None,
    stream: StreamName = None,
    since: Since = None,
    limit: Limit = 50,
    status: Annotated[
        Literal["open", "redriven", "discarded", "any"], typer.Option(help="which letters")
    ] = "open",
    as_json: Json = False,
) -> None:
    """List dead letters, newest first.

    Examples:

    python -m storage dead-letters list --code unknown_sensor --since 2h

    python -m storage dead-letters list --stream noise --limit 1000 --json
    """
    wanted = Selection(
        code=code,
        stream=stream,
        since=since,
        limit=limit,
        status=None if status == "any" else status,
    )
    with _database() as conn:
        found, total = dead_letters.find(conn, wanted), dead_letters.count(conn, wanted)
    if as_json:
        print_json(found)
        return
    if found:
        Console().print(letters_table(found))
    typer.echo(f"{len(found)} of {total} {'' if status == 'any' else status + ' '}dead letters")


@app.command("show")
def show_command(
    id: Annotated[str, typer.Argument(metavar="ID", help="id, as list shows it")],
    to_file: Annotated[
        Path | None,
        typer.Option(help="save the raw bytes (or the readings as a request body) in a new file"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one dead letter: reason, readings, raw bytes, place in the log, and the way out.

    Examples:

    python -m storage dead-letters show gateway/1f0c…

    python -m storage dead-letters show city.readings.noise.v1/0/12 --to-file letter.bin
    """
    with _database() as conn:
        found = dead_letters.find(conn, Selection(ids=(id,), status=None))
        kept = dead_letters.content(conn, id)
        if not found or kept is None:
            _fail(f"no dead letter {id!r}; ids: {_COMMAND} list")
        if to_file is not None:
            _save(to_file, dead_letters.original(conn, id))
            return
    letter, head = found[0], base64.b64encode(kept.payload_head or b"").decode()
    if as_json:
        whole = {**msgspec.structs.asdict(letter), "readings": kept.readings, "payload_head": head}
        print_json(whole)
        return
    for name, value in msgspec.structs.asdict(letter).items():
        if name != "readings" and value not in (None, ""):
            typer.echo(f"{name:<14} {clean(str(value))}")
    if head:
        typer.echo(f"{'payload head':<14} {head} (base64)")
    for number, reading in enumerate(kept.readings):
        typer.echo(f"{f'reading {number}':<14} {clean(msgspec.json.encode(reading).decode())}")
    typer.echo(f"{'what to do':<14} {dead_letters.way_out(letter).en}")


@app.command("redrive")
def redrive_command(
    ids: Ids = None,
    code: Code = None,
    stream: StreamName = None,
    since: Since = None,
    limit: Limit = None,
    everything: Annotated[bool, typer.Option("--all", help="every open letter")] = False,
) -> None:
    """Send open letters through the gateway again, oldest first; safe to repeat.

    A letter is marked redriven once the gateway has answered 202. Exit code 1 when one stays open.
    Needs CITYOPS_GATEWAY and CITYOPS_API_KEY (or CITYOPS_API_KEY_FILE).

    Examples:

    python -m storage dead-letters redrive --code unknown_sensor --stream noise

    python -m storage dead-letters redrive gateway/1f0c…
    """
    wanted = Selection(ids=tuple(ids or ()), code=code, stream=stream, since=since, limit=limit)
    if wanted.is_everything and not everything:
        _fail("say which: ids, --code, --stream, --since, or --all", 2)
    settings = Settings()
    with _database(settings) as conn, gateway_client(settings) as client:
        unknown = _name_unknown(conn, wanted)
        chosen = dead_letters.ids_oldest_first(conn, wanted)
        results: Counter[str] = Counter()
        try:
            with progress_bar(len(chosen)) as progress:
                for id in progress.track(chosen, description="re-driving"):
                    outcome = redrive(conn, client, id)
                    record_by_shell(conn, "dead_letter.redrive", id, outcome.result)
                    results[outcome.result] += 1
                    explain(progress.console, id, outcome)
        finally:
            typer.echo(results_line(results, len(chosen)))
    if unknown or results["refused"] or results["kept"] or results["again"]:
        raise typer.Exit(1)


@app.command("discard")
def discard_command(
    ids: Ids = None,
    code: Code = None,
    stream: StreamName = None,
    since: Since = None,
    limit: Limit = None,
    yes: Annotated[bool, typer.Option("--yes", help="do it, for a choice by --code")] = False,
) -> None:
    """Mark open letters as not worth storing; safe to repeat. They stay in the table.

    Examples:

    python -m storage dead-letters discard gateway/1f0c…

    python -m storage dead-letters discard --code conflict --since 7d --yes
    """
    wanted = Selection(ids=tuple(ids or ()), code=code, stream=stream, since=since, limit=limit)
    if not (wanted.ids or wanted.code):
        _fail("say which: ids, or --code CODE --yes", 2)
    with _database() as conn:
        if not (wanted.ids or yes):
            many = len(dead_letters.ids_oldest_first(conn, wanted))
            _fail(f"this would discard {many} dead letters; repeat it with --yes", 2)
        unknown = _name_unknown(conn, wanted)
        with conn.transaction():
            count = dead_letters.discard(conn, wanted)
            chosen = {"ids": list(wanted.ids[:MOST_NAMED]), "code": code, "stream": stream}
            since_said = since.isoformat() if since else None
            record_by_shell(
                conn, "dead_letter.discard", f"{count} letters", since=since_said, **chosen
            )
        typer.echo(f"{count} dead letters discarded")
    if unknown:
        raise typer.Exit(1)


@contextmanager
def _database(settings: Settings | None = None) -> Iterator[Connection]:
    """Give a connection; our errors become one line and exit code 1."""
    try:
        dsn = (settings or Settings()).database()
        with connect(dsn, "dead-letters", autocommit=True) as conn:
            yield conn
    except CityOpsError as error:
        _fail(str(error))


def _fail(text: str, exit_code: int = 1) -> NoReturn:
    typer.echo(f"error: {text}", err=True)
    raise typer.Exit(exit_code)


def _name_unknown(conn: Connection, wanted: Selection) -> bool:
    unknown = dead_letters.unknown_ids(conn, wanted.ids)
    for id in unknown:
        typer.echo(f"error: no dead letter {id!r}", err=True)
    return bool(unknown)


def _save(file: Path, data: bytes) -> None:
    try:
        with file.open("xb") as new:
            new.write(data)
    except OSError as error:
        _fail(f"{file}: {error.strerror}; give the path of a new file")
    typer.echo(f"{len(data)} bytes saved in {file}")
