"""``python -m benchmarks``: run the bench, write its figures, draw them into the docs."""

import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import (
    closed,
    contenders,
    growth,
    history,
    layout,
    network,
    parts,
    profile,
    scale,
    soak,
    steady,
    wall,
)
from benchmarks.contenders import Result, Sizes, middle_ones
from benchmarks.records import SENSORS
from benchmarks.report import chart, markdown, write_between
from benchmarks.stand import Stand, open_stand
from deploy.paths import ROOT

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "bench.svg"

app = typer.Typer(no_args_is_help=True, help="Measure the pipe beside its peers.")

Run = Callable[[Stand, Sizes, int], Result | list[Result]]
RUNS: dict[str, Run] = {
    "cityops": contenders.cityops,
    "bare": contenders.bare,
    "quix": contenders.quix,
    "faust": contenders.faust_stock,
    "faust-plain": contenders.faust_plain,
    "stages": parts.stages,
    "gateway": parts.gateway,
    "copy": parts.copy_limit,
    "engine": lambda _, sizes, sensors: parts.engine(sizes, sensors),
}

WARMING = ("bare", "cityops")
IN_TURN = ("cityops", "bare", "quix", "faust", "faust-plain")
"""What is compared: measured several times in turn, so that a slow moment of the machine harms
nobody alone."""


@app.callback()
def main() -> None:
    """Measure the pipe beside its peers."""
    # so that what was started is stopped also when this is ended from outside
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@app.command("run")
def run_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
    only: Annotated[list[str] | None, typer.Option(help=f"of {', '.join(RUNS)}")] = None,
    sensors: Annotated[int, typer.Option(min=1, help="sensors, one reading a second")] = SENSORS,
    rounds: Annotated[int, typer.Option(min=1, help="of the contenders; the median counts")] = 3,
    publish: Annotated[bool, typer.Option(help="also into docs/performance.md")] = False,
) -> None:
    """Run every contender on the same readings, in turn, and print them side by side.

    Examples:

    python -m benchmarks run --share 0.1

    python -m benchmarks run --only cityops --only copy
    """
    out, sizes = Console(stderr=True), Sizes.of(share)
    begun, results = time.monotonic(), list[Result]()
    loads = [os.getloadavg()[0]]
    with open_stand() as stand:
        out.print("… warming up the servers: their compilers and caches favour nobody")
        for name in WARMING:
            RUNS[name](stand, Sizes.of(share / 2), sensors)
        for name in _order(list(only or RUNS), rounds):
            out.print(f"… {name}", end=" ")
            given = RUNS[name](stand, sizes, sensors)
            given = given if isinstance(given, list) else [given]
            out.print(", ".join(f"{r.name}: {r.per_s:,.0f}/s" for r in given))
            results += given
            loads.append(os.getloadavg()[0])
    record = _record(middle_ones(results), sensors, share, loads, time.monotonic() - begun)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    typer.echo(markdown(record))
    typer.echo(f"\n{path.relative_to(ROOT)}, {record['took_s']} s")
    if publish:
        _publish(record)


def _order(names: list[str], rounds: int) -> list[str]:
    """Return every name, those that are compared as often as there are rounds."""
    compared = [name for name in IN_TURN if name in names]
    return compared * rounds + [name for name in names if name not in compared]


def _alone(name: str, run: Callable[[Stand, float], list[dict[str, Any]]], share: float) -> None:
    """Run a measurement of its own and write its figures."""
    with open_stand() as stand:
        found = run(stand, share)
    for row in found:
        typer.echo(json.dumps(row))
    _write(name, {"results": found})


def _write(name: str, found: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    record = {"at": now.isoformat(timespec="seconds"), "machine": _machine()} | found
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    typer.echo(path.relative_to(ROOT))


@app.command("layout")
def layout_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
) -> None:
    """Compare ways to lay readings out in the database: key, types, chunks, index."""
    _alone("layout", layout.run, share)


@app.command("growth")
def growth_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
) -> None:
    """Spread the same readings over 1 000, 10 000 and 100 000 sensors."""
    _alone("growth", growth.run, share)


