"""Write a new stream file that works at once and is a good place to start from."""

import re
from pathlib import Path

from catalog.declared import SYSTEMS_FOLDER, system_folders
from catalog.registry import stream_files, systems

NAME = re.compile(r"^[a-z][a-z0-9_]{1,39}$")

TEMPLATE = '''"""{title}: change the texts, units and limits to those of your sensor."""

from catalog.model import (
    AbsenceRule,
    HealthRule,
    Metric,
    Placement,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)

STREAM = Stream(
    name="{name}",
    domain="{domain}",
    title=text("{zh}", "{title}"),
    cadence_s=30,
    lateness_s=300,
    headline="level",
    metrics=(
        Metric(
            name="level",
            unit="dB(A)",
            title=text("测量值", "Level"),
            fail_span=(0, 200),
            suspect_span=(10, 150),
            spike=(20, 50),
            typical=(40, 55),
        ),
        Metric(
            name="battery_v",
            unit="V",
            title=text("电池电压", "Battery voltage"),
            decimals=2,
            fail_span=(0, 15),
            typical=(3.4, 3.6),
        ),
    ),
    rules=(
        ThresholdRule(
            name="high",
            title=text("测量值过高", "Level high"),
            metric="level",
            op=">=",
            thresholds=levels(blue=70, yellow=80, orange=90, red=100),
            deadband=2,
            advice=text("派员现场核查", "Send someone to look"),
        ),
        AbsenceRule(after_s=150),
        StreamAbsenceRule(after_s=150),
        HealthRule(),
    ),
    placement=Placement(per_district=1),
)
'''


def new_stream(name: str, domain: str, folder: Path | None = None) -> Path:
    """Write a stream file into the folder, else into its system's; ValueError for a bad name."""
    if not NAME.match(name):
        raise ValueError(f"{name!r}: a stream name is 2-40 lower-case letters, digits and _")
    if domain not in systems():
        raise ValueError(f"{domain!r} is no domain; choose one of {', '.join(systems())}")
    home = next((f for f in system_folders() if f.name == domain), SYSTEMS_FOLDER / domain)
    path = (folder or home / "streams") / f"{name}.py"
    if path.exists() or name in {file.stem for file in stream_files()}:
        raise ValueError(f"a stream named {name!r} exists already")
    title = name.replace("_", " ").capitalize()
    zh = systems()[domain].title.zh + "新测点"
    path.write_text(TEMPLATE.format(name=name, title=title, domain=domain, zh=zh))
    return path
