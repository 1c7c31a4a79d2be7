"""Take in new or changed streams: tables, dashboards, and our processes anew; servers run on."""

from __future__ import annotations

import json

from deploy import grafana, supervisor
from deploy.errors import DeployError
from deploy.paths import Layout
from deploy.progress import step
from deploy.runtime import Addresses
from deploy.up import run_room, start_ours


def reload(layout: Layout) -> None:
    """Migrate, provision and restart our processes; readings sent meanwhile get a 503 and retry.

    Raises DeployError when nothing runs or a step fails.
    """
    found = supervisor.states(layout)
    if not found or not layout.env_file.exists():
        raise DeployError("nothing runs; start it with make run DETACH=1")
    address = json.loads(layout.env_file.read_text())
    ours = [name for name in found if name not in supervisor.SERVERS]
    with step("bringing tables and dashboards to the present streams"):
        run_room(address, "storage", "migrate")
        if url := address["CITYOPS_GRAFANA"]:
            at = Addresses(address["CITYOPS_KAFKA"], address["CITYOPS_DSN"])
            grafana.provision(layout, grafana.Grafana(url), at, address)
    with step("starting our processes anew"):
        supervisor.stop_processes(layout, ours)
        start_ours(layout, ours)
