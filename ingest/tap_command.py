"""``python -m ingest tap``: a topic on the screen, as JSON lines."""

import os
import sys
from typing import Annotated

import typer

from catalog.registry import streams
from ingest.tap import Kind, Tap, lines
from service.settings import Settings

EPILOG = (
    "Examples: python -m ingest tap noise --last 5 --count 20 · "
    "python -m ingest tap noise --kind aggregates | jq .level_sum · "
    "python -m ingest tap waterlogging --kind transitions --last 100"
)


def tap_command(
    stream: Annotated[str, typer.Argument(help="name of the stream")],
    kind: Annotated[Kind, typer.Option(help="which topic of the stream")] = "readings",
    last: Annotated[
        int, typer.Option(min=0, help="begin with the last N records of each partition")
    ] = 0,
    count: Annotated[int, typer.Option(min=0, help="end after N lines; 0 = at Ctrl-C")] = 0,
    sensor: Annotated[str, typer.Option(help="this sensor only")] = "",
    ticks: Annotated[bool, typer.Option(help="show the worker's clock ticks too")] = False,
) -> None:
    """Print what goes over Kafka, one JSON object a line; reads only, disturbs nobody."""
    if stream not in streams():
        raise typer.BadParameter(f"unknown stream {stream!r}; known: {', '.join(streams())}")
    printed = 0
    try:
        for line in lines(Settings(), Tap(kind, stream, last, sensor, ticks), lambda: True):
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.flush()
            printed += 1
            if printed == count:
                return
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
