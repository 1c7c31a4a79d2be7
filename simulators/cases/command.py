"""``python -m simulators cases``: the people of the simulated city work on cases."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from service.clock import SystemClock
from service.process import run_process
from service.settings import Settings
from service.vitals import Vitals
from simulators.cases import office
from simulators.cases.truth import CaseTruth
from simulators.core.city import City


def cases_command(
    seed: Annotated[int, typer.Option(help="same seed and time, same problems")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, help="simulated seconds a second")] = 1.0,
    rate: Annotated[float, typer.Option(min=0.1, max=50, help="calls a second at most")] = 2.0,
    truth: Annotated[Path | None, typer.Option(help="file of the truth, kept apart")] = None,
    department_key: Annotated[
        Path | None, typer.Option(help="file with the departments' API key; else the same one")
    ] = None,
) -> None:
    """Let collectors, citizens and departments work on cases until SIGTERM. 模拟案卷

    About 600 cases a working day through the console's API, also those that alerts open. The key
    (CITYOPS_API_KEY_FILE) needs api:admin, the departments' one the duty urban.department. With a
    higher speed people are quicker, but deadlines still run by the clock.

    Example: make cases
    """
    settings, clock = Settings(), SystemClock()
    plan = office.Plan(seed=seed, speed=speed, per_s=rate)
    path = truth or settings.state_dir / "truth" / "cases.jsonl"
    key = department_key.read_text().strip() if department_key else settings.key()

    def body(vitals: Vitals, stop: threading.Event) -> None:
        with (
            office.client_of(settings, settings.key()) as centre,
            office.client_of(settings, key) as department,
        ):
            pace = office.Pace(clock, plan.per_s, stop)
            people = office.Office(
                City(plan.seed), centre, department, CaseTruth(path), pace.wait, plan.speed
            )
            office.run_cases(people, plan, clock, stop, vitals)

    sys.exit(run_process("cases", settings, body))
