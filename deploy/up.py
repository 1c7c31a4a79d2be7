"""Bring the platform up: servers, schema, key, processes, and the first readings in the table."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime

from deploy import kafka_access, ports, supervisor
from deploy.demo import demo_receiver
from deploy.errors import DeployError, StartError
from deploy.grafana import ABSENT, Grafana, provision
from deploy.grafana import find as find_grafana
from deploy.grafana import process as grafana_process
from deploy.grafana import push as push_to_grafana
from deploy.native.cache import locked
from deploy.native.servers import stored_password
from deploy.paths import ROOT, Layout, make_private
from deploy.plan import Process, port_wishes, processes
from deploy.ports import LOOPBACK
from deploy.process import tail
from deploy.progress import say, step
from deploy.progress_signs import Lives, of_processes
from deploy.rights import SHELL
from deploy.runtime import Addresses, choose_runtime, connect, disks_of, shortage
from deploy.status import Row, health, rows
from deploy.wait import wait_while_moving

FRESH_S = 60.0
LEAN = {"MALLOC_ARENA_MAX": "2"}
"""A pool of memory for each of many threads keeps tens of megabytes that nobody uses."""
KEEP_REPLAYED = {"CITYOPS_KEEP_RAW_DAYS": "0", "CITYOPS_KEEP_1M_DAYS": "0"}
"""On one's own machine old series are replayed: retention would drop them within the hour."""
GUIDANCE, DEVICES = "CITYOPS_GUIDANCE", "CITYOPS_DEVICES"
"""Where forecasts of others come from (forecasts/fetch.py)."""


def up(layout: Layout) -> dict[str, str]:
    """Start everything that does not run; return the addresses once data flows.

    A start that was broken off, or gave up, is gone on with.
    """
    layout.state.mkdir(parents=True, exist_ok=True)
    with locked(layout.start_lock, lambda: say("another start is under way; waiting for it")):
        if supervisor.running_pid(layout) and not layout.env_file.exists():
            say("an earlier start did not end well; it is stopped first")
            supervisor.stop(layout)
        if not supervisor.running_pid(layout):
            return _start(layout)
        address: dict[str, str] = json.loads(layout.env_file.read_text())
        if layout.starting_file.exists():
            say("an earlier start has not come to its end; going on with it")
            _go_on(layout, address)
        else:
            say("already running")
        return address


def _go_on(layout: Layout, address: dict[str, str]) -> None:
    names = [name for name in supervisor.states(layout) if name not in ("kafka", "postgres")]
    with step("starting the platform"):
        start_ours(layout, names)
    if "grafana" in names and (
        trouble := push_to_grafana(layout, Grafana(address["CITYOPS_GRAFANA"]), address)
    ):
        say(trouble)


def _start(layout: Layout) -> dict[str, str]:
    layout.env_file.unlink(missing_ok=True)
    layout.starting_file.touch()
    chosen = ports.choose(port_wishes(), ports.load(layout.ports_file))
    make_private(layout.secrets)
    make_private(layout.logs)
    ports.save(layout.ports_file, chosen)
    runtime = choose_runtime(layout, chosen)
    servers = runtime.prepare()
    _api_keys(layout)
    stored_password(layout.console_password_file, 12)
    grafana = find_grafana(layout, chosen["grafana"])
    planned = runtime.planned()
    common = _environment(layout, chosen, planned)
    shell = common | _login(SHELL, planned)
    ours = [_own(layout, p, chosen, planned) for p in [*processes(), demo_receiver(layout, chosen)]]
    if grafana and grafana.home:
        ours.append(grafana_process(layout, grafana.home))
    layout.supervisor_conf.touch(mode=0o600)
    layout.supervisor_conf.write_text(supervisor.render(layout, [*servers, *ours], common))
    with step(f"starting servers ({runtime.name})"):
        supervisor.start(layout)
        connect(runtime, layout)
    with step("preparing database and topics"):
        _prepare_data(layout, shell)
        trouble = provision(layout, grafana, planned, common) if grafana else ABSENT
    answer = public(layout, shell, grafana.url if grafana else "")
    layout.env_file.touch(mode=0o600)
    layout.env_file.write_text(json.dumps(answer, indent=2))
    with step("starting the platform"):
        start_ours(layout, [process.name for process in ours])
    if grafana and grafana.home:
        trouble = "\n".join(filter(None, (trouble, push_to_grafana(layout, grafana, common))))
    if trouble:
        say(trouble)
    return answer


def start_ours(layout: Layout, names: list[str]) -> None:
    """Start our processes and wait, as long as something moves, until data flows and all are well.

    Raises StartError that names what is unwell, each with the end of its log.
    """
    layout.starting_file.touch()
    for name in names:
        supervisor.start_process(layout, name)
    view = _View(layout)
    try:
        wait_while_moving(view.flows, view.signs, view.waits_for)
        wait_while_moving(view.well, view.signs, view.waits_for)
    except StartError as error:
        ill = [row for row in rows(layout) if not row.well]
        said = [f"{row.name}: {row.reason}\n{tail(layout.logs / f'{row.name}.log')}" for row in ill]
        going_on = "What runs goes on running; make status looks again, make run goes on waiting."
        raise StartError("\n".join([str(error), *said, going_on])) from error
    layout.starting_file.unlink()
    if low := shortage(layout):
        say(low.strip())


