"""The process supervisor: its configuration, its start, and questions to it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import xmlrpc.client
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.errors import StartError
from deploy.paths import ROOT, Layout
from deploy.plan import Process
from deploy.wait import wait_until

STOP_S = 60.0
SECRETS = frozenset(
    {
        *("CITYOPS_DSN", "CITYOPS_ADMIN_DSN", "CITYOPS_ADMIN_PASSWORD_FILE", "CITYOPS_API_KEY"),
        *("CITYOPS_KAFKA_USER", "CITYOPS_KAFKA_PASSWORD", "CITYOPS_KAFKA_PASSWORD_FILE"),
        "CITYOPS_KAFKA_ADMIN_PASSWORD_FILE",
    }
)
SERVERS = ("kafka", "postgres", "grafana")


def render(layout: Layout, processes: list[Process], common: dict[str, str]) -> str:
    """Return supervisord's configuration; servers start by themselves, the rest when told."""
    account = "user=root\n" if os.geteuid() == 0 else ""
    head = f"""[unix_http_server]
file={layout.supervisor_socket}
chmod=0700

[supervisord]
{account}pidfile={layout.supervisor_pid}
logfile={layout.logs / "supervisord.log"}
childlogdir={layout.logs}
silent=true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{layout.supervisor_socket}
"""
    return head + "".join(_program(layout, p, common) for p in processes)


def _program(layout: Layout, process: Process, common: dict[str, str]) -> str:
    shared = {} if process.server or process.guest else common
    environment = shared | process.environment
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(environment.items()))
    # PostgreSQL ends at once on SIGINT; the others on SIGTERM
    stop = "INT" if process.name == "postgres" else "TERM"
    lines = [
        "",
        f"[program:{process.name}]",
        f"command={_escaped(shlex.join(process.command))}",
        f"directory={process.folder or ROOT}",
        f"autostart={'true' if process.server else 'false'}",
        "autorestart=true",
        "startsecs=1",
        "startretries=30",
        f"stopsignal={stop}",
        "stopwaitsecs=15",
        f"stopasgroup={'false' if process.server else 'true'}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={layout.logs / process.name}.log",
        "stdout_logfile_maxbytes=10MB",
        "stdout_logfile_backups=3",
    ]
    if process.user:
        lines.append(f"user={process.user}")
    if pairs:
        lines.append(f"environment={pairs}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


def running_pid(layout: Layout) -> int:
    """Return the pid of our supervisor, 0 when it does not run."""
    try:
        pid = int(layout.supervisor_pid.read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return 0
    return pid


def start(layout: Layout) -> None:
    """Start supervisord in the background and wait until it answers.

    Secrets of our environment stay out of it: each process is given its own by the configuration.
    """
    line = [sys.executable, "-m", "supervisor.supervisord", "-c", str(layout.supervisor_conf)]
    env = {name: value for name, value in os.environ.items() if name not in SECRETS}
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise StartError(f"the process supervisor did not start:\n{done.stderr or done.stdout}")
    wait_until(lambda: bool(states(layout)), 20.0, "the process supervisor answering")


def states(layout: Layout) -> dict[str, dict[str, Any]]:
    """Return name → supervisor's own record (statename, pid, start, now); empty when away."""
    with contextlib.suppress(OSError, xmlrpc.client.Error), _proxy(layout) as proxy:
        return {info["name"]: info for info in proxy.supervisor.getAllProcessInfo()}
    return {}


def start_process(layout: Layout, name: str) -> None:
    """Start one process; it may already run."""
    with contextlib.suppress(xmlrpc.client.Fault), _proxy(layout) as proxy:
        proxy.supervisor.startProcess(name, False)


def stop_processes(layout: Layout, names: list[str]) -> None:
    """Ask these processes to end, all at once, and return when they have."""
    for name in names:
        with contextlib.suppress(xmlrpc.client.Fault), _proxy(layout) as proxy:
            proxy.supervisor.stopProcess(name, False)
    ended = ("STOPPED", "EXITED", "FATAL")
    up = lambda: [n for n, s in states(layout).items() if s["statename"] not in ended]  # noqa: E731
    wait_until(lambda: not set(names) & set(up()), STOP_S, "our processes stopped")


def stop(layout: Layout) -> None:
    """Stop our processes, then the supervisor with its servers; return when all are gone.

    A process whose broker or database is gone first waits for it and ends late.
    """
    pid = running_pid(layout)
    if pid:
        stop_processes(layout, [name for name in states(layout) if name not in SERVERS])
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not running_pid(layout), STOP_S, "the platform stopped")


def _proxy(layout: Layout) -> Any:
    transport = SupervisorTransport(None, None, f"unix://{layout.supervisor_socket}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
