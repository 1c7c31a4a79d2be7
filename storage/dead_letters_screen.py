"""Dead letters and what became of them, as a terminal shows them."""

from collections import Counter

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from storage.dead_letters import Summary
from storage.redrive import Outcome


def print_json(what: object) -> None:
    """Print a value as indented JSON."""
    typer.echo(msgspec.json.format(msgspec.json.encode(what), indent=2).decode())


def letters_table(found: list[Summary]) -> Table:
    """Return two lines a letter, narrow enough for 80 columns with ids in one piece."""
    table = Table(box=box.SIMPLE, padding=(0, 0, 1, 0), pad_edge=False)
    table.add_column("id, reason", overflow="fold")
    table.add_column("code, stream", overflow="fold")
    table.add_column("UTC")
    table.add_column("content", justify="right")
    for one in found:
        state = () if one.status == "open" else (one.status,)
        cells = (
            (one.id, one.reason[:120]),
            (one.code, one.stream, *state),
            (f"{one.at:%Y-%m-%d}", f"{one.at:%H:%M:%S}"),
            (str(one.readings), "readings") if one.readings else _size(one.payload_bytes),
        )
        table.add_row(*(Text("\n".join(map(clean, lines))) for lines in cells))
    return table


def _size(payload_bytes: int | None) -> tuple[str, str]:
    return ("nothing", "") if payload_bytes is None else (str(payload_bytes), "bytes")


def clean(text: str) -> str:
    """Show what senders wrote without the control characters a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def progress_bar(total: int) -> Progress:
    """Return a progress bar on stderr; it shows for two letters or more on a terminal."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=total < 2 or not console.is_terminal)


def explain(console: Console, id: str, outcome: Outcome) -> None:
    """Print what the gateway said of one letter."""
    for line in outcome.lines:
        console.print(Text(clean(f"{id}: {outcome.result}: {line}")), soft_wrap=True)


def results_line(results: Counter[str], chosen: int) -> str:
    """Return what became of the chosen letters, in one line."""
    sent = results["redriven"] + results["again"]
    parts = [f"{sent} of {chosen} dead letters redriven"]
    words = {
        "again": "came back as new letters",
        "refused": "refused and still open",
        "kept": "cannot be re-driven and still open",
        "settled": "settled by someone else",
    }
    parts += [f"{results[name]} {text}" for name, text in words.items() if results[name]]
    if untried := chosen - results.total():
        parts.append(f"{untried} not tried")
    return ", ".join(parts)
