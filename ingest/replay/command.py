"""``python -m ingest replay``: options, progress bar and report around a replay."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from catalog.errors import CityOpsError, TransientError
from catalog.model import Stream
from catalog.registry import streams
from ingest.replay.check import Check
from ingest.replay.faults import unusable
from ingest.replay.map import ReplayMap, load_map
from ingest.replay.report import Report
from ingest.replay.run import Replay, shift_seconds, state_words
from ingest.replay.sender import TIMEOUT_S, GatewaySender, Rhythm, StoppedError
from ingest.replay.state import StateFile, digest
from ingest.replay.survey import Survey
from service.clock import SystemClock
from service.settings import Settings

MAPS = Path(__file__).parents[1] / "maps"
NOTHING_TAKEN, SOME_REFUSED, TRY_AGAIN, INTERRUPTED = 1, 3, 4, 130
EPILOG = """
Examples

See how a file is read, without sending anything:

    python -m ingest replay noise.xlsx --stream noise --map noise.toml --check

Send a public data set as fast as it goes; the same command again resumes:

    python -m ingest replay PRSA_Gucheng.csv --stream air_quality --map prsa_air --at-once

Play a year at an hour a second, as if it ended now, and keep what was refused:

    python -m ingest replay y.csv --stream noise --map m.toml --speed 3600 --shift-to-now
    --rejects bad.csv

Address and key come from CITYOPS_GATEWAY and CITYOPS_API_KEY: eval "$(python -m deploy env)".

