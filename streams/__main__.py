"""``python -m streams``: the stream worker."""

from typing import Annotated

import typer

from streams.worker import WorkerSettings, run_worker

app = typer.Typer(no_args_is_help=True, help="Quality control, windows and rules.")


@app.callback()
def main() -> None:
    """Quality control, windows and rules."""


@app.command("worker")
def worker_command(
    instance: Annotated[str, typer.Option(help="a number of its own for each worker")] = "",
) -> None:
    """Run one stream worker until SIGTERM. Example: python -m streams worker --instance 1"""
    settings = WorkerSettings()
    if instance:
        settings = settings.model_copy(update={"worker_instance": instance})
    run_worker(settings)


if __name__ == "__main__":
    app()
