"""``python -m storage``: migrate, run the sink, look after dead letters and keys."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from catalog.registry import facts, streams
from catalog.site import zone
from catalog.topics import all_topics
from service.command import run
from service.kafka import ensure_topics
from service.postgres import connect, now_of
from service.process import run_process
from service.settings import Settings
from storage import dead_letters_command, overrides_command
from storage.api_keys import add_key, revoke_key
from storage.facts.reconcile import reconcile
from storage.facts.run import NAME as FACTS
from storage.facts.run import STALL_S as FACTS_STALL_S
from storage.facts.run import run_facts
from storage.history.command import live_since_command, load_command
from storage.keep import keep_once
from storage.keep import main as keep_for_ever
from storage.migrate import migrate
from storage.new_log_command import new_log_command
from storage.retention import KeepSettings
from storage.sink import SinkSettings, run_sink

app = typer.Typer(no_args_is_help=True, help="The database side of the platform.")
keys = typer.Typer(no_args_is_help=True, help="API keys of gateway and console.")
app.add_typer(keys, name="api-key")
app.add_typer(dead_letters_command.app, name="dead-letters")
app.add_typer(overrides_command.app, name="override")
app.command("load")(load_command)
app.command("live-since")(live_since_command)
app.command("new-log")(new_log_command)


@app.command("migrate")
def migrate_command(
    topics: Annotated[bool, typer.Option(help="also create the Kafka topics")] = True,
) -> None:
    """Bring the database (and the topics) to the present state. Safe to repeat."""
    settings = Settings()
    applied = migrate(settings.database())
    typer.echo(f"database: {len(applied)} migrations applied, {len(streams())} streams ready")
    if topics:
        topics_ = all_topics(settings.topic_prefix, tuple(streams()), tuple(facts()))
        made = ensure_topics(settings.kafka, topics_)
        typer.echo(f"kafka: {len(made)} topics created")


@app.command("sink")
def sink_command() -> None:
    """Run the Kafka to TimescaleDB sink until SIGTERM (CITYOPS_GATHER_MS=0: store each at once)."""
    settings = SinkSettings()
    sys.exit(run_process("sink", settings, lambda v, stop: run_sink(settings, v, stop)))


@app.command("facts")
def facts_command() -> None:
    """Store facts and tell of their minutes until SIGTERM."""
    settings = Settings()
    body = lambda v, stop: run_facts(settings, v, stop)  # noqa: E731
    sys.exit(run_process(FACTS, settings, body, exit_when_stalled_s=FACTS_STALL_S))


@app.command("reconcile")
def reconcile_command(
    fact: Annotated[str | None, typer.Option(help="one kind of facts; all without it")] = None,
    days: Annotated[int, typer.Option(min=1, help="so many days back")] = 7,
) -> None:
    """Compare rows, minutes, windows and days of facts to the last unit; exit 1 when they differ.

    Example: python -m storage reconcile --fact gantry_passage
    """
    if fact is not None and fact not in facts():
        raise typer.BadParameter(f"no fact {fact!r}; known: {', '.join(facts())}")
    wrong = False
    with connect(Settings().database(), "reconcile", autocommit=True) as conn:
        first = now_of(conn).astimezone(zone()).date() - timedelta(days=days)
        for name in [fact] if fact else facts():
            for day in reconcile(conn, facts()[name], first):
                wrong |= not day.equal
                typer.echo(f"{'✓' if day.equal else '✗'} {name} {day.day}: {day.words()}")
    raise typer.Exit(int(wrong))


@app.command("keep")
def keep_command(
    once: Annotated[bool, typer.Option("--once", help="one round, then say what was done")] = False,
) -> None:
    """Keep rollups in step and drop what is too old until SIGTERM (CITYOPS_KEEP_1M_DAYS=365 …).

    Example: CITYOPS_KEEP_RAW_DAYS=30 python -m storage keep --once
    """
    if not once:
        sys.exit(keep_for_ever())
    settings = KeepSettings()
    with connect(settings.database(), "keep", autocommit=True) as conn:
        kept = keep_once(conn, settings, datetime.now(UTC))
    typer.echo(
        f"{kept.marks} marks worked off, {sum(kept.written.values())} rollups written, "
        f"{kept.refused} refused, {sum(kept.dropped.values())} chunks dropped"
    )


@keys.command("add")
def add_key_command(
    name: Annotated[str, typer.Option(help="whose key it is")],
    scopes: Annotated[str, typer.Option(help="e.g. 'ingest:*' or 'ingest:noise,api:viewer'")],
    key_file: Annotated[Path | None, typer.Option(help="register the key in this file")] = None,
) -> None:
    """Register a key; without --key-file a new one is made and shown once."""
    token = key_file.read_text().strip() if key_file else None
    with connect(Settings().database(), "api-key", autocommit=True) as conn:
        try:
            made = add_key(conn, name, scopes.split(","), token)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--scopes") from None
    typer.echo(f"key {name} registered" if token else made)


@keys.command("revoke")
def revoke_key_command(name: str) -> None:
    """Revoke every key of this name; the gateway forgets it within seconds."""
    with connect(Settings().database(), "api-key", autocommit=True) as conn:
        typer.echo(f"{revoke_key(conn, name)} keys revoked")


if __name__ == "__main__":
    run(app)
