"""Is the data itself alive and sound: completeness, flags, silent sensors, corrections, letters."""

from datetime import timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row

from console.frame import Page, View, keep_fresh, panel
from console.history import Span, chosen_span, fitting_step
from console.marks import duration, number, state_mark
from console.registry import stream_title
from console.rows import check_title, district_title, sensor_link
from console.widgets.chart import Chart, range_prop
from console.widgets.filters import filter_row, hours_choice, period_fields
from console.widgets.table import Column, Table
from console.widgets.tools import list_tools

SILENT = 200
Hours = Literal["1", "6", "24", "168", "720"]


async def quality(view: View, hours: Hours = "24", start: str = "", end: str = "") -> None:
    """Show the quality of the data and follow it."""
    words = view.words
    period = {"hours": hours, "start": start, "end": end}
    filter_row(words, [hours_choice(words), *period_fields(words)], period)
    with panel(words("quality.complete"), "complete") as side:
        complete = _table(view, "quality.complete", *_complete_columns(view))
        list_tools(words, side, complete)
    with panel(words("quality.flags"), "plot flags"):
        flags = Chart(words, words("quality.flags"))
    with panel(words("quality.silent"), "silent") as side:
        silent = _table(view, "quality.silent", *_silent_columns(view))
        list_tools(words, side, silent)
    with panel(words("quality.letters"), "reasons") as side:
        letters = _table(view, "quality.letters", *_letter_columns(view))
        list_tools(words, side, letters)

    async def read() -> None:
        span = chosen_span(view.desk.clock.now(), **period)
        found = await view.ask(lambda conn: _ask(conn, span, words.language))
        corrected = {row["stream"]: row for row in found["corrected"]}
        complete.show([_complete(view, row, corrected) for row in found["complete"]])
        lines: dict[str, list[Any]] = {}
        for row in found["flags"]:
            lines.setdefault(check_title(words, row["label"]), []).append(
                [row["time"].isoformat(), row["value"]]
            )
        flags.show(
            lines=[
                {"name": name, "points": points, "bars": True}
                for name, points in sorted(lines.items())
            ],
            range=range_prop(span),
            decimals=0,
        )
        silent.show([_silent(view, row) for row in found["silent"]])
        letters.show([_letter(view, n, row) for n, row in enumerate(found["letters"])])

    await read()
    keep_fresh(view, read)


def _ask(conn: Connection, span: Span, language: str) -> dict[str, list[Any]]:
    between = [span.start, span.end]
    step = timedelta(seconds=max(60, fitting_step(span, points=120)))
    day = [span.end - timedelta(days=1), span.end]
    with conn.cursor(row_factory=dict_row) as cursor:

        def rows(call: str, *values: object) -> list[Any]:
            return cursor.execute(f"SELECT * FROM dash.{call}".encode(), values).fetchall()

        return {
            "complete": rows("completeness(%s, %s)", *day),
            "flags": rows("flag_counts(%s, %s, %s, 'test', NULL, %s)", *between, step, language),
            "silent": rows("silent_sensors(%s)", SILENT),
            "letters": rows("dead_letters(%s, %s)", *between),
            "corrected": rows("corrected_windows()"),
        }


def _table(view: View, label: str, *columns: Column) -> Table:
    return Table(columns, label=view.words(label), empty=view.words("app.nothing"))


def _complete_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("stream", words("filter.stream"), "link"),
        Column("expected", words("quality.expected"), "number", hide=True),
        Column("received", words("quality.received"), "number", hide=True),
        Column("complete", words("quality.complete_pct"), "number"),
        Column("good", words("quality.good_pct"), "number"),
        Column("corrected", words("quality.corrected"), "number"),
    ]


def _complete(view: View, row: Any, corrected: dict[str, Any]) -> dict[str, Any]:
    words, fixed = view.words, corrected.get(row["stream"], {})
    title = words.pick(row["title_zh"], row["title_en"], row["stream"])
    return {
        "id": row["stream"],
        "stream": {"text": title, "href": f"/streams/{row['stream']}"},
        "expected": number(words, row["expected"], "", 0),
        "received": number(words, row["received"], "", 0),
        "complete": number(words, row["complete_pct"], "%", 1),
        "good": number(words, row["good_pct"], "%", 1),
        "corrected": number(words, fixed.get("corrected") or None, "", 0),
    }


def _silent_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("state", words("sensors.state"), "state"),
        Column("sensor", words("sensors.sensor"), "link"),
        Column("stream", words("filter.stream"), hide=True),
        Column("district", words("filter.district"), hide=True),
        Column("since", words("quality.since"), "number"),
    ]


def _silent(view: View, row: Any) -> dict[str, Any]:
    words = view.words
    return {
        "id": f"{row['stream']}/{row['sensor']}",
        "state": state_mark(words, row["freshness"]),
        "sensor": sensor_link(words, row),
        "stream": words.of(stream_title(row["stream"])),
        "district": district_title(words, row["district"]),
        "since": duration(words, row["age_s"]) if row["age_s"] is not None else None,
    }


def _letter_columns(view: View) -> list[Column]:
    words = view.words
    return [
        Column("code", words("letters.code"), "link"),
        Column("stream", words("filter.stream")),
        Column("stage", words("letters.stage"), hide=True),
        Column("reason", words("letters.reason"), hide=True),
        Column("open", words("letters.open"), "number"),
        Column("newest", words("sensors.heard"), "age"),
    ]


def _letter(view: View, place: int, row: Any) -> dict[str, Any]:
    words = view.words
    query = f"?code={row['code']}&stream={row['stream']}"
    return {
        "id": str(place),
        "code": {"text": row["code"], "href": f"/dead-letters{query}"},
        "stream": words.of(stream_title(row["stream"])),
        "stage": words.code("stage", row["stage"]),
        "reason": row["reason"],
        "open": number(words, row["open"], "", 0),
        "newest": row["newest_at"].isoformat(),
    }


PAGE = Page("/quality", "quality.title", quality, place=5)
