"""``python -m simulators``: the synthetic city."""

import json
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from catalog.registry import facts, streams
from catalog.topics import all_topics
from service.clock import SystemClock
from service.command import run
from service.kafka import ensure_topics
from service.process import run_process
from service.settings import Settings
from simulators import backfill, charts, drill, guidance, live, load, score
from simulators.cases.command import cases_command
from simulators.core.scenarios import scenarios
from simulators.event_command import events_command
from simulators.faults import parse_rates
from simulators.truth import TruthFile

T = TypeVar("T")
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The synthetic city: live readings, scenarios, load, history, scores. 模拟城市",
    epilog="Example: [bold]python -m simulators scenario rainstorm[/bold] while `make run` runs.",
)
app.command("cases")(cases_command)
app.command("events")(events_command)
Seed = Annotated[int, typer.Option(help="same seed and time, same readings")]
Streams = Annotated[list[str] | None, typer.Option("--stream", "-s", help="only these (repeat)")]
BAR = (
    TextColumn("{task.description:<16}"),
    BarColumn(),
    TextColumn("{task.completed:>12,.0f}/{task.total:,.0f}"),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


@app.command("live")
def live_command(
    stream: Streams = None,
    seed: Seed = 1,
    speed: Annotated[float, typer.Option(help="times real time until it has caught up")] = 1.0,
    start: Annotated[str, typer.Option(help="now, -24h or an ISO time; -24h with --speed")] = "",
    history: Annotated[str, typer.Option(help="made up at once before its start, e.g. 1h")] = "",
    faults: Annotated[str, typer.Option(help="data faults: none, small or many")] = "small",
    fault: Annotated[list[str] | None, typer.Option(help="KIND=RATE over the preset")] = None,
    truth: Annotated[Path | None, typer.Option(help="append ground truth to this file")] = None,
    signs_port: Annotated[
        int, typer.Option(envvar="CITYOPS_SIGNS_PORT", help="where road signs answer; 0 = nowhere")
    ] = 0,
) -> None:
    """Run the city until SIGTERM. 实时城市

    Real cadence by default. With --speed it starts a day ago and runs fast until it has caught up
    with the clock; it never runs ahead of it. Faults: missing, spike, late, duplicate, out_of_order
    (shares of readings), stuck (per sensor and day), poison (per hour).

    Examples:

    python -m simulators live

    python -m simulators live --history 1h

    python -m simulators live --speed 60 --start -6h --stream waterlogging --stream weather

    python -m simulators live --faults many --fault poison=10 --truth truth.jsonl
    """
    settings, clock = Settings(), SystemClock()
    plan = live.Plan(
        names=_streams(stream),
        seed=seed,
        speed=speed,
        start=_start(start, speed, clock.now().timestamp()),
        history_s=_checked(lambda: drill.parse_duration(history)) if history else 0.0,
        faults=_checked(lambda: parse_rates(faults, fault or [])),
        signs_port=signs_port,
    )
    sys.exit(
        run_process(
            "city",
            settings,
            lambda v, stop: live.run_live(settings, plan, TruthFile(truth), v, stop, clock),
            pages={guidance.PATH: lambda q: guidance.answer(seed, q, clock.now().timestamp())},
        )
    )


@app.command("scenario")
def scenario_command(
    name: Annotated[str, typer.Argument(help="e.g. rainstorm; an unknown one lists all")],
    at: Annotated[str, typer.Option(help="now, +5m or an ISO time")] = "now",
    duration: Annotated[str, typer.Option(help="e.g. 90s, 10m, 2h")] = "",
    intensity: Annotated[float, typer.Option(min=0.1, max=5.0, help="times its size")] = 1.0,
    where: Annotated[str, typer.Option(help="sensor that it strikes, where it strikes one")] = "",
    detach: Annotated[bool, typer.Option(help="start it and return")] = False,
    dry_run: Annotated[bool, typer.Option(help="only say what would happen")] = False,
) -> None:
    """Play a scenario on the running live city; Ctrl-C calls it off. 情景演练

    Says first what will happen and which alerts will be raised and cleared when. A scenario shorter
    than nature's runs its slow physics (water, heat) that much faster.

    Examples:

    python -m simulators scenario rainstorm

    python -m simulators scenario rainstorm --duration 60m --intensity 1.3 --dry-run

    python -m simulators scenario feeder_trip --where feeder-510105-01 --at +1m
    """
    if name not in scenarios():
        raise typer.BadParameter(f"no scenario {name!r}; known: {', '.join(scenarios())}")
    out, settings = Console(), Settings()
    link = drill.LiveCityLink(settings.state_dir, SystemClock())
    try:
        state, now = link.state(), link.city_now(drill.LEAD_S)
        start = _checked(lambda: drill.parse_at(at, now))
        length = _checked(lambda: drill.parse_duration(duration)) if duration else None
        event = _checked(lambda: drill.make_event(name, start, length, intensity, where))
        alarms = drill.expected(state.seed, link.control.events(), event)
        out.print(drill.timeline(event, alarms))
        if dry_run:
            return
        if detach:
            link.control.add(event)
            out.print(f"已启动 / started: {event.id}")
            return
        drill.drive(link, event, alarms, drill.Watch(settings, alarms, event.start), out)
    except drill.NotLiveError as error:
        out.print(f"[red]✗[/red] {error}", soft_wrap=True)
        raise typer.Exit(1) from None


@app.command("load")
def load_command(
    rate: Annotated[int, typer.Option(min=1, help="readings a second")] = 10_000,
    sensors: Annotated[int, typer.Option(min=1, help="sensors in all")] = 5_000,
    seconds: Annotated[float, typer.Option(min=0.001, help="how long")] = 30.0,
    stream: Streams = None,
    seed: Seed = 1,
    require: Annotated[bool, typer.Option(help="exit 1 when the rate was not held")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON line")] = False,
) -> None:
    """Send exactly rate x seconds readings as fast as asked, and report the acknowledgements. 压测

    Examples:

    python -m simulators load --rate 50000 --sensors 20000 --seconds 60

    python -m simulators load --rate 20000 --sensors 2000 -s feeder -s noise --require
    """
    settings, stop = Settings(), threading.Event()
    plan = load.Plan(rate, sensors, seconds, _streams(stream), seed)
    ensure_topics(
        settings.kafka, all_topics(settings.topic_prefix, tuple(streams()), tuple(facts()))
    )
    loader = load.Loader(settings, plan)
    with Progress(*BAR, console=Console(stderr=True)) as bar:
        task = bar.add_task("readings", total=plan.total)

        def show(report: load.Report) -> None:
            bar.update(task, completed=report.acked)

        report = loader.run(datetime.now(UTC), show, stop)
    held = report.held(plan)
    figures = {
        "wanted": report.wanted,
        "sent": report.sent,
        "acked": report.acked,
        "errors": report.errors,
        "seconds": round(report.seconds, 2),
        "rate_per_s": round(report.rate),
        "ack_p50_ms": round(report.ack_ms(50), 1),
        "ack_p99_ms": round(report.ack_ms(99), 1),
        "held": held,
    }
    _print(figures, as_json)
    raise typer.Exit(1 if require and not held else 0)


@app.command("backfill")
def backfill_command(
    out: Annotated[Path | None, typer.Option(help="folder; .cityops/history")] = None,
    days: Annotated[float, typer.Option(min=0.01, help="how many days")] = 30.0,
    until: Annotated[str, typer.Option(help="now or an ISO time")] = "now",
    sensors: Annotated[int | None, typer.Option(min=1, help="in all; the city's own 415")] = None,
    stream: Streams = None,
    seed: Seed = 1,
    anyway: Annotated[bool, typer.Option(help="although this disk lacks room for all")] = False,
) -> None:
    """Write history as Arrow IPC stream files, one per stream. 历史回填

    Each stream reports at its own cadence: 30 days of the city's own sensors are 38 million
    readings, of 2000 sensors 182 million. Above the city's own number the rest are twins with own
    ids. Load the files with python -m storage load; make history does both.

    Examples:

    python -m simulators backfill --days 30

    python -m simulators backfill --days 7 --sensors 2000 --out /tmp/history

    python -m simulators backfill --days 1 -s weather -s noise --until 2026-07-20 --out /tmp/july
    """
    end = _checked(lambda: drill.parse_at(until, SystemClock().now().timestamp()))
    out = out or Settings().state_dir / "history"
    plan = backfill.Plan(days, end, sensors, _streams(stream), seed)
    chosen, console = backfill.fleets(plan), Console()
    size, free = backfill.size(plan, chosen), backfill.free_bytes(out)
    for line in backfill.announced(size, plan, free):
        console.print(line, highlight=False, soft_wrap=True)
    if size.total_bytes > free and not anyway:
        raise typer.Exit(1)
    with Progress(*BAR, console=console) as bar:
        task = bar.add_task("readings", total=size.readings)
        for fleet in chosen:
            bar.update(task, description=fleet.stream.name)
            path, count = backfill.write(plan, fleet, out, lambda n: bar.advance(task, n))
            bar.console.print(f"{path}  {count:,} readings of {len(fleet)} sensors")
    console.print(f"Load them: python -m storage load {out}")


@app.command("score")
def score_command(
    truth: Annotated[Path, typer.Option(exists=True, help="file of live --truth")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON line")] = False,
) -> None:
    """Compare ground truth with what the platform found: precision and recall per fault. 检测评分

    Example: python -m simulators score --truth truth.jsonl
    """
    figures = score.run(Settings(), truth)
    if as_json:
        typer.echo(json.dumps(figures))
        return
    Console().print(score.table(figures))


@app.command("chart")
def chart_command(
    out: Annotated[Path, typer.Option(help="SVG file")] = Path("docs/images/city-day.svg"),
    day: Annotated[str, typer.Option(help="ISO date, Beijing")] = "2026-07-21",
    seed: Seed = 1,
) -> None:
    """Draw the city's daily curves of one day as an SVG picture. 日曲线

    Example: python -m simulators chart --day 2026-01-20 --out winter.svg
    """
    start = _checked(lambda: drill.parse_at(day, 0.0))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(charts.day_chart(seed, start))
    typer.echo(str(out))


def _streams(given: list[str] | None) -> tuple[str, ...]:
    names = tuple(n for item in given or [] for n in item.split(",") if n)
    if unknown := [name for name in names if name not in streams()]:
        raise typer.BadParameter(f"no stream {unknown[0]!r}; known: {', '.join(streams())}")
    return names


def _start(given: str, speed: float, now_s: float) -> float | None:
    if not given:
        return now_s - 86_400.0 if speed > 1 else None
    if given.startswith("-"):
        return now_s - _checked(lambda: drill.parse_duration(given[1:]))
    return min(now_s, _checked(lambda: drill.parse_at(given, now_s)))


def _checked(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _print(figures: dict[str, object], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(show_header=False)
    for name, value in figures.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    run(app)
