"""A case (案卷) of urban management: the seven steps of GB/T 30428 with their side moves.

信息收集 report → 案卷建立 file → 任务派遣 dispatch → 任务处理 receive → 处理反馈 feed back
→ 核查结案 check, close → 综合评价 KPIs. The standard's text was not read; steps, side moves and KPI
formulas follow published systems that implement it. An alert opens a case; its clearing does not
close it, a collector's check does.
"""

from catalog.base import Severity, text
from catalog.lifecycle.calendar import Limit
from catalog.lifecycle.record import (
    Clock,
    FromRule,
    Near,
    Open311,
    Opening,
    Record,
    Role,
    State,
)
from systems.urban.fields import FIELDS
from systems.urban.kpis import KPIS
from systems.urban.moves import MOVES
from systems.urban.subclasses import handling_limits

ROLES = (
    Role(name="collector", title=text("信息采集员", "Collector")),
    Role(name="acceptor", title=text("受理员", "Acceptor")),
    Role(name="dispatcher", title=text("派遣员", "Dispatcher")),
    Role(
        name="department",
        title=text("责任单位", "Department"),
        held_by="nobody",
        scope="department",
    ),
    Role(name="supervisor", title=text("督查员", "Supervisor"), held_by="admin"),
)
STATES = (
    State(name="reported", title=text("待受理", "Reported"), public=text("已收到", "Received")),
    State(name="verifying", title=text("核实中", "Being verified")),
    State(name="filed", title=text("已立案", "Filed"), public=text("已立案", "Accepted")),
    State(name="dispatched", title=text("已派遣", "Dispatched")),
    State(name="handling", title=text("处置中", "Being dealt with")),
    State(
        name="fed_back",
        title=text("已反馈", "Fed back"),
        public=text("待核查", "To be checked"),
    ),
    State(name="checking", title=text("核查中", "Being checked")),
    State(name="checked", title=text("待结案", "Checked")),
    State(name="suspended", title=text("挂账", "Suspended"), public=text("暂缓处置", "On hold")),
    State(name="closed", title=text("已结案", "Closed"), final=True),
    State(name="rejected", title=text("不予立案", "Not accepted"), final=True),
    State(name="cancelled", title=text("已作废", "Cancelled"), final=True),
)
CLOCKS = (
    Clock(
        name="file",
        title=text("立案时限", "Filing"),
        limit=Limit(amount=0.75, unit="urgent_hours"),  # 15 min to accept, 30 to file
        severity=Severity.BLUE,
    ),
    Clock(
        name="dispatch",
        title=text("派遣时限", "Dispatch"),
        limit=Limit(amount=0.5, unit="working_hours"),
        severity=Severity.BLUE,
    ),
    Clock(
        name="handle",
        title=text("处置时限", "Handling"),
        by="subclass",
        limits=handling_limits(),
        severity=Severity.YELLOW,
    ),
    Clock(
        name="check",
        title=text("核查时限", "Check"),
        limit=Limit(amount=2, unit="working_hours"),
        severity=Severity.BLUE,
    ),
    Clock(
        name="total",
        title=text("结案时限", "Whole case"),
        by="subclass",
        limits=handling_limits(1.5),
        severity=None,
    ),
)
LAMP_RULES = tuple(f"lamp_circuit.{n}" for n in ("dark", "leakage", "day_burner", "control_fault"))
FROM_ALERTS = (
    (("waterlogging.ponding", "cover.surcharge"), "E0401", Severity.YELLOW),
    (("cover.open", "cover.tilted"), "P0102", Severity.YELLOW),
    (LAMP_RULES, "P0106", Severity.BLUE),
    (("bin.full", "bin.fire"), "P0301", Severity.YELLOW),
    (("dust_site.tsp", "dust_site.own"), "E0301", Severity.YELLOW),
    (("bridge.load", "bridge.tilt", "bridge.shock"), "P0206", Severity.YELLOW),
)
"""Rules whose alerts open a case, of which subclass, from which severity on."""


def _from(rules: tuple[str, ...], subclass: str, worst: Severity) -> FromRule:
    copied = {name: name for name in ("sensor", "lon", "lat", "district", "address")}
    return FromRule(
        rules=rules,
        worst=worst,
        fields={"subclass": subclass, "source": "sensor"},
        copied={**copied, "description": "title", "thing": "thing"},
    )


RECORD = Record(
    name="case",
    title=text("案卷", "Case"),
    plural=text("案卷", "Cases"),
    icon="report",
    located="must",
    fields=FIELDS,
    headline=("subclass", "description"),
    roles=ROLES,
    states=STATES,
    clocks=CLOCKS,
    opening=Opening(
        title=text("上报", "Report"),
        roles=("collector", "acceptor", "public", "engine"),
        starts=("file",),
        rules=tuple(_from(*one) for one in FROM_ALERTS),
    ),
    moves=MOVES,
    dedupe=("sensor",),
    near=Near(same=("subclass",), within_m=50, within_h=48),
    public=True,
    open311=Open311(
        service="subclass",
        description="description",
        agency="department",
        media="photos",
        phone="phone",
        clock="total",
        fixed={"source": "citizen"},
    ),
    kpis=KPIS,
)
