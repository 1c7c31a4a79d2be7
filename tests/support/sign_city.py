"""A city whose signs are on the wire, by a clock that a test sets."""

from dataclasses import dataclass, field
from typing import Any

import psycopg

from records.act import record_of
from records.context import Context
from records.plans.devices import Fleet
from records.plans.loop import tick
from records.plans.store import Advice, advices
from records.queries import get_page
from simulators.signs import Sign, Signs
from tests.support.works_system import Clock

POND = "pond-dongchenggen"


@dataclass
class City:
    """A database, its clock, and the signs of the city on the wire."""

    conn: psycopg.Connection
    signs: Signs
    fleet: Fleet
    clock: Clock
    depth: float = 0.31
    extra: dict[str, Any] = field(default_factory=dict)

    def tick(self, **later: float) -> int:
        """Let time pass, the sensor go on measuring, and the loop do all that is due."""
        self.clock.forward(**later)
        self.measure()
        return tick(self.conn, self.fleet, self.clock)

    def measure(self) -> None:
        self.conn.execute(
            "INSERT INTO last_waterlogging (sensor, observed_at, received_at, depth_m)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (sensor) DO UPDATE SET observed_at ="
            " excluded.observed_at, depth_m = excluded.depth_m",
            [POND, self.clock.at, self.clock.at, self.depth],
        )
        if link := self.extra.get("link"):
            self.conn.execute(
                "INSERT INTO last_traffic_link (sensor, observed_at, received_at, speed_ratio)"
                " VALUES (%s, %s, %s, 0.2) ON CONFLICT (sensor) DO UPDATE SET observed_at ="
                " excluded.observed_at",
                [link, self.clock.at, self.clock.at],
            )

    def flood(self, rule: str = "waterlogging.ponding", severity: int = 1, **more: Any) -> None:
        row = {"id": "flood", "confidence": "confirmed", "reason": ""} | more
        self.conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, changed_at, confidence, reason)"
            " VALUES (%s, %s, 'waterlogging', %s, 'active', %s, %s, 'depth_m', %s, 0.3, %s, %s,"
            " %s, %s)",
            [
                *(row["id"], rule, POND, severity, severity, self.depth),
                *(self.clock.at, self.clock.at, row["confidence"], row["reason"]),
            ],
        )

    def end_flood(self, status: str = "cleared") -> None:
        self.conn.execute(
            "UPDATE episodes SET status = %s, cleared_at = %s WHERE id = 'flood'",
            [status, self.clock.at],
        )

    def all(self, plan: str = "ponding_detour") -> list[Advice]:
        return [a for a in advices(self.conn, self.clock.at) if a.plan == plan]

    def states(self, plan: str = "ponding_detour") -> list[str]:
        return [a.state for a in self.all(plan)]

    def sign(self, advice: Advice) -> Sign:
        return self.signs.by_id[advice.device]

    def moves(self, advice: Advice) -> list[tuple[str, str]]:
        page = get_page(self.conn, record_of(advice.kind), advice.id)
        return [(entry.move, entry.reason) for entry in page.log]

    def person(self, name: str = "wang") -> Context:
        return Context(self.conn, name, "page", "operator", now=self.clock)

    def refusals(self) -> list[str]:
        return [w for (w,) in self.conn.execute("SELECT why_en FROM plan_refusals").fetchall()]

    def everyone(self) -> list[Sign]:
        """Return all signs."""
        return list(self.signs.by_id.values())

    def congest(self) -> None:
        """Jam the link nearest to Tianfu Square, its detector well."""
        (link,) = self.conn.execute(
            "SELECT sensor FROM sensors WHERE stream = 'traffic_link' ORDER BY"
            " (lon - 104.066) ^ 2 + (lat - 30.667) ^ 2 LIMIT 1"
        ).fetchone() or ("",)
        self.extra["link"] = link
        self.measure()
        self.conn.execute(
            "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity,"
            " metric, value, threshold, raised_at, changed_at) VALUES ('jam',"
            " 'traffic_link.congestion',"
            " 'traffic_link', %s, 'active', 2, 2, 'dtp', 0.75, 0.7, %s, %s)",
            [link, self.clock.at, self.clock.at],
        )
