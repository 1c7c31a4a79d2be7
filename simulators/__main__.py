"""``python -m simulators``: the synthetic city."""

import sys
from typing import Annotated

import typer

from catalog.registry import streams
from service.clock import SystemClock
from service.process import run_process
from service.settings import Settings
from simulators.live import run_live

app = typer.Typer(no_args_is_help=True, help="The synthetic city.")


@app.callback()
def main() -> None:
    """The synthetic city."""


@app.command("live")
def live_command(
    stream: Annotated[list[str] | None, typer.Option(help="only these streams")] = None,
    seed: Annotated[int, typer.Option(help="same seed, same city")] = 1,
) -> None:
    """Run the city at real cadence. Example: python -m simulators live --stream noise"""
    names = stream or []
    if unknown := [name for name in names if name not in streams()]:
        raise typer.BadParameter(f"no stream {unknown[0]!r}; known: {', '.join(streams())}")
    settings, clock = Settings(), SystemClock()
    sys.exit(
        run_process(
            "city", settings, lambda v, stop: run_live(settings, names, seed, v, stop, clock)
        )
    )


if __name__ == "__main__":
    app()
