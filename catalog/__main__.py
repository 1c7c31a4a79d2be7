"""``python -m catalog``: list, check and scaffold streams."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from catalog.checks import CHECKS, problems
from catalog.declared import DeclarationError
from catalog.detection import detections
from catalog.fact.checks import fact_problems
from catalog.feed import feeds
from catalog.index import indices
from catalog.lifecycle.registry import records
from catalog.overrides import site_overrides
from catalog.plan.registry import plans
from catalog.registry import facts, stream, streams
from catalog.rules_page import rules_page
from catalog.scaffold import new_stream
from catalog.sensors import sensors_of
from catalog.thing.checks import problems as thing_problems
from catalog.thing.registry import placed, things

app = typer.Typer(no_args_is_help=True, help="The city's streams, as its systems declare them.")
console = Console()


@app.command("list")
def list_streams() -> None:
    """Print every stream. Example: python -m catalog list"""
    table = Table("stream", "domain", "title", "cadence", "sensors", "metrics", "rules")
    for s in streams().values():
        counts = (str(len(sensors_of(s.name))), str(len(s.aggregate_names)), str(len(s.rules)))
        table.add_row(s.name, s.domain, f"{s.title.zh} {s.title.en}", f"{s.cadence_s} s", *counts)
    console.print(table)


@app.command("check-streams")
def check_streams(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Check streams against the quality list. Example: python -m catalog check-streams noise"""
    failed = 0
    for name in names or list(streams()):
        site_overrides(stream(name))
        found = problems(stream(name))
        failed += bool(found)
        console.print(
            f"{'✗' if found else '✓'} {name}: {len(CHECKS)} checks, {len(found)} problems"
        )
        for check, reason in found:
            console.print(f"    {check}: {reason}")
    for read in (plans, detections, feeds, indices):
        read()  # what is wrong with one ends this, with its file
    for reason in [] if names else [*fact_problems(), *_thing_problems()]:
        failed += 1
        console.print(f"✗ {reason}")
    raise typer.Exit(1 if failed else 0)


def _thing_problems() -> list[str]:
    known = {"streams": streams(), "records": records(), "facts": facts(), "things": things()}
    return [r for t in things().values() for r in thing_problems(t, placed(t.name), **known)]


@app.command("new-stream")
def scaffold(
    name: str,
    domain: Annotated[str, typer.Option(help="traffic, environment, water, grid")] = "environment",
    folder: Annotated[
        Path | None, typer.Option(help="where to write the file, else with its system")
    ] = None,
) -> None:
    """Write a new stream file. Example: python -m catalog new-stream noise_site"""
    try:
        path = new_stream(name, domain, folder)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    console.print(f"wrote {path.name} into {path.parent}; next: edit it, then make check-streams")


@app.command("rules-page")
def write_rules_page(
    path: Annotated[Path, typer.Argument(help="where to write it")] = Path("docs/rules.md"),
) -> None:
    """Write the page of all rules. Example: python -m catalog rules-page"""
    path.write_text(rules_page(), encoding="utf-8")
    console.print(f"wrote {path}")


if __name__ == "__main__":
    try:
        app()
    except DeclarationError as error:
        console.print(f"✗ {error}", markup=False, soft_wrap=True)
        sys.exit(1)
