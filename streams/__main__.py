"""``python -m streams``: the stream worker."""

from typing import Annotated

import typer

from service.command import run
from streams.checkpoint import forget
from streams.worker import WorkerSettings, app_name, run_worker

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


@app.command("forget")
def forget_command(
    yes: Annotated[bool, typer.Option("--yes", help="do it; without it only say what")] = False,
) -> None:
    """Forget the stored state; stop the worker first. Example: python -m streams forget --yes

    The next start works off the log from its beginning. Windows and alerts come out the same again
    as far back as the log reaches, so nothing is told twice.
    """
    settings = WorkerSettings()
    if not yes:
        typer.echo("would forget the state of every partition; stop the worker, then add --yes")
        raise typer.Exit(1)
    count = forget(settings.database(), app_name(settings))
    typer.echo(f"forgot the state of {count} partitions")


if __name__ == "__main__":
    run(app)
