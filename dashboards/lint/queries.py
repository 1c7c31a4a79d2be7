"""Where the data comes from and how it is asked for."""

import re

from dashboards.lint.board import Board, Json, Rule, Said
from dashboards.query import DATASOURCE_TYPE, DATASOURCE_UID

SOURCE = {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID}
RELATION = re.compile(r"\b(?:FROM|JOIN)\s+(?:LATERAL\s+)?([a-z_\"][\w.\"]*|\()", re.IGNORECASE)
VARIABLE = re.compile(r"\$\{?(?!_)(\w+)(:\w+)?\}?")
PRESENT = (
    *("active_alerts", "active_incidents", "consumers", "district_choices", "district_states"),
    *("freshness", "metrics"),
    *("platform", "sensor_card", "sensor_choices", "sensor_states", "silent_sensors", "streams"),
    *("record_group_choices", "record_queue", "records_by_state", "vital_mark", "vital_now"),
    *("stored_per_second", "table_sizes"),
)
"""Relations of schema ``dash`` that tell the present, whatever time is chosen."""
FLOOR_S = 10
SECONDS = {"s": 1, "m": 60, "h": 3600}


def datasource(board: Board) -> Said:
    """Everything reads the one data source, named by its fixed uid."""
    for panel in board.panels:
        named = [panel.get("datasource"), *(t.get("datasource") for t in panel.get("targets", []))]
        if any(one != SOURCE for one in named):
            yield panel["title"], f"reads {named}"
    for item in (*board.variables, *board.notes):
        if item.get("datasource") != SOURCE:
            yield item["name"], f"reads {item.get('datasource')}"


def has_query(board: Board) -> Said:
    """A panel asks for something, each query under a letter of its own."""
    for panel in board.panels:
        letters = [target.get("refId") for target in panel.get("targets", [])]
        if not letters or len(set(letters)) < len(letters):
            yield panel["title"], f"queries {letters}"


def only_dash(board: Board) -> Said:
    """SQL names relations of schema ``dash`` and lists of its own, nothing else."""
    for where, sql in board.queries():
        for relation in RELATION.findall(sql):
            if relation != "(" and not relation.startswith("dash."):
                yield where, f"reads {relation}"


def columns_named(board: Board) -> Said:
    """SQL names its columns."""
    for where, sql in board.queries():
        if re.search(r"SELECT\s+(\w+\.)?\*", sql, re.IGNORECASE):
            yield where, "SELECT *"


def picker_rules(board: Board) -> Said:
    """SQL takes the chosen time, or a relation that tells the present; never ``now()``."""
    for where, sql in board.queries():
        if re.search(r"\bnow\(\)|current_timestamp", sql, re.IGNORECASE):
            yield where, "now() where the chosen time should rule"
        present = any(f"dash.{name}" in sql for name in PRESENT)
        if not present and "$__timeFrom()" not in sql and "$__timeFilter(" not in sql:
            yield where, "does not take the chosen time"


def ordered_and_bounded(board: Board) -> Said:
    """Rows come in order; lists and series have a limit."""
    for where, sql in board.queries():
        if not re.search(r"ORDER BY", sql, re.IGNORECASE) and "_choices(" not in sql:
            yield where, "no ORDER BY"
    for panel in board.panels:
        for target in panel.get("targets", []):
            if panel["type"] != "stat" and "LIMIT" not in target["rawSql"]:
                yield panel["title"], "no LIMIT"


def quoted(board: Board) -> Said:
    """A variable enters SQL as a quoted literal only."""
    for where, sql in board.queries():
        for variable, form in VARIABLE.findall(sql):
            if form != ":sqlstring":
                yield where, f"${variable} is not quoted by :sqlstring"


def reload(board: Board) -> Said:
    """Choices are asked for when the page loads; again with the time only if they depend on it."""
    for item in board.variables:
        wanted = 2 if "$__time" in item["query"] else 1
        if item.get("refresh") != wanted:
            yield item["name"], f"refresh {item.get('refresh')}, should be {wanted}"


def refresh(board: Board) -> Said:
    """A page does not ask more often than Grafana will let it; panels have a step."""
    every = board.json.get("refresh", "")
    if every and int(every[:-1]) * SECONDS[every[-1]] < FLOOR_S:
        yield "", f"refreshes every {every}, the floor is {FLOOR_S} s"
    for panel in board.panels:
        if _stepped(panel) and not (panel.get("interval") and panel.get("maxDataPoints")):
            yield panel["title"], "asks for steps without a least step and a number of points"


def _stepped(panel: Json) -> bool:
    return any("$__interval" in target["rawSql"] for target in panel.get("targets", []))


QUERIES: dict[str, Rule] = {
    "datasource": datasource,
    "has-query": has_query,
    "only-dash": only_dash,
    "columns-named": columns_named,
    "picker-rules": picker_rules,
    "ordered-and-bounded": ordered_and_bounded,
    "quoted": quoted,
    "reload": reload,
    "refresh": refresh,
}
