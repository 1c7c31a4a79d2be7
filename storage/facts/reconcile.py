"""Σ facts = Σ minutes = Σ day: three ways to the same sum, of which none knows the others."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from catalog.fact.model import Fact
from catalog.site import zone
from storage.facts.minutes import tally_sql
from storage.facts.tables import facts_table
from storage.tables import aggregates_table, rollup_table

Sums = dict[str, int]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the site: what adds up, by tally, from rows, minutes, windows and the rollup."""

    day: date
    rows: Sums
    minutes: Sums
    windows: Sums
    rollup: Sums

    @property
    def equal(self) -> bool:
        """Tell whether all say the same."""
        return self.rows == self.minutes == self.windows == self.rollup

    def words(self) -> str:
        """Return the sums, each way to them where they differ."""
        said = []
        for name, rows in self.rows.items():
            others = (self.minutes[name], self.windows[name], self.rollup[name])
            same = all(other == rows for other in others)
            said.append(f"{name} {rows}" if same else f"{name} {rows} ≠ {others}")
        return ", ".join(said)


def reconcile(conn: Connection, fact: Fact, first: date | None = None) -> list[Day]:
    """Return every day from ``first`` on, as it is at one moment.

    Minutes that are not over yet, and what is still on its way to minutes, windows or rollups, are
    in the rows alone.
    """
    summed = [tally for tally in fact.tallies if tally.adds_up]
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows = _query(
            conn,
            "f.at",
            sql.SQL("{} f").format(sql.Identifier(facts_table(fact.name))),
            {t.name: tally_sql(t) for t in summed},
            sql.SQL("NOT f.void"),
        )
        minutes = _query(
            conn,
            "minute",
            sql.SQL("fact_minutes"),
            {
                t.name: sql.SQL("sum((tallies->>{})::bigint)::bigint").format(sql.Literal(t.name))
                for t in summed
            },
            sql.SQL("kind = {}").format(sql.Literal(fact.name)),
        )
        sums = {
            t.name: sql.SQL("sum({})::bigint").format(sql.Identifier(f"{t.name}_sum"))
            for t in summed
        }
        windows, rollup = (
            _query(conn, "window_start", sql.Identifier(table), sums, sql.SQL("true"))
            for table in (aggregates_table(fact.stream), rollup_table("1d", fact.stream))
        )
    none: Sums = dict.fromkeys((tally.name for tally in summed), 0)
    days = sorted({*rows, *minutes, *windows, *rollup})
    return [
        Day(day, *(found.get(day, none) for found in (rows, minutes, windows, rollup)))
        for day in days
        if first is None or day >= first
    ]


def _query(
    conn: Connection, time: str, table: sql.Composable, sums: dict[str, Any], where: sql.Composable
) -> dict[date, Sums]:
    """Return the sums by day of the site."""
    listed = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(made, sql.Identifier(name)) for name, made in sums.items()
    )
    at = sql.SQL(".").join(map(sql.Identifier, time.split(".")))
    query = sql.SQL("SELECT ({} AT TIME ZONE {})::date AS day, {} FROM {} WHERE {} GROUP BY 1")
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(query.format(at, sql.Literal(str(zone())), listed, table, where))
        return {row.pop("day"): {n: int(v or 0) for n, v in row.items()} for row in cursor}
