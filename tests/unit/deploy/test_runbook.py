"""The runbook has an answer to every alert of the platform itself, and names what exists."""

import re

from dashboards.alerting import WATCHES
from deploy.paths import ROOT

RUNBOOK = (ROOT / "docs/operations.md").read_text()


def test_every_alert_of_the_platform_has_its_section_with_the_limits_it_has() -> None:
    for watch in WATCHES:
        heading = f"### {watch.title.zh} · {watch.title.en}\n"
        assert heading in RUNBOOK, f"docs/operations.md says nothing of {watch.key}"
        section = RUNBOOK.partition(heading)[2].partition("\n##")[0]
        assert section.lstrip().lower().startswith(watch.severity), watch.key
        assert f"{watch.limit:g}" in section, watch.key


def test_every_make_target_of_the_runbook_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", RUNBOOK))
    assert len(named) >= 6
    assert named <= targets
