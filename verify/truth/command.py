"""``python -m verify truth``: score detectors and forecasts, and write the page."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from verify.truth.city import score_city
from verify.truth.forecasts import score_forecasts
from verify.truth.labelled import score_map
from verify.truth.maps import MAPS
from verify.truth.report import Report
from verify.truth.sound import sound_city

DATA = Path(__file__).parents[3] / "shared" / "data"
DATA_VARIABLE = "CITYOPS_LABELLED_DATA"
EPILOG = """
Examples

Score a labelled file of your own (docs/scoring.md says how a map is written):

    python -m verify truth --map mine.toml --data /data/labelled

All that ships, the simulated city too, and the page:

    python -m verify truth --write docs/truth.md

Exit codes: 0 scored · 2 a map or file is wrong, the message says what
"""


def truth_command(
    maps: Annotated[
        list[Path] | None, typer.Option("--map", help="truth map (repeat); default: those shipped")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help=f"folder of the labelled files; or {DATA_VARIABLE}")
    ] = None,
    city: Annotated[
        bool | None, typer.Option(help="the simulated city too; default: when no --map is given")
    ] = None,
    forecasts: Annotated[
        bool | None, typer.Option(help="forecasts of the files too; default: as the city")
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of the simulated city")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="all figures as one JSON object")] = False,
    write: Annotated[Path | None, typer.Option(help="write the page to this file")] = None,
) -> None:
    """Score every detector on labelled data with the engine that runs in the city. 真值评分"""
    console, report = Console(stderr=True), Report()
    folder = data or Path(os.environ.get(DATA_VARIABLE) or DATA)
    chosen = [_found(path) for path in maps or []]
    city = not maps if city is None else city
    if not chosen and not folder.is_dir() and not city:
        console.print(
            f"✗ no labelled data at {folder}: name its folder with --data, or {DATA_VARIABLE}",
            soft_wrap=True,
        )
        raise typer.Exit(2)
    chosen = chosen or (sorted(MAPS.glob("*.toml")) if folder.is_dir() else [])
    with console.status("reading") as status:
        for path in chosen:
            report.files.append(score_map(path, folder, lambda n: status.update(f"scoring {n}")))
            if not maps if forecasts is None else forecasts:
                tell = lambda n: status.update(f"scoring {n}")  # noqa: E731
                leads, warnings = score_forecasts(path, folder, tell)
                report.forecasts += leads
                report.warnings += warnings
        if city:
            report.city += score_city(seed, lambda n: status.update(f"scoring {n}"))
            report.files.append(sound_city(seed, lambda n: status.update(f"scoring {n}")))
    if write is not None:
        write.write_text(report.page(), "utf-8")
        console.print(f"written: {write}", highlight=False)
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    elif write is None:
        typer.echo(report.text())


def _found(path: Path) -> Path:
    """Return the path of a map that is given by path or by the name of one that ships."""
    shipped = MAPS / f"{path}.toml"
    if path.is_file() or not shipped.is_file():
        return path
    return shipped
