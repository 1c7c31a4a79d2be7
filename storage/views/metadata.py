"""Rows of the ``dash`` metadata tables, taken from the catalog and nowhere else."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Connection, sql

from catalog.early import EarlyRule
from catalog.headline import fold, in_screen_order, margin_attribute, vital_title
from catalog.incident import incident_kinds
from catalog.joint import GROUPS, joint_rules
from catalog.lifecycle.day_kinds import EPOCH, kind_of
from catalog.model import (
    AnyRule,
    Derived,
    Metric,
    Rate,
    Rolling,
    SensorAttribute,
    Stream,
    Text,
    ThresholdRule,
    UnusualRule,
)
from catalog.platform import PLATFORM
from catalog.platform import RULES as PLATFORM_RULES
from catalog.registry import early_rules, systems
from catalog.severity import LEVELS, STATES
from catalog.site import site, zone
from storage.views.record_rows import record_rows

Row = dict[str, Any]
DAYS_BACK, DAYS_AHEAD = 430, 60
"""Local days of which screens know whether they are free."""
KIND = {Metric: "measured", Rate: "rate", Rolling: "rolling", Derived: "derived"}


def fill(conn: Connection) -> None:
    """Make the metadata tables say what the catalog says."""
    for table, rows in rows_by_table().items():
        conn.execute(sql.SQL("DELETE FROM dash.{}").format(sql.Identifier(table)))
        with conn.cursor() as cursor:
            if rows:
                cursor.executemany(_insert(table, rows[0]), rows)


def rows_by_table() -> dict[str, list[Row]]:
    """Return all rows, column name to value, in the order that screens show them."""
    declared = in_screen_order()
    return {
        "domains": [
            {"domain": d.name, **_titles(d.title), "icon": d.icon, "position": n}
            for n, d in enumerate(systems().values())
        ],
        "streams": [_stream(s) | {"position": n} for n, s in enumerate(declared)],
        "metrics": [row for s in declared for row in _metrics(s)],
        "rules": [
            *(_rule(s.name, s.rule_id(rule), rule) for s in declared for rule in s.rules),
            *(_rule(PLATFORM, rule_id, rule) for rule_id, rule in PLATFORM_RULES.items()),
            *(_rule(GROUPS, rule_id, rule) for rule_id, rule in joint_rules().items()),
            *(_rule(i.split(".")[0], i, rule) for i, rule in early_rules().items()),
        ],
        "thresholds": [row for s in declared for row in _thresholds(s)],
        "attributes": [
            {"stream": s.name, "attribute": a.name, "unit": a.unit, **_titles(a.title)}
            for s in declared
            for a in s.attributes
        ],
        "incident_kinds": [
            {"kind": k.name, "domain": k.domain, **_titles(k.title), "position": n}
            for n, k in enumerate(incident_kinds().values())
        ],
        "severities": [
            {
                "severity": int(level.severity),
                "name": level.severity.name.lower(),
                "roman": level.roman,
                **_titles(level.title),
                "colour": level.colour,
                "icon": level.icon,
            }
            for level in LEVELS.values()
        ],
        "states": [
            {"state": s.name, "level": n, **_titles(s.title), "colour": s.colour, "icon": s.icon}
            for n, s in enumerate(STATES)
        ],
        "districts": [
            {
                "district": d.code,
                **_titles(d.title),
                **{"lon": d.lon, "lat": d.lat, "population": d.population},
                **{"central": d.code in site().central, "position": n},
            }
            for n, d in enumerate(site().districts.values())
        ],
        **record_rows(),
        "local_days": list(_local_days(datetime.now(zone()).date())),
    }


def _local_days(today: date) -> Iterator[Row]:
    for number in range(-DAYS_BACK, DAYS_AHEAD):
        day = today + timedelta(days=number)
        begins, ends = (
            datetime.combine(at, time(), zone()) for at in (day, day + timedelta(days=1))
        )
        yield {"begins": begins, "ends": ends, "kind": kind_of((day - EPOCH).days)}


def _insert(table: str, row: Row) -> sql.Composed:
    names = list(row)
    return sql.SQL("INSERT INTO dash.{} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(map(sql.Placeholder, names)),
    )


def _titles(text: Text, name: str = "title") -> Row:
    return {f"{name}_zh": text.zh, f"{name}_en": text.en}


def _silent_after_s(stream: Stream) -> int:
    limits = [rule.after_s for rule in stream.rules if rule.kind == "absence"]
    return min(limits, default=3 * stream.cadence_s)


def _stream(stream: Stream) -> Row:
    headline = stream.quantity(stream.headline)
    return {
        "stream": stream.name,
        "domain": stream.domain,
        **_titles(stream.title),
        "cadence_s": stream.cadence_s,
        "lateness_s": stream.lateness_s,
        "silent_after_s": _silent_after_s(stream),
        "headline": stream.headline,
        "unit": headline.unit,
        "decimals": headline.decimals,
        "overall": fold(stream),
        "margin_attribute": margin_attribute(stream),
        **_titles(vital_title(stream), "vital"),
        "hourly": stream.hourly.metric if stream.hourly else None,
        "hourly_zh": stream.hourly.title.zh if stream.hourly else None,
        "hourly_en": stream.hourly.title.en if stream.hourly else None,
    }


def _metrics(stream: Stream) -> Iterator[Row]:
    for position, name in enumerate(stream.aggregate_names):
        item = stream.quantity(name)
        low, high = item.fail_span if isinstance(item, Metric) else (None, None)
        yield {
            "stream": stream.name,
            "metric": name,
            "kind": KIND[type(item)],
            "unit": item.unit,
            "decimals": item.decimals,
            **_titles(item.title),
            **{"fail_low": low, "fail_high": high, "position": position},
        }


def _rule(stream: str, rule_id: str, rule: AnyRule) -> Row:
    details: Row = dict.fromkeys(("metric", "op", "deadband", "for_s", "clear_s"))
    if isinstance(rule, ThresholdRule):
        details = {name: getattr(rule, name) for name in details}
    elif isinstance(rule, EarlyRule):
        details |= {"metric": rule.metric}
    elif isinstance(rule, UnusualRule):
        details |= {name: getattr(rule, name) for name in ("metric", "for_s", "clear_s")}
    return {
        "rule": rule_id,
        "stream": stream,
        "kind": rule.kind,
        **details,
        **_titles(rule.title),
        **_titles(rule.advice, "advice"),
    }


def _thresholds(stream: Stream) -> Iterator[Row]:
    for rule in stream.rules:
        if not isinstance(rule, ThresholdRule):
            continue
        for limit in rule.thresholds:
            own = limit.value if isinstance(limit.value, SensorAttribute) else None
            hours = limit.hours or (None, None)
            condition = limit.when.words() if limit.when else (None, None)
            yield {
                "stream": stream.name,
                "rule": stream.rule_id(rule),
                "metric": rule.metric,
                "op": rule.op,
                "severity": int(limit.severity),
                "value": None if own else limit.value,
                "attribute": own.attribute if own else None,
                "attribute_offset": own.offset if own else None,
                **{"hours_from": hours[0], "hours_to": hours[1]},
                **{"condition_zh": condition[0], "condition_en": condition[1]},
                "standard": limit.source.standard,
                "clause": limit.source.clause,
                "verified": limit.source.verified,
                "title_zh": limit.title.zh if limit.title else None,
                "title_en": limit.title.en if limit.title else None,
                "effective_from": limit.source.effective_from,
                "effective_to": limit.source.effective_to,
            }
