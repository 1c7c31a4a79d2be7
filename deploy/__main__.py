"""``python -m deploy``: bring the platform up, look at it, take it down."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import time
from typing import Annotated

import typer
from rich.console import Console

from deploy import supervisor
from deploy.docker import Compose
from deploy.errors import DeployError
from deploy.grafana_fetch import fetch, wanted
from deploy.native import kafka, packages, postgres_files
from deploy.paths import Layout, cache_dir, default_layout
from deploy.progress import say
from deploy.reload import reload
from deploy.runtime import choose_runtime, database_folder
from deploy.status import line, rows, table
from deploy.up import up

app = typer.Typer(no_args_is_help=True, help="Bring the platform up and look after it.")
console = Console()


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
    detach: Annotated[bool, typer.Option(help="return once data flows")] = False,
) -> None:
    """Start everything; stay in front with a status line. Example: python -m deploy up --detach"""
    layout = default_layout()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a container is stopped
    try:
        with _told():
            addresses = up(layout)
        _say_where(layout, addresses)
        while not detach and supervisor.running_pid(layout):
            console.print(line(rows(layout)), end="\r", soft_wrap=True)
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
    found = rows(default_layout())
    if not found:
        say("nothing runs; start it with make run")
        raise typer.Exit(1)
    console.print(table(found))
    raise typer.Exit(0 if all(row.well for row in found) else 1)


@app.command("env")
def env_command() -> None:
    """Print shell assignments. Example: eval "$(python -m deploy env)" """
    for name, value in _addresses().items():
        print(f"export {name}={shlex.quote(value)}")


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
