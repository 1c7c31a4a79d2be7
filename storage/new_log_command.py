"""``python -m storage new-log``: begin with the log that Kafka has now."""

from typing import Annotated

import typer

from service.settings import Settings
from storage.new_log import Begin, carry_out, gaps, plan


def new_log_command(
    yes: Annotated[bool, typer.Option("--yes", help="do it; without it only say what")] = False,
) -> None:
    """Go on with the log that Kafka has now, when it is another one than was worked off.

    Everything in it is stored and evaluated from its beginning (of a log restored from an older
    copy: what was written since); rows, states and open alerts stay. What lay only in the log that
    is gone is lost. The platform may run meanwhile. Example: python -m storage new-log --yes
    """
    settings = Settings()
    for at, reader, topic, partition, first, last in gaps(settings):
        when = at.isoformat(timespec="seconds")
        typer.echo(
            f"missing since {when}: {reader}, {topic}/{partition}, offsets {first} to {last}"
        )
    begins = plan(settings)
    if not begins:
        typer.echo("Kafka's log is the one that was worked off: nothing to do")
        return
    for begin in begins:
        typer.echo(_line(begin))
    if not yes:
        typer.echo("would begin as above; if an older log of yours is to come back, bring it back")
        typer.echo("instead. Otherwise add --yes")
        raise typer.Exit(1)
    carry_out(settings, begins)
    typer.echo(f"{len(begins)} places begin with the present log; sink, worker and alerts go on")


def _line(begin: Begin) -> str:
    return f"{begin.reader.name}: {begin.found.words()}; begins at {begin.offset}"
