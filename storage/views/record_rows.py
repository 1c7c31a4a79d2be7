"""Rows of the ``dash`` metadata tables of records, taken from their declarations."""

from collections.abc import Iterator
from typing import Any

from catalog.base import Text
from catalog.lifecycle.fields import RecordField
from catalog.lifecycle.kpi import Score
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records

Row = dict[str, Any]


def record_rows() -> dict[str, list[Row]]:
    """Return all rows by table, in the order that screens show them."""
    declared = list(records().values())
    return {
        "record_kinds": [_kind(r) | {"position": n} for n, r in enumerate(declared)],
        "record_states": [row for r in declared for row in _states(r)],
        "record_choices": [row for r in declared for row in _choices(r)],
        "record_groups": [row for r in declared for row in _groups(r)],
        "record_kpis": [row for r in declared for row in _kpis(r)],
    }


def _kind(record: Record) -> Row:
    return {
        "kind": record.name,
        "domain": record.system,
        **_titles(record.title),
        **{"plural_zh": record.plural.zh, "plural_en": record.plural.en},
        "headline": list(record.headline),
    }


def _states(record: Record) -> Iterator[Row]:
    for position, state in enumerate(record.states):
        own = {"kind": record.name, "state": state.name, "final": state.final}
        yield own | _titles(state.title) | {"position": position}


def _choices(record: Record) -> Iterator[Row]:
    for field in record.all_fields:
        for choice in field.choices:
            own = {"kind": record.name, "field": field.name, "choice": choice.name}
            yield own | _titles(choice.title)


def groups_of(record: Record) -> list[RecordField]:
    """Return the fields that KPIs can be grouped by: the district first."""
    return sorted(
        (f for f in record.all_fields if f.choices or f.name == "district"),
        key=lambda f: f.name != "district",
    )


def _groups(record: Record) -> Iterator[Row]:
    for position, field in enumerate(groups_of(record)):
        own = {"kind": record.name, "field": field.name, "position": position}
        yield own | _titles(field.title)


def _kpis(record: Record) -> Iterator[Row]:
    for position, kpi in enumerate(record.kpis):
        is_score = isinstance(kpi, Score)
        yield {
            "kind": record.name,
            "kpi": kpi.name,
            **_titles(kpi.title),
            "target": kpi.target,
            "better": "more" if is_score else kpi.better,
            **{"is_score": is_score, "position": position},
        }


def _titles(text: Text) -> Row:
    return {"title_zh": text.zh, "title_en": text.en}
