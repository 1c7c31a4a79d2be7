"""``python -m records things``: where things are and what they show."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from catalog.thing.registry import things
from records.database import database
from records.things.loop import place_all
from records.things.queries import (
    Wanted,
    get_thing,
    list_things,
    near_things,
    states_of_things,
    thing_of,
)

app = typer.Typer(no_args_is_help=True, help="Things: lamps, bridges, and what else lasts.")
console = Console()


@app.command("kinds")
def kinds_command() -> None:
    """Print the kinds, and how many are in each state. Example: … things kinds"""
    table = Table("thing", "system", "title", "state", "n")
    with database() as conn:
        counts = states_of_things(conn)
    for thing in things().values():
        head = (thing.name, thing.system, f"{thing.title.zh} {thing.title.en}")
        for state, n in counts[thing.name].items():
            table.add_row(*head, f"{state} {thing.state(state).title.zh}", str(n))
            head = ("", "", "")
    console.print(table)


@app.command("list")
def list_command(
    kind: str,
    state: Annotated[str, typer.Option(help="only in this state")] = "",
    district: Annotated[str, typer.Option(help="code of a district")] = "",
    search: str = "",
    limit: int = 50,
) -> None:
    """Print things of a kind, the worst first. Example: … things list lamp --state repair"""
    table = Table("thing", "state", "since", "title", "place", "shows")
    with database() as conn:
        thing = thing_of(kind)
        wanted = Wanted(state=state, district=district, search=search)
        for row in list_things(conn, thing, wanted, limit):
            place = "" if row.lon is None else f"{row.lon:.5f},{row.lat:.5f}"
            shows = ", ".join(f"{k} {v}" for k, v in row.shows.items() if v is not None)
            since = row.since.isoformat(timespec="seconds") if row.since else ""
            table.add_row(row.thing, row.state, since, row.title_zh, place, shows)
    console.print(table)


@app.command("show")
def show_command(kind: str, id: str) -> None:
    """Print one thing with all that belongs to it. Example: … things show lamp tianfu-003"""
    with database() as conn:
        page = get_thing(conn, thing_of(kind), id)
    console.print_json(page.model_dump_json())


@app.command("near")
def near_command(lon: float, lat: float, within_m: float = 200.0) -> None:
    """Print what stands around a place. Example: … things near 104.0664 30.5720"""
    table = Table("thing", "state", "m", "title")
    with database() as conn:
        for row in near_things(conn, lon, lat, within_m):
            name = f"{row['kind']}:{row['thing']}"
            table.add_row(name, row["state"], f"{row['distance_m']:.0f}", row["title_zh"])
    console.print(table)


@app.command("place")
def place_command() -> None:
    """Write the things that system and site place now, as each start does."""
    with database() as conn:
        place_all(conn)
    typer.echo("placed")
