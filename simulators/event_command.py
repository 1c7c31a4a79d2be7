"""``python -m simulators events``: score a detection of events against the simulator's truth."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from catalog.detection import detections
from catalog.site import zone
from simulators.core.city import City
from simulators.event_score import minutes_of, random_events, score
from simulators.faults import parse_rates

SCENARIO = "road_incident"
MONDAY = datetime(2026, 10, 12, tzinfo=UTC)
HEADINGS = ("share", "made", "seen", "found", "rate", "false_day", "delay_s")


def events_command(
    name: Annotated[str, typer.Argument(help="a declared detection")] = "speed_drop",
    days: Annotated[int, typer.Option(min=1, max=60, help="days from a Monday on")] = 3,
    a_day: Annotated[float, typer.Option(min=0.1, help="accidents a day in the city")] = 12.0,
    seed: Annotated[int, typer.Option(help="of the city and its accidents")] = 1,
    share: Annotated[
        list[float] | None, typer.Option(help="thresholds to try besides the declared one")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON line a threshold")] = False,
) -> None:
    """Score a detection: rate of events found, false ones a day and 100 sensors, delay. 检测评分

    Accidents block 40 to 70 % of the lanes of random links for 20 to 60 min; `seen` are those that
    have halved the speed. Data has the usual small faults. About 40 s for three days.

    Example: python -m simulators events --days 7 --seed 4 --share 0.4 --share 0.6
    """
    if name not in detections():
        raise typer.BadParameter(f"no detection {name!r}; known: {', '.join(detections())}")
    one = detections()[name]
    city, start = City(seed), MONDAY.replace(tzinfo=zone()).timestamp()
    events = random_events(city, one, SCENARIO, start, days, a_day)
    minutes = minutes_of(city.with_events(events), one, start, days, parse_rates("small", []))
    calm = minutes_of(city, one, start, days)
    table = Table(*HEADINGS, title=f"{one.title.zh} / {one.title.en}", title_justify="left")
    for level in sorted({one.fall.share, *(share or [])}):
        tried = one.model_copy(update={"fall": one.fall.model_copy(update={"share": level})})
        found = score(tried, city.fleet(one.stream).ids, start, events, minutes, calm)
        row = {"share": level, **asdict(found), "rate": found.rate}
        if as_json:
            typer.echo(json.dumps(row))
        table.add_row(*(_cell(row[heading]) for heading in HEADINGS))
    if not as_json:
        Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return "–" if value is None else str(value)