class _View:
    """What a start sees of the platform: its rows, and what they wait for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lives = Lives(layout)
        self._fresh = False
        self._rows: list[Row] = []

    def flows(self) -> bool:
        """Tell whether the sink has stored a reading younger than a minute."""
        self._fresh = _flows(self._layout)
        return self._fresh

    def well(self) -> bool:
        """Tell whether every process is well."""
        self._rows = rows(self._layout)
        return bool(self._rows) and all(row.well for row in self._rows)

    def signs(self) -> set[Hashable]:
        """Return what has moved; StartError when a process ends again and again."""
        if not self._fresh:
            self._rows = rows(self._layout)
        return of_processes(self._rows, self._lives.check(), self._fresh)

    def waits_for(self) -> str:
        """Return who is not well yet and why, in one line."""
        ill = ", ".join(f"{row.name} ({row.reason})" for row in self._rows if not row.well)
        what = "every process well" if self._fresh else "fresh readings in the database"
        return f"{what}{f': {ill}' if ill else ''}{shortage(self._layout)}"


def public(layout: Layout, common: dict[str, str], grafana: str) -> dict[str, str]:
    """Return what `python -m deploy env` prints."""
    names = ("CITYOPS_KAFKA", "CITYOPS_DSN", "CITYOPS_GATEWAY", "CITYOPS_CONSOLE")
    answer = {k: v for k, v in common.items() if k in names or k.startswith("CITYOPS_KAFKA_")}
    answer["CITYOPS_API_KEY"] = layout.api_key_file.read_text().strip()
    answer["CITYOPS_GRAFANA"] = grafana
    return answer


def _environment(layout: Layout, chosen: dict[str, int], addresses: Addresses) -> dict[str, str]:
    names = (
        "CITYOPS_STREAMS_PATH",
        "CITYOPS_SYSTEMS_PATH",
        "CITYOPS_SITE",
        "CITYOPS_KEEP_",
        GUIDANCE,
        DEVICES,
    )
    passed = {k: v for k, v in os.environ.items() if k.startswith(names)}
    ours = {
        "CITYOPS_KAFKA": addresses.kafka,
        "CITYOPS_DSN": addresses.dsn,
        "CITYOPS_GATEWAY": f"http://{LOOPBACK}:{chosen['gateway']}",
        "CITYOPS_CONSOLE": f"http://{LOOPBACK}:{chosen['console']}",
        "CITYOPS_API_KEY_FILE": str(layout.api_key_file),
        "CITYOPS_STATE_DIR": str(layout.state),
        "CITYOPS_RECEIVERS_FILE": str(layout.receivers_file),
        "CITYOPS_DISKS": os.pathsep.join(map(str, disks_of(layout))),
    }
    if layout.routes_file.exists() and "CITYOPS_ROUTES_FILE" not in os.environ:
        ours["CITYOPS_ROUTES_FILE"] = str(layout.routes_file)
    return LEAN | KEEP_REPLAYED | passed | ours


def _login(user: str, addresses: Addresses) -> dict[str, str]:
    """Return who a process is to our own broker; to another it is whom the environment names."""
    folder = addresses.kafka_secrets
    return kafka_access.environment(user, folder) if folder else {}


def _own(layout: Layout, process: Process, chosen: dict[str, int], addresses: Addresses) -> Process:
    """Return a process with what it alone is told: its name, its port, its logins."""
    own = _login(process.name, addresses) | {
        "CITYOPS_DSN": addresses.dsn_of(process.name, layout.secrets),
        "CITYOPS_PROCESS": process.name,
        "CITYOPS_METRICS_PORT": str(chosen[f"{process.name}-health"]),
    }
    if process.name == "forecasts" and GUIDANCE not in os.environ:
        service = f"http://{LOOPBACK}:{chosen['city-health']}/guidance/weather.csv"
        own[GUIDANCE] = f"weather={service}?from={{from}}"  # the simulated city's weather service
    if process.name == "city":
        own["CITYOPS_SIGNS_PORT"] = str(chosen["signs"])
    if process.name == "records" and DEVICES not in os.environ:
        own[DEVICES] = f"sign=http://{LOOPBACK}:{chosen['signs']}/signs/{{id}}"
    return replace(process, environment=own)


def _api_keys(layout: Layout) -> None:
    for file in (layout.api_key_file, layout.grafana_key_file):
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(f"ck_{secrets.token_urlsafe(32)}\n")


def _prepare_data(layout: Layout, common: dict[str, str]) -> None:
    run_room(common, "storage", "migrate")
    keys = (
        ("local", "ingest:*,api:*", layout.api_key_file),
        ("grafana", "api:operator", layout.grafana_key_file),
    )
    for name, scopes, file in keys:
        key = ["--name", name, "--scopes", scopes, "--key-file", str(file)]
        run_room(common, "storage", "api-key", "add", *key)
    user = ["add-user", "admin", "--role", "admin", "--keep"]
    run_room(common, "console", *user, "--password-file", str(layout.console_password_file))


def run_room(common: dict[str, str], *arguments: str) -> None:
    """Run `python -m *arguments` to its end; raises DeployError with its words when it fails."""
    line = [sys.executable, "-m", *arguments]
    env = os.environ | common
    done = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise DeployError(f"{' '.join(arguments)} failed:\n{done.stderr or done.stdout}")


def _flows(layout: Layout) -> bool:
    """Tell whether the sink has stored a reading younger than a minute."""
    newest = health(layout, "sink").get("newest_observed_at")
    if not newest:
        return False
    age = datetime.now(UTC) - datetime.fromisoformat(newest)
    return age.total_seconds() < FRESH_S
