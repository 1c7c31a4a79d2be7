"""``python -m console``: the operators' web, its users, its audit log."""

import secrets
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from console import accounts
from console.roles import Role
from console.settings import ConsoleSettings
from service.command import run
from service.doors import doors
from service.postgres import connect
from service.process import run_process
from service.vitals import Vitals
from service.web import serve
from storage.anchors import Anchors

app = typer.Typer(help="The operators' web: pages and HTTP API.")


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Serve pages and API on CITYOPS_CONSOLE until SIGTERM, when no command is given."""
    if context.invoked_subcommand is None:
        settings = ConsoleSettings()
        sys.exit(
            run_process(
                "console",
                settings,
                lambda v, stop: _serve(settings, v, stop),
            )
        )


def _serve(settings: ConsoleSettings, vitals: Vitals, stop: threading.Event) -> None:
    from console.app import build_app

    at = doors(settings, "console")
    serve(build_app(settings, vitals), at, vitals, stop)


@app.command("add-user")
def add_user_command(
    name: str,
    role: Annotated[Role, typer.Option(help="viewer, operator or admin")] = Role.VIEWER,
    password_file: Annotated[
        Path | None, typer.Option(help="use the password in this file; made up when left out")
    ] = None,
    screen: Annotated[
        bool, typer.Option(help="a display on a wall: only looks, its login does not end")
    ] = False,
    keep: Annotated[bool, typer.Option(help="leave a user of this name as they are")] = False,
) -> None:
    """Add a user, or give a known one a new password and role.

    Example: python -m console add-user li --role operator
    """
    password = password_file.read_text().strip() if password_file else secrets.token_urlsafe(12)
    with connect(ConsoleSettings().database(), "console", autocommit=True) as conn:
        if keep and accounts.has_user(conn, name):
            typer.echo(f"{name} exists and stays")
            return
        try:
            accounts.add_user(conn, name, password, role, screen=screen)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    shown = "" if password_file else f"; password: {password}"
    typer.echo(f"added {name} ({role}){shown}")


@app.command("disable-user")
def disable_user_command(name: str) -> None:
    """Shut a user out at once. Example: python -m console disable-user li"""
    with connect(ConsoleSettings().database(), "console", autocommit=True) as conn:
        if not accounts.disable_user(conn, name):
            raise typer.BadParameter(f"no user {name}")
    typer.echo(f"{name} is shut out")


@app.command("verify-audit")
def verify_audit_command() -> None:
    """Recompute the audit log's chain and meet its anchors; exit 1 when a row was changed."""
    settings = ConsoleSettings()
    with connect(settings.database(), "console", autocommit=True) as conn:
        found = Anchors(settings.state_dir).verify(conn)
    typer.echo(found.words())
    if found.broken_at is not None:
        raise typer.Exit(1)


if __name__ == "__main__":
    run(app)