@app.command("history")
def history_command(
    days: Annotated[float, typer.Option(min=0.01, help="days of history")] = 3.0,
    sensors: Annotated[int, typer.Option(min=1, help="sensors of all streams")] = 2_000,
) -> None:
    """Make and load history; fail when a row is missing; weigh it and ask every panel's query."""
    with open_stand() as stand:
        found = history.run(stand, days, sensors)
    typer.echo(json.dumps(found, indent=1))
    _write("history", found)


@app.command("scale")
def scale_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
) -> None:
    """Compare one worker and one sink with two of each; fail when a reading or window differs."""
    _alone("scale", scale.run, share)


@app.command("profile")
def profile_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
) -> None:
    """Profile the worker's engine: what each step's share of its time is."""
    for row in profile.run(share, SENSORS):
        typer.echo(f"{row['share']:6.1%} {row['own_share']:6.1%}  {row['function']}")


@app.command("wall")
def wall_command(
    share: Annotated[float, typer.Option(help="1 for thirty readings")] = 1.0,
) -> None:
    """Time single readings from the gateway to a panel's query and to a browser with the wall."""
    _alone("wall", wall.run, share)


@app.command("network")
def network_command() -> None:
    """Ask a network of 20 200 links for ways, the nearest and walks; CPU of one question, ms."""
    for name, (middle, worst) in network.run().items():
        typer.echo(f"{name}: median {middle:.1f}, 95 % {worst:.1f}")


@app.command("steady")
def steady_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
    sensors: Annotated[int, typer.Option(min=1, help="sensors that share the readings")] = SENSORS,
    gather: Annotated[list[int] | None, typer.Option(help="ms, may be given again")] = None,
) -> None:
    """Weigh a steady 20 000 readings a second in small frames, by how long the sink gathers.

    Example: python -m benchmarks steady --sensors 100000 --gather 50
    """
    times = tuple(gather or steady.GATHER_MS)
    _alone("steady", lambda stand, size: steady.run(stand, size, sensors, times), share)


@app.command("closed")
def closed_command(
    share: Annotated[float, typer.Option(help="size of the run; 0.1 for a try")] = 1.0,
    sensors: Annotated[int, typer.Option(min=1, help="sensors, one reading a second")] = SENSORS,
    rounds: Annotated[int, typer.Option(min=1, help="of each; the median counts")] = 3,
) -> None:
    """Compare the pipe on an open broker and on one with SASL/SCRAM and rights, in turn."""
    print(closed.words(closed.compare(Sizes.of(share), sensors, rounds)))


@app.command("soak")
def soak_command(
    minutes: Annotated[int, typer.Option(min=1, help="how long")] = 30,
) -> None:
    """Watch memory under 20 000 readings a second; exit 1 when a process's grows."""
    with open_stand() as stand:
        found = soak.run(stand, minutes)
    for verdict in found["verdicts"]:
        typer.echo(json.dumps(verdict))
    typer.echo(f"{found['left_over']:,} readings left over")
    _write("soak", found)
    good = not found["left_over"] and all(verdict["flat"] for verdict in found["verdicts"])
    raise typer.Exit(0 if good else 1)


@app.command("publish")
def publish_command(file: Annotated[Path, typer.Argument(exists=True)]) -> None:
    """Put the figures of an earlier run into docs/performance.md."""
    _publish(json.loads(file.read_text()))


def _publish(record: dict[str, Any]) -> None:
    PICTURE.write_text(chart(record))
    write_between(PAGE, "bench", markdown(record))


def _record(
    results: list[Result], sensors: int, share: float, loads: list[float], took_s: float
) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine() | {"load_before_and_after_each": [round(load, 2) for load in loads]},
        "sensors": sensors,
        "share": share,
        "took_s": round(took_s),
        "results": [_result(item) for item in results],
    }


def _result(item: Result) -> dict[str, Any]:
    millions = item.readings / 1e6
    return {
        "name": item.name,
        "kind": item.kind,
        "readings": item.readings,
        "seconds": round(item.seconds, 2),
        "readings_per_s": round(item.per_s),
        "rounds_per_s": item.rounds_per_s,
        "cpu_s_per_million": {k: round(c.cpu_s / millions, 2) for k, c in item.costs.items()},
        "peak_mb": {k: round(c.peak_mb) for k, c in item.costs.items()},
        "latency_ms": item.latency_ms,
    }


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    app()
