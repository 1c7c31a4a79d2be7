"""``python -m ingest replay``: options, progress bar and report around a replay."""

import csv
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from catalog.registry import streams
from ingest.replay import Refusal, Replay, shift_seconds, state_words
from ingest.replay_map import load_map
from ingest.replay_sender import TIMEOUT_S, GatewaySender, Rhythm, Stopped
from ingest.replay_state import Progress as Done
from ingest.replay_state import StateFile, digest
from service.clock import SystemClock
from service.errors import CityOpsError
from service.settings import Settings

MAPS = Path(__file__).parent / "maps"
SHOWN_LINES = 5
EPILOG = (
    "Example: python -m ingest replay PRSA_Gucheng.csv --stream air_quality "
    "--map prsa_air --at-once. Address and key come from CITYOPS_GATEWAY and CITYOPS_API_KEY: "
    'eval "$(python -m deploy env)".'
)


class Report:
    """Keeps the first line numbers of every reason and writes all refusals to a file."""

    def __init__(self) -> None:
        self.lines: dict[str, list[int]] = {}
        self.example: dict[str, str] = {}
        self._write: Callable[[Refusal], None] = lambda _: None

    def add(self, refusal: Refusal) -> None:
        """Take note of one refused reading."""
        error = refusal.error
        self.example.setdefault(error.rule, f"{error.field}: {error.detail}")
        lines = self.lines.setdefault(error.rule, [])
        if len(lines) < SHOWN_LINES:
            lines.append(refusal.line)
        self._write(refusal)

    @contextmanager
    def writing(self, path: Path | None) -> Iterator[None]:
        """Append refusals to the CSV file ``path`` meanwhile."""
        if path is None:
            yield
            return
        with path.open("a", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            if not file.tell():
                out.writerow(["line", "sensor", "field", "rule", "detail"])
            self._write = lambda r: out.writerow(
                [r.line, r.sensor, r.error.field, r.error.rule, r.error.detail]
            )
            yield

    def text(self, done: Done) -> Iterator[str]:
        """Yield the report, line by line."""
        yield f"{done.rows} rows read, {done.filtered} left out by the map"
        yield f"{done.accepted} readings accepted, {sum(done.refused.values())} refused"
        for rule, count in sorted(done.refused.items()):
            where = ", ".join(map(str, self.lines.get(rule, ()))) or "in an earlier run"
            yield f"  {rule}: {count} (line {where}{' …' if count > SHOWN_LINES else ''})"
            if example := self.example.get(rule):
                yield f"    {example}"


def replay_command(
    file: Annotated[Path, typer.Argument(help="CSV file with a header line")],
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
) -> None:
    """Replay a CSV file through the gateway; run it again to resume after a stop.

    Ctrl-C stops between two requests. The position is saved after each acknowledged request, so
    a resumed run skips nothing and sends nothing twice. Only a kill within the instant between
    acknowledgement and save repeats one request, whose readings the store keeps once.
    """
    out, stop = Console(), threading.Event()
    pace = None if at_once else speed
    report = Report()
    try:
        replay, rows = _prepare(file, stream, map_, sensor, pace, shift_to_now, again, report)
        if replay.progress.done:
            out.print(f"{file.name} is already replayed; --again sends it once more")
            return
        if replay.progress.rows:
            out.print(f"resuming after row {replay.progress.rows}")
        with _stopping_gently(stop), report.writing(rejects):
            _run(replay, stream, pace, rows, stop, out)
    except Stopped:
        out.print("stopped; the same command resumes here")
        raise typer.Exit(130) from None
    except (CityOpsError, OSError) as error:
        out.print(f"replay stopped: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    for line in report.text(replay.progress):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if replay.progress.refused and not replay.progress.accepted:
        raise typer.Exit(1)


def _prepare(
    file: Path,
    stream: str,
    map_: str,
    sensor: str | None,
    pace: float | None,
    shift: bool,
    again: bool,
    report: Report,
) -> tuple[Replay, int]:
    declared = streams().get(stream)
    if declared is None:
        raise typer.BadParameter(f"no stream {stream!r}; known: {', '.join(streams())}")
    plan = load_map(_map_path(map_), declared, sensor)
    words = (*state_words(declared, plan, file), "shifted" if shift else "")
    state = StateFile(Settings().state_dir, digest(file, *words))
    if again:
        state.path.unlink(missing_ok=True)
    replay = Replay(file, plan, state, report.add)
    if not shift or replay.progress.rows:
        return replay, replay.count()
    rows, first, last = replay.span()
    replay.progress.shift_s = shift_seconds(SystemClock(), first, last, pace)
    return replay, rows


def _map_path(name: str) -> Path:
    shipped = MAPS / f"{name}.toml"
    if Path(name).is_file():
        return Path(name)
    if not shipped.is_file():
        known = ", ".join(sorted(p.stem for p in MAPS.glob("*.toml")))
        raise typer.BadParameter(f"no map {name!r}: a TOML file, or one of {known}")
    return shipped


def _run(
    replay: Replay,
    stream: str,
    pace: float | None,
    rows: int,
    stop: threading.Event,
    out: Console,
) -> None:
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
        for done in replay.run(sender, Rhythm(pace, clock, stop)):
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
