"""`make chaos`: strike a running platform with every fault, judge, and try without each guard."""

import random
import time
from pathlib import Path
from typing import Annotated

import typer

from catalog.registry import stream
from storage.tables import readings_table
from verify.chaos.disks import may_mount
from verify.chaos.faults import FAULTS, Fault, fault
from verify.chaos.guards import GUARDS, drop_key
from verify.chaos.ledger import STREAMS
from verify.chaos.report import FOLDER, Report
from verify.chaos.run import Outcome, strike
from verify.chaos.stack import Stack, running_stack

app = typer.Typer(add_completion=False)

CALM_S = 12.0
"""Before and after each fault of a control: several checkpoints are stored meanwhile."""
SHOWN_BY = {
    "offsets_apart": ["lose replies of commits"],
    "early_answer": ["freeze broker, kill gateway"],
    "state_apart": ["kill worker", "kill worker"],
    "no_fence": ["freeze worker while another takes over", "kill worker"],
    "no_offset_guard": ["kill worker"],
    "static_membership": ["kill worker"],
    "no_memory": [],
    "no_key": [],
}
"""The faults that need the guard most; the traffic alone needs some."""


@app.command(
    epilog="Example: python -m verify.chaos --seed 7 --rounds 2 --fault 'kill sink' --no-controls"
)
def main(
    seed: Annotated[int, typer.Option(help="Seed of traffic, order and pauses")] = 1,
    rounds: Annotated[int, typer.Option(help="How often every fault is done", min=0)] = 1,
    faults: Annotated[
        list[str] | None, typer.Option("--fault", help="Only this fault; may be repeated")
    ] = None,
    controls: Annotated[bool, typer.Option(help="Also run without each guard in turn")] = True,
    guards: Annotated[
        list[str] | None, typer.Option("--guard", help="Only this guard; may be repeated")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report")] = FOLDER,
) -> None:
    """Exit 1 when a promise was broken, or when a missing guard was not noticed."""
    report = Report(seed)
    if rounds:
        _rounds(report, _chosen(faults), rounds)
    for guard in (guards or list(GUARDS)) if controls else []:
        report.controls[guard] = _control(guard, seed)
        noticed = "noticed" if report.controls[guard] else "NOT NOTICED"
        typer.echo(f"without {guard}: {noticed}")
    report.write(out)
    typer.echo(report.markdown())
    raise typer.Exit(0 if report.good() else 1)


def _chosen(names: list[str] | None) -> list[Fault]:
    """Return the faults of these names, or all that can be done here."""
    if names:
        return [fault(name) for name in names]
    if not may_mount():
        typer.echo("not root: the faults that fill a disk are left out")
    return [f for f in FAULTS if may_mount() or not f.disks]


def _rounds(report: Report, faults: list[Fault], rounds: int) -> None:
    """Do the faults in an order of chance, those of each kind of platform on one platform."""
    order = random.Random(report.seed)
    for same in _platforms(faults):
        disks = any(chosen.disks for chosen in same)
        with running_stack(report.seed, disks=disks, brokers=same[0].brokers) as stack:
            for _ in range(rounds):
                for chosen in order.sample(same, len(same)):
                    begun = time.monotonic()
                    outcome = _strike(stack, [chosen], order.randrange(1 << 30))
                    report.add(outcome)
                    said = "kept" if outcome else f"BROKEN {outcome.wrong}"
                    typer.echo(f"{chosen.name}: {said} ({time.monotonic() - begun:.0f} s)")
            report.count(stack)


def _platforms(faults: list[Fault]) -> list[list[Fault]]:
    """Return the faults that share a platform: by brokers, those with a new log each alone."""
    shared = [chosen for chosen in faults if not chosen.new_log]
    together = [[f for f in shared if f.brokers == n] for n in sorted({f.brokers for f in shared})]
    return together + [[chosen] for chosen in faults if chosen.new_log]


def _strike(stack: Stack, chosen: list[Fault], seed: int, calm_s: float = 4.0) -> Outcome:
    try:
        return strike(stack, chosen, seed, calm_s)
    except Exception as error:
        return Outcome([f.name for f in chosen], wrong=[f"{type(error).__name__}: {error}"])


def _control(guard: str, seed: int) -> list[str]:
    """Return what the judge finds wrong on a platform without a guard."""
    with running_stack(seed, without=guard) as stack:
        if guard == "no_key":
            drop_key(stack.dsn, tuple(readings_table(stream(name).name) for name in STREAMS))
        return _strike(stack, [fault(name) for name in SHOWN_BY[guard]], seed, CALM_S).wrong


if __name__ == "__main__":
    app()
