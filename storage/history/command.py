"""``python -m storage load``: history files into the tables, several at a time."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from catalog.errors import FatalError
from service.postgres import connect
from service.settings import Settings
from storage.history.begins import live_since
from storage.history.files import HistoryFile, find_files, stream_of
from storage.history.load import Loaded, load_file
from storage.history.room import need_of

LOADED_PER_S = 150_000
"""Of two cores that have nothing else to do (docs/performance.md)."""

BAR = (
    TextColumn("{task.description:<18}"),
    BarColumn(),
    TextColumn("{task.percentage:>3.0f} %"),
    TextColumn("{task.fields[readings]:>13,} readings"),
    TimeRemainingColumn(),
)


def load_command(
    files: Annotated[list[Path], typer.Argument(help=".arrows files, or folders of them")],
    jobs: Annotated[int, typer.Option(min=1, help="files at a time")] = os.cpu_count() or 1,
    remove: Annotated[bool, typer.Option("--remove", help="delete each file when loaded")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="although the disk lacks room")] = False,
) -> None:
    """Load history that backfill wrote, with its minutes and rollups. 载入历史

    Loading again changes nothing. A reading that contradicts a stored one, or breaks the contract,
    becomes a dead letter. Needs the database only, and no Kafka. Says first how much the tables
    will grow, and refuses where the database's disk has no room for it.

    Examples:

    python -m simulators backfill --days 30 --out /tmp/history

    python -m storage load /tmp/history --remove

    python -m storage load /tmp/history/noise.arrows /tmp/history/feeder.arrows --jobs 1
    """
    errors = Console(stderr=True)
    try:
        chosen = [HistoryFile(path, stream_of(path)) for path in find_files(files)]
        _announce(chosen, errors, anyway=anyway)
        loaded, seconds = _load_all(chosen, jobs, remove=remove)
    except FatalError as error:
        errors.print(f"[red]✗[/red] {str(error).strip()}", soft_wrap=True)
        raise typer.Exit(1) from None
    total = sum(item.readings for item in loaded)
    worked_off = total + sum(item.duplicates + item.conflicts for item in loaded)
    typer.echo(
        f"{total:,} readings, {sum(item.minutes for item in loaded):,} minutes and"
        f" {sum(item.rollups for item in loaded):,} rollups stored;"
        f" {sum(item.duplicates for item in loaded):,} readings were there,"
        f" {sum(item.letters for item in loaded):,} went to the dead letters;"
        f" {seconds:.1f} s, {worked_off / max(seconds, 1e-3):,.0f} readings/s"
    )
    if not all(item.whole for item in loaded):
        errors.print("[yellow]![/yellow] stopped; the same command goes on from here")
        raise typer.Exit(130)


def live_since_command() -> None:
    """Print the moment before the first live reading, where made-up history has to end, or now.

    Example: python -m simulators backfill --days 30 --until "$(python -m storage live-since)"
    """
    with connect(Settings().database(), "live since", autocommit=True) as conn:
        found = live_since(conn)
    typer.echo(found.astimezone(UTC).isoformat() if found else "now")


def _announce(files: list[HistoryFile], out: Console, *, anyway: bool) -> None:
    """Say what is to come; leave when it will not fit."""
    with connect(Settings().database(), "load", autocommit=True) as conn:
        need = need_of(conn, files)
    if not need.readings:
        return
    free = "" if need.free is None else f" of {need.free / 1e9:,.1f} GB free"
    minutes = max(1, round(need.readings / LOADED_PER_S / 60))
    out.print(
        f"{need.readings:,} readings: about {need.bytes / 1e9:,.1f} GB in the tables{free},"
        f" about {minutes} min",
        highlight=False,
        soft_wrap=True,
    )
    if need.short and not anyway:
        raise FatalError(
            "the database's disk lacks room for them: load fewer files, or --anyway",
            code="history_room",
            stage="storing",
        )


def _load_all(files: list[HistoryFile], jobs: int, *, remove: bool) -> tuple[list[Loaded], float]:
    stop, begun = threading.Event(), time.monotonic()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Progress(*BAR, console=Console(stderr=True)) as bar, ThreadPoolExecutor(jobs) as pool:
        tasks = [
            bar.add_task(file.stream.name, total=file.path.stat().st_size, readings=0)
            for file in files
        ]
        work = [
            pool.submit(_load_one, file, bar, task, stop, remove=remove)
            for file, task in zip(files, tasks, strict=True)
        ]
        try:
            return [item.result() for item in work], time.monotonic() - begun
        finally:
            stop.set()


def _load_one(
    file: HistoryFile, bar: Progress, task: TaskID, stop: threading.Event, *, remove: bool
) -> Loaded:
    def told(readings: int, at_byte: int) -> None:
        seen = bar.tasks[task].fields["readings"] + readings
        bar.update(task, completed=at_byte, readings=seen)

    with connect(Settings().database(), "load", autocommit=True) as conn:
        loaded = load_file(conn, file, datetime.now(UTC), told, stop)
    if remove and loaded.whole:
        file.path.unlink()
    return loaded
