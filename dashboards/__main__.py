"""``python -m dashboards``: build and check the dashboards, provision a Grafana with them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from dashboards.build import dashboards, files, write
from dashboards.expand import View
from dashboards.grafana import Grafana, GrafanaError
from dashboards.lint import PROVISIONED, RULES, lint, lint_files
from dashboards.measure import measure, renewed, table
from dashboards.provision import Provision, provision
from dashboards.push import push
from dashboards.report.command import report_command
from dashboards.report.week_command import week_command
from dashboards.texts import LANGUAGES, Lang
from dashboards.verify import verify
from service.command import run

app = typer.Typer(
    no_args_is_help=True,
    help="Grafana dashboards and provisioning, built from the catalog.",
    epilog="Example: python -m dashboards build --out /tmp/boards",
)


@app.command("build")
def build_command(
    out: Annotated[Path, typer.Option(help="folder to write")],
) -> None:
    """Write all dashboards and provisioning files into a folder, variables in place of secrets."""
    changed = write(out)
    typer.echo(f"{len(files())} files in {out}, {len(changed)} changed")


@app.command("check")
def check_command() -> None:
    """Build all dashboards and provisioning files and check them by the rules; else exit 1."""
    _only_our_streams()
    fresh = files()
    findings = lint(dashboards()) + lint_files(fresh)
    for finding in findings:
        typer.echo(f"✕ {finding}", err=True)
    if findings:
        raise typer.Exit(1)
    kept = len(RULES) + len(PROVISIONED)
    typer.echo(f"✓ dashboards: {len(fresh)} files keep {kept} rules")


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

    Streams of CITYOPS_STREAMS_PATH and CITYOPS_SYSTEMS_PATH get their dashboards too. Start Grafana
    with `grafana server --homepath $GRAFANA_HOME --config OUT/grafana.ini`.
    """
    made = provision(Provision(out, dsn, port, console, password_file, admin))
    typer.echo(f"{made.dashboards} dashboards in {out}; start with --config {made.config}")


Url = Annotated[str, typer.Option("--url", envvar="CITYOPS_GRAFANA", help="address of Grafana")]
User = Annotated[str, typer.Option("--user", help="name that goes with the password")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="file with the administrator's password")
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="file with the token of a service account")
]


@app.command("push")
def push_command(
    url: Url = "http://127.0.0.1:3000",
    user: User = "admin",
    password_file: PasswordFile = None,
    token_file: TokenFile = None,
    lang: Annotated[Lang, typer.Option(help="language of home and of Grafana itself")] = "zh",
    token_out: Annotated[
        Path | None, typer.Option(help="make a service account that looks, write its token here")
    ] = None,
    viewer_file: Annotated[
        Path | None, typer.Option(help="password of account `wall`, which only looks; else none")
    ] = None,
) -> None:
    """Bring a running Grafana to what the files say: folders, rights, dashboards, playlists.

    Example: python -m dashboards push --url http://127.0.0.1:3000 --password-file admin-password
    """
    with _talking(url, user, password_file, token_file) as grafana:
        viewer = viewer_file.read_text().strip() if viewer_file else ""
        done = push(grafana, lang=lang, viewer=viewer, tell=typer.echo)
        for what in done.skipped:
            typer.echo(f"– {what}")
        if token_out:
            _write_secret(token_out, grafana.new_token("cityops-verify", "Viewer"))
            typer.echo(f"token of service account cityops-verify in {token_out}")


@app.command("verify")
def verify_command(
    url: Url = "http://127.0.0.1:3000",
    user: User = "admin",
    password_file: PasswordFile = None,
    token_file: TokenFile = None,
    hours: Annotated[float, typer.Option(min=0.1, help="length of the time asked for")] = 6.0,
    lang: Annotated[Lang | None, typer.Option(help="one language only")] = None,
    page: Annotated[str, typer.Option(help="uids of the pages to look at, * and ? allowed")] = "*",
    every: Annotated[bool, typer.Option("--every", help="print what is right too")] = False,
) -> None:
    """Ask a running Grafana for every page and every panel's data; exit 1 when one is wrong.

    Example: python -m dashboards verify --token-file verify-token --hours 24
    """
    end = datetime.now(UTC)
    view, wrong, right = View(end - timedelta(hours=hours), end), 0, 0
    with _talking(url, user, password_file, token_file) as grafana:
        chosen = (lang,) if lang else LANGUAGES
        for one in verify(grafana, view, languages=chosen, only=page, now=time.monotonic):
            right += not one.wrong
            wrong += bool(one.wrong) and not one.skipped
            if every or one.wrong:
                sign = "–" if one.skipped else "✕" if one.wrong else "✓"
                typer.echo(f"{sign} {one.what}{f': {one.wrong}' if one.wrong else ''}")
    typer.echo(f"{right} checks right, {wrong} wrong")
    if wrong:
        raise typer.Exit(1)


app.command("report")(report_command)
app.command("week")(week_command)


@app.command("measure")
def measure_command(
    dsn: Annotated[str, typer.Option(envvar="CITYOPS_DSN", help="database, as its owner")],
    repeats: Annotated[int, typer.Option(min=1, help="runs of each query that count")] = 5,
    lang: Annotated[Lang, typer.Option(help="language of the pages")] = "zh",
    into: Annotated[
        Path | None, typer.Option(help="page of Markdown whose marked table is renewed")
    ] = None,
) -> None:
    """Print every page, its question and how long its queries take, as a table of Markdown.

    Load a history first, or the figures say nothing.

    Example: python -m storage load /tmp/history && python -m dashboards measure --lang en
    --into docs/dashboards.md
    """
    found = measure(dsn, datetime.now(UTC), repeats=repeats, lang=lang)
    lines = []
    for line in table(found):
        typer.echo(line)
        lines.append(line)
    if into:
        into.write_text(renewed(into.read_text(), lines))


@contextmanager
def _talking(
    url: str, user: str, password_file: Path | None, token_file: Path | None
) -> Iterator[Grafana]:
    """Give a client; print what Grafana refuses as one line and exit 1."""
    token = token_file.read_text().strip() if token_file else ""
    password = password_file.read_text().strip() if password_file else ""
    if not token and not password:
        typer.echo("✕ give --password-file or --token-file", err=True)
        raise typer.Exit(2)
    try:
        with Grafana(url, token=token, password=password, user=user) as grafana:
            yield grafana
    except GrafanaError as error:
        typer.echo(f"✕ {error}", err=True)
        raise typer.Exit(1) from None


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(secret)


def _only_our_streams() -> None:
    """Check this tree's streams; a site's own come in when it builds or provisions."""
    for name in ("CITYOPS_STREAMS_PATH", "CITYOPS_SYSTEMS_PATH"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    run(app)
