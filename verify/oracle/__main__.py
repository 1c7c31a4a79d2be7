"""`make judge`: hold a running platform against the plain reference, over its own Kafka log."""

from typing import Annotated

import typer

from catalog.registry import streams
from service.command import run
from service.settings import Settings
from verify.oracle.judge import Judge

app = typer.Typer(add_completion=False)


@app.command(
    epilog='Example: eval "$(make env)" && python -m verify.oracle --stream noise --wait-s 120'
)
def main(
    only: Annotated[
        list[str] | None, typer.Option("--stream", help="Only this stream; may be repeated")
    ] = None,
    wait_s: Annotated[
        float, typer.Option(help="Seconds to wait until what is in the log has gone all the way")
    ] = 120.0,
    history: Annotated[
        bool, typer.Option(help="More rows than the log has are no fault: history was loaded")
    ] = False,
) -> None:
    """Work the log off anew, reading by reading, and compare every hop.

    Exit 1 when a hop is wrong, 2 when Kafka has dropped the beginning of the log.
    """
    settings = Settings()
    chosen = tuple(only or streams())
    if unknown := set(chosen) - set(streams()):
        raise typer.BadParameter(f"no stream {', '.join(sorted(unknown))}")
    judge = Judge(settings.kafka, settings.database(), settings.topic_prefix, chosen, history)
    if cut := judge.cut():
        typer.echo(f"cannot judge: Kafka has dropped the beginning of {cut} (retention)", err=True)
        raise typer.Exit(2)
    wrong = _settle(judge, wait_s)
    for hop in judge.hops():
        wrong |= bool(hop)
        typer.echo(f"✗ {hop}" if hop else f"✓ {hop.what}: {hop.expected}, all as they must be")
    raise typer.Exit(int(wrong))


def _settle(judge: Judge, wait_s: float) -> bool:
    """Wait for what is on its way; tell whether it did not arrive."""
    try:
        judge.settle(wait_s)
    except TimeoutError as error:
        typer.echo(f"✗ {error}")
        return True
    return False


if __name__ == "__main__":
    run(app)