Exit codes: 0 done · 1 the file, map or key is wrong, or nothing was accepted · 2 wrong options
· 3 with --strict: some readings were refused · 4 the gateway stayed away: run again · 130 stopped
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for."""

    file: Path
    stream: Stream
    plan: ReplayMap
    pace: float | None
    shift: bool


def replay_command(
    file: Annotated[Path, typer.Argument(help="CSV file or workbook with a header, also packed")],
    stream: Annotated[str, typer.Option(help="Stream to replay into, as in the catalog")],
    map_: Annotated[
        str, typer.Option("--map", help="TOML file, or the name of one in ingest/maps/")
    ],
    speed: Annotated[
        float, typer.Option(min=0.001, help="Times real pace; 3600 = an hour a second")
    ] = 1.0,
    at_once: Annotated[bool, typer.Option("--at-once", help="As fast as it goes")] = False,
    sensor: Annotated[str | None, typer.Option(help="Sensor id instead of the map's")] = None,
    shift_to_now: Annotated[
        bool,
        typer.Option(
            "--shift-to-now",
            help="Move all times: at real pace the first reading is now, faster the last one is",
        ),
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="CSV file for every refused reading")] = None,
    again: Annotated[bool, typer.Option("--again", help="Start over, forget the last run")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say how the file is read; send nothing")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 when any reading was refused")
    ] = False,
) -> None:
    """Replay a file through the gateway; run it again to resume after a stop.

    Ctrl-C stops between two requests. The position is saved after each acknowledged request, so
    a resumed run skips nothing and sends nothing twice. Only a kill within the instant between
    acknowledgement and save repeats one request, whose readings the store keeps once.
    """
    out, report = Console(), Report()
    try:
        wanted = _wanted(file, stream, map_, sensor, None if at_once else speed, shift_to_now)
        with report.writing(rejects):
            if check:
                accepted, refused = _check(wanted, report, out)
            else:
                accepted, refused = _replay(wanted, report, again, out)
    except StoppedError:
        out.print("stopped; the same command resumes here")
        raise typer.Exit(INTERRUPTED) from None
    except (CityOpsError, OSError) as error:
        out.print(f"replay stopped: {error}", markup=False, soft_wrap=True)
        away = isinstance(error, TransientError)
        raise typer.Exit(TRY_AGAIN if away else NOTHING_TAKEN) from None
    if refused and not accepted:
        raise typer.Exit(NOTHING_TAKEN)
    if refused and strict:
        raise typer.Exit(SOME_REFUSED)


def _wanted(
    file: Path, stream: str, map_: str, sensor: str | None, pace: float | None, shift: bool
) -> Wanted:
    declared = streams().get(stream)
    if declared is None:
        raise typer.BadParameter(f"no stream {stream!r}; known: {', '.join(streams())}")
    plan = load_map(_map_path(map_), declared, sensor)
    return Wanted(file, declared, plan, pace, shift)


def _check(wanted: Wanted, report: Report, out: Console) -> tuple[int, int]:
    """Say how the file is read; return how many readings would be accepted and refused."""
    replay = _open(wanted, report)
    survey = _look(replay, out, threading.Event())
    clock = SystemClock()
    shift_s = shift_seconds(clock, *survey.span, wanted.pace) if wanted.shift else 0.0
    checking = Check(replay, wanted.stream, clock.now(), report.add)
    found = checking.run(timedelta(seconds=shift_s))
    for line in (*checking.text(), *report.reasons(found.refused), "nothing was sent"):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    return found.readings, found.refused.total()


def _replay(wanted: Wanted, report: Report, again: bool, out: Console) -> tuple[int, int]:
    """Send the file; return how many of its readings were accepted and refused so far."""
    replay = _open(wanted, report, again=again)
    progress = replay.progress
    if progress.done:
        out.print(f"{wanted.file.name} is already replayed; --again sends it once more")
        return progress.accepted, sum(progress.refused.values())
    if progress.rows:
        out.print(f"resuming after row {progress.rows}")
    stop = threading.Event()
    with _stopping_gently(stop):
        survey = _look(replay, out, stop)
        if wanted.pace is not None and survey.order == "newest first":
            raise unusable(wanted.file, "its newest row comes first: sort it, or use --at-once")
        if wanted.shift and not progress.rows:
            progress.shift_s = shift_seconds(SystemClock(), *survey.span, wanted.pace)
        _send(replay, wanted, survey.rows, stop, out)
    for line in report.text(replay.progress):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    return progress.accepted, sum(progress.refused.values())


def _open(wanted: Wanted, report: Report, *, again: bool = False) -> Replay:
    shifted = "shifted" if wanted.shift else ""
    words = (*state_words(wanted.stream, wanted.plan, wanted.file), shifted)
    state = StateFile(Settings().state_dir, digest(wanted.file, *words))
    if again:
        state.path.unlink(missing_ok=True)
    return Replay(wanted.file, wanted.plan, state, report.add)


def _look(replay: Replay, out: Console, stop: threading.Event) -> Survey:
    """Read the whole file once; say how it is read and, meanwhile, how far that is."""

    def say(rows: int) -> None:
        if stop.is_set():
            raise StoppedError
        status.update(f"reading: {rows} rows")

    out.print(f"file: {replay.table.words}", markup=False, highlight=False, soft_wrap=True)
    with out.status("reading") as status:
        return replay.survey(say)


def _map_path(name: str) -> Path:
    shipped = MAPS / f"{name}.toml"
    if Path(name).is_file():
        return Path(name)
    if not shipped.is_file():
        known = ", ".join(sorted(p.stem for p in MAPS.glob("*.toml")))
        raise typer.BadParameter(f"no map {name!r}: a TOML file, or one of {known}")
    return shipped


def _send(replay: Replay, wanted: Wanted, rows: int, stop: threading.Event, out: Console) -> None:
    stream = wanted.stream.name
    settings, clock = Settings(), SystemClock()
    headers = {"Authorization": f"Bearer {settings.key()}"}
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows · {task.fields[accepted]} accepted · {task.fields[refused]} refused"),
        TimeRemainingColumn(),
        console=out,
    )
    with httpx.Client(base_url=settings.gateway, headers=headers, timeout=TIMEOUT_S) as client, bar:
        start = replay.progress
        task = bar.add_task(stream, total=rows, completed=start.rows, accepted=0, refused=0)
        sender = GatewaySender(client, stream, clock, stop)
        for done in replay.run(sender, Rhythm(wanted.pace, clock, stop)):
            refused = sum(done.refused.values())
            bar.update(task, completed=done.rows, accepted=done.accepted, refused=refused)


@contextmanager
def _stopping_gently(stop: threading.Event) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into a stop between two requests."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(s, lambda *_: stop.set()) for s in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
