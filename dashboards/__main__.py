"""``python -m dashboards``: build and check the dashboards, provision a Grafana with them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dashboards.build import BUILT, dashboards, files, stale, write
from dashboards.lint import RULES, lint
from dashboards.provision import Provision, provision

app = typer.Typer(
    no_args_is_help=True,
    help="Grafana dashboards and provisioning, built from the catalog.",
    epilog="Example: python -m dashboards build && python -m dashboards check",
)


@app.command("build")
def build_command() -> None:
    """Write dashboards and provisioning under dashboards/built (commit them)."""
    _only_our_streams()
    changed = write()
    typer.echo(f"{len(files())} files in {BUILT.name}/, {len(changed)} changed")


@app.command("check")
def check_command() -> None:
    """Check the dashboards' rules, and the committed files against a fresh build; else exit 1."""
    _only_our_streams()
    findings = lint(dashboards())
    for finding in findings:
        typer.echo(f"✕ {finding}", err=True)
    differing = stale(BUILT, files())
    for name in differing:
        typer.echo(f"✕ dashboards/built/{name} is not what the catalog says", err=True)
    if differing:
        typer.echo("run `make dashboards` and commit the result", err=True)
    if differing or findings:
        raise typer.Exit(1)
    typer.echo(f"✓ dashboards: {len(files())} files equal a fresh build, {len(RULES)} rules kept")


@app.command("provision")
def provision_command(
    out: Annotated[Path, typer.Option(help="folder to write; made when missing")],
    dsn: Annotated[
        str, typer.Option(envvar="CITYOPS_DSN", help="database address; its user is not used")
    ],
    password_file: Annotated[
        Path | None, typer.Option(help="file with the password of grafana_ro; else made here")
    ] = None,
    port: Annotated[int, typer.Option(help="port of Grafana on loopback")] = 3000,
    console: Annotated[
        str, typer.Option(envvar="CITYOPS_CONSOLE", help="console, for alert notifications")
    ] = "http://127.0.0.1:8700",
    admin: Annotated[
        bool, typer.Option(help="let grafana_ro log in with the password (needs CREATEROLE)")
    ] = False,
) -> None:
    """Write what a Grafana needs to start: ini, data source, folders, dashboards, alerting.

    Streams of CITYOPS_STREAMS_PATH get their dashboards too. Start Grafana with
    `grafana server --homepath $GRAFANA_HOME --config OUT/grafana.ini`.
    """
    made = provision(Provision(out, dsn, port, console, password_file, admin))
    typer.echo(f"{made.dashboards} dashboards in {out}; start with --config {made.config}")


def _only_our_streams() -> None:
    """Committed files hold this tree's streams; a site's own come in when it provisions."""
    os.environ.pop("CITYOPS_STREAMS_PATH", None)


if __name__ == "__main__":
    app()
