"""``python -m deploy``: bring the platform up, look at it, take it down."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy import kafka_access, shell_env, supervisor
from deploy.backup.daily import Plan, drop_old
from deploy.backup.make import back_up
from deploy.backup.names import DAILY, MANUAL
from deploy.backup.restore import restore
from deploy.docker import Compose
from deploy.errors import DeployError
from deploy.grafana_fetch import fetch, wanted
from deploy.native import kafka, packages, postgres_files
from deploy.paths import Layout, cache_dir, default_layout
from deploy.progress import say
from deploy.reload import reload
from deploy.runtime import choose_runtime, database_folder
from deploy.status import disk_rows, disk_words, line, rows, table
from deploy.up import up

app = typer.Typer(no_args_is_help=True, help="Bring the platform up and look after it.")
console = Console()


@app.callback()
def main(context: typer.Context) -> None:
    """Bring the platform up and look after it."""
    context.obj = shell_env.forget(os.environ, default_layout())


@app.command("setup")
def setup_command(
    tests: Annotated[bool, typer.Option("--tests", help="also what the tests need")] = False,
) -> None:
    """Install Kafka and TimescaleDB into the cache, if they will be ours. Safe to repeat.

    What is missing and only an administrator can install is named in one list.
    """
    with _told():
        native = choose_runtime(default_layout(), {}).name == "native"
        programs = list(packages.TEST_PROGRAMS) if tests else []
        extra = list(packages.TEST_EXTRAS) if tests else []
        if native:
            more, further = postgres_files.needed(cache_dir())
            programs, extra = [*kafka.NEEDED, *more, *programs], [*further, *extra]
        packages.ensure(programs, extra)
        if not native:
            return
        kafka.install(cache_dir())
        postgres_files.install(cache_dir())


@app.command("up")
def up_command(
    context: typer.Context,
    detach: Annotated[bool, typer.Option(help="return once data flows")] = False,
) -> None:
    """Start everything; stay in front with a status line. Example: python -m deploy up --detach"""
    layout = default_layout()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a container is stopped
    if context.obj:
        say(context.obj)
    try:
        with _told():
            addresses = up(layout)
        _say_where(layout, addresses)
        while not detach and supervisor.running_pid(layout):
            console.print(line(rows(layout) + disk_rows(layout)), end="\r", soft_wrap=True)
            time.sleep(2)
    except KeyboardInterrupt:
        say("stopping")
        _stop(layout)


def _say_where(layout: Layout, addresses: dict[str, str]) -> None:
    say(f"gateway  {addresses['CITYOPS_GATEWAY']}/v1/streams")
    password = layout.console_password_file.read_text().strip()
    say(f"console  {addresses['CITYOPS_CONSOLE']}  login admin, password {password}")
    if grafana := addresses["CITYOPS_GRAFANA"]:
        held = layout.grafana_site / "secrets" / "wall-password"
        login = f"  login wall, password {held.read_text().strip()}" if held.exists() else ""
        say(f"grafana  {grafana}{login}")
    say("alerts   make logs PROCESS=receiver    .venv/bin/python -m alerts list")
    say("status   make status      stop   make stop")


@app.command("reload")
def reload_command() -> None:
    """Take in new or changed streams without stopping the servers."""
    with _told():
        reload(default_layout())


@app.command("grafana")
def grafana_command() -> None:
    """Fetch the official Grafana of deploy/grafana.toml; `up` starts it from then on."""
    home = default_layout().grafana_home
    with _told():
        if home.exists():
            say(f"Grafana is in {home}; remove that folder to fetch it anew")
            return
        build = wanted()
        fetch(build, home)
    say(f"Grafana {build.version} is in {home}; make stop && make run starts it")


@app.command("down")
def down_command() -> None:
    """Stop everything this checkout started."""
    layout = default_layout()
    with _told():
        _stop(layout)
    say("stopped")


@app.command("status")
def status_command() -> None:
    """Show a table; exit 1 when something is unwell or nothing runs."""
    layout = default_layout()
    found = rows(layout)
    if not found:
        say("nothing runs; start it with make run")
        raise typer.Exit(1)
    found += disk_rows(layout)
    console.print(table(found, disk_words(layout)))
    raise typer.Exit(0 if all(row.well for row in found) else 1)


@app.command("kafka-settings")
def kafka_settings_command(
    folder: Annotated[Path, typer.Argument(help="folder of the servers' passwords")],
    port: Annotated[int, typer.Option(help="where the broker is published on loopback")] = 9092,
) -> None:
    """Write the settings of the broker of compose.yaml, with passwords that it makes once.

    Example: python -m deploy kafka-settings .cityops/secrets
    """
    say(f"{kafka_access.write_container_settings(port, folder)}")


@app.command("env")
def env_command() -> None:
    """Print shell assignments. Example: eval "$(python -m deploy env)" """
    print(shell_env.exports(default_layout(), _addresses()))


@app.command("screenshots")
def screenshots_command() -> None:
    """Take the pictures of README and docs anew, from the running console."""
    from deploy.screenshots import FOLDER, SHOTS, take

    console, layout = _addresses()["CITYOPS_CONSOLE"], default_layout()
    with _told():
        made = take(console, layout.console_password_file.read_text().strip())
        for shot in SHOTS:
            done = FOLDER / shot.name in made
            say(f"{shot.name} {'taken' if done else f'left: {shot.path} has nothing to open yet'}")


@app.command("backup")
def backup_command(
    daily: Annotated[bool, typer.Option("--daily", help="as the watchdog does")] = False,
) -> None:
    """Back up the running platform into one file. Example: python -m deploy backup"""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves nothing half behind
    layout = default_layout()
    with _told():
        made = back_up(layout, _addresses(), DAILY if daily else MANUAL)
        if daily:
            drop_old(made.parent, Plan.of(dict(os.environ)).keep)
    say(f"{made} ({made.stat().st_size / 2**20:.1f} MiB)")


@app.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="what backup has made")],
    replace: Annotated[bool, typer.Option("--replace", help="put aside what is here")] = False,
) -> None:
    """Restore a backup; the platform must be stopped. Example: python -m deploy restore FILE"""
    with _told():
        manifest = restore(default_layout(), file, replace)
    rows = sum(manifest.tables.values())
    say(f"restored {len(manifest.tables)} tables with {rows} rows as of {manifest.made_at}")
    say("start it: make run")


@app.command("logs")
def logs_command(
    process: Annotated[str, typer.Argument(help="one process; all when left out")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on printing")] = False,
) -> None:
    """Print the end of the logs. Example: python -m deploy logs sink -f"""
    files = sorted(default_layout().logs.glob(f"{process or '*'}.log"))
    if not files:
        say(f"no log of {process or 'any process'}")
        raise typer.Exit(1)
    subprocess.run(["tail", "-n", "50", *(["-F"] if follow else []), *map(str, files)], check=False)


@app.command("clean")
def clean_command() -> None:
    """Stop everything and remove its data. There is no way back."""
    layout = default_layout()
    with _told():
        supervisor.stop(layout)
        Compose(layout).remove()
    shutil.rmtree(database_folder(layout).parent, ignore_errors=True)
    shutil.rmtree(layout.state, ignore_errors=True)
    say("data removed")


def _addresses() -> dict[str, str]:
    """Return the running platform's addresses; leave with 1 when it does not run."""
    layout = default_layout()
    if not supervisor.running_pid(layout) or not layout.env_file.exists():
        say("nothing runs; start it with make run DETACH=1")
        raise typer.Exit(1)
    return json.loads(layout.env_file.read_text())


def _stop(layout: Layout) -> None:
    supervisor.stop(layout)
    Compose(layout).stop()
    layout.env_file.unlink(missing_ok=True)  # these addresses answer no more


class _told:
    """Turn a DeployError into one clear message and exit code 2."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DeployError):
            console.print(f"error: {error}", style="bold", markup=False, soft_wrap=True)
            raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
