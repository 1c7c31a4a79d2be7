"""How long the database takes for every panel's query, as grafana_ro, per page and time range."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import quantiles

import psycopg
from psycopg import Connection

from dashboards.build import pages
from dashboards.expand import View, panel_queries
from dashboards.page import Page
from dashboards.texts import Lang
from storage.views.reader import LIMITS, ROLE

RANGES = {
    "6 h": timedelta(hours=6),
    "24 h": timedelta(hours=24),
    "30 d": timedelta(days=30),
}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
"""Between them stands the table in a page of the docs."""


@dataclass(slots=True)
class Measured:
    """One page: how many panels and queries, and milliseconds of each run by range."""

    page: Page
    panels: int = 0
    queries: int = 0
    runs_ms: dict[str, list[float]] = field(default_factory=dict)
    slowest: dict[str, tuple[float, str]] = field(default_factory=dict)

    def p95_ms(self, length: str) -> float:
        """Return the 95th percentile over all queries and repeats of one range."""
        return quantiles(self.runs_ms[length], n=20, method="inclusive")[-1]


def measure(dsn: str, end: datetime, *, repeats: int, lang: Lang = "zh") -> Iterator[Measured]:
    """Run every query ``repeats`` times after one that does not count; yield page after page.

    Raises ``psycopg.Error`` when the database refuses, also a query that takes longer than 5 s.
    """
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"SET ROLE {ROLE}".encode())
        conn.execute(f"SET statement_timeout = '{LIMITS['statement_timeout']}'".encode())
        for page in pages(lang):
            yield _page(conn, page, end, repeats)


def table(found: Iterable[Measured]) -> Iterator[str]:
    """Yield the figures as lines of a Markdown table."""
    lengths = " | ".join(f"p95 {length}" for length in RANGES)
    yield f"| page | question | panels | queries | {lengths} | slowest of 30 d, median |"
    yield "|---|---|---|---|" + "---|" * (len(RANGES) + 1)
    for one in found:
        told = " | ".join(f"{one.p95_ms(length):.0f} ms" for length in RANGES)
        took_ms, panel = one.slowest["30 d"]
        what = f"{one.page.title} (`{one.page.uid}`) | {one.page.question} | {one.panels}"
        yield f"| {what} | {one.queries} | {told} | {panel}: {took_ms:.0f} ms |"


def renewed(page: str, lines: Sequence[str]) -> str:
    """Return a page of Markdown with these lines between its two marks; ValueError without."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"the page has no place for the table: {BEGIN} and {END}")
    return "\n".join((f"{before}{BEGIN}", *lines, f"{END}{after}"))


def _page(conn: Connection, page: Page, end: datetime, repeats: int) -> Measured:
    board, found = page.build(), Measured(page)
    found.panels = sum(panel["type"] != "row" for panel in board["panels"])
    for length, span in RANGES.items():
        runs: list[float] = []
        slowest = (0.0, "")
        queries = list(panel_queries(board, View(end - span, end)))
        for query in queries:
            took = [_run_ms(conn, query.sql) for _ in range(repeats + 1)][1:]
            runs += took
            slowest = max(slowest, (sorted(took)[len(took) // 2], query.panel))
        found.queries = len(queries)
        found.runs_ms[length], found.slowest[length] = runs, slowest
    return found


def _run_ms(conn: Connection, sql: str) -> float:
    begun = time.perf_counter()
    conn.execute(sql.encode()).fetchall()
    return (time.perf_counter() - begun) * 1000
