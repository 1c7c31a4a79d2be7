"""One rule: when it holds, its limits, and how right the early warnings of it have been."""

from typing import Any

from nicegui import ui
from psycopg import Connection
from psycopg.rows import dict_row

from catalog.early import early_rule
from catalog.model import AnyRule, Stream
from catalog.registry import find_rule, streams
from console.frame import Page, View, keep_fresh, missing, panel
from console.history import Row
from console.limit_table import limit_columns, limit_rows
from console.marks import level_mark, local_time, number
from console.outlook import is_warned, rule_address
from console.rule_words import rule_text
from console.texts import Words
from console.widgets.table import Column, Table

DAYS = 365
RECORD = "SELECT * FROM dash.warning_record(%s, %s)"
WARNINGS = "SELECT * FROM dash.warnings(%s, %s, %s)"


async def rule(view: View, rule: str) -> None:
    """Show the rule and follow its warnings."""
    found, declared = find_rule(rule), streams().get(rule.split(".")[0])
    if found is None or declared is None:
        missing(view, rule)
        return
    if rule_address(rule) != f"/rules/{rule}":
        ui.navigate.to(rule_address(rule))
        return
    words = view.words
    title = words.of(found.title)
    ui.page_title(f"{title} · {words('app.title')}")
    with ui.element("div").classes("crumbs"):
        ui.link(f"‹ {words.of(declared.title)}", f"/streams/{declared.name}")
        with ui.element("h1"):
            ui.label(title)
    _limits(view, declared, found)
    if not is_warned(rule):
        ui.label(words("rule.not_forecast")).classes("panel pad")
        return
    show = _early(view, rule, declared)

    async def read() -> None:
        show(*await view.ask(lambda conn: ask_warnings(conn, rule, words.language)))

    await read()
    keep_fresh(view, read)


def ask_warnings(conn: Connection, rule: str, language: str) -> tuple[list[Row], list[Row]]:
    """Return the record of a rule's early warnings, a row a level, and the newest of them."""
    with conn.cursor(row_factory=dict_row) as cursor:
        record = cursor.execute(RECORD, [rule, DAYS]).fetchall()
        return record, cursor.execute(WARNINGS, [rule, DAYS, language]).fetchall()


def _limits(view: View, declared: Stream, found: AnyRule) -> None:
    words = view.words
    columns = limit_columns(words)
    with panel(words("alert.rule"), "rule"):
        ui.label(rule_text(words, found)).classes("pad")
        table = Table(columns, label=words("alert.rule"), empty=words("app.nothing"))
    table.show(limit_rows(words, declared, found))


def _early(view: View, rule: str, declared: Stream) -> Any:
    words = view.words
    early = find_rule(early_rule(rule))
    names = ("standing", "hits", "false_ones", "withdrawn", "misses", "pod", "far")
    figures = [Column(n, words(f"rule.{n}"), "number") for n in (*names, "lead", "brier", "skill")]
    with panel(words("rule.record", days=DAYS), "rule record"):
        if early is not None:
            ui.label(rule_text(words, early)).classes("pad")
        record = Table(
            [
                Column("level", words("rule.level"), "level"),
                Column("state", words("rule.state")),
                *figures,
            ],
            label=words("rule.record", days=DAYS),
            empty=words("rule.no_record"),
        )
        ui.label(words("rule.trial_why")).classes("pad")
    with panel(words("rule.warnings"), "warnings"):
        warnings = Table(
            [
                Column("level", words("rule.level"), "level"),
                Column("sensor", words("alert.sensor"), "link"),
                Column("outcome", words("rule.outcome")),
                Column("raised", words("rule.raised")),
                Column("chance", words("rule.chance"), "number"),
                Column("expected", words("rule.expected"), hide=True),
                Column("crossed", words("rule.crossed"), hide=True),
                Column("limit", words("alert.limit"), "number", hide=True),
            ],
            label=words("rule.warnings"),
            empty=words("rule.no_warnings"),
        )
    metric = getattr(early, "metric", declared.headline)

    def show(of_levels: list[Row], newest: list[Row]) -> None:
        record.show([record_row(words, row) for row in of_levels])
        warnings.show([warning_row(words, declared, metric, row) for row in newest])

    return show


def record_row(words: Words, row: Row) -> dict[str, Any]:
    """Return what came of the warnings of one level; what is not known yet is left out."""
    counts = ("standing", "hits", "false_ones", "withdrawn", "misses")
    share = {n: None if row[n] is None else 100 * row[n] for n in ("pod", "far")}
    return {
        "id": row["severity"],
        "level": level_mark(words, row["severity"]),
        "state": words("rule.on_trial" if row["on_trial"] else "rule.told"),
        **{name: number(words, row[name], "1", 0) for name in counts},
        **{name: number(words, value, "%", 0) for name, value in share.items()},
        "lead": number(words, row["lead_h"], "h", 1),
        "brier": number(words, row["brier"], "1", 2),
        "skill": number(words, row["skill"], "1", 2),
    }


def warning_row(words: Words, declared: Stream, metric: str, row: Row) -> dict[str, Any]:
    """Return one warning and what came of it."""
    quantity = declared.quantity(metric)
    outcome = words(f"rule.outcome_{row['outcome']}")
    notes = [words("rule.backtest")] if row["origin"] == "backtest" else []
    missed = row["outcome"] == "miss"
    chance = None if row["chance"] is None else 100 * row["chance"]
    return {
        "id": row["id"],
        "level": level_mark(words, row["severity"]),
        "sensor": {"text": row["title"], "href": f"/sensors/{declared.name}/{row['sensor']}"},
        "outcome": " · ".join([outcome, *notes]),
        "raised": "–" if missed else local_time(row["raised_at"]),
        "chance": number(words, chance, "%", 0),
        "expected": local_time(row["expected_at"]) if row["expected_at"] else "–",
        "crossed": local_time(row["crossed_at"]) if row["crossed_at"] else "–",
        "limit": number(words, row["limit_value"], quantity.unit, quantity.decimals),
    }


PAGE = Page("/rules/{rule}", "rule.title", rule)
