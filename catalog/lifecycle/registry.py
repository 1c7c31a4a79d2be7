"""Find the declared records: ``systems/<system>/records/*.py``, one ``RECORD`` each."""

from functools import cache

from catalog.base import text
from catalog.declared import load_all
from catalog.lifecycle.checks import problems
from catalog.lifecycle.record import Record
from catalog.rules import OverdueRule

RECORDS = "records"
"""Stands where other alerts name their stream."""


@cache
def records() -> dict[str, Record]:
    """Return all declared records by name; read once per process."""
    return load_all("records", "RECORD", Record, problems)


def overdue_rule(record: str, clock: str) -> str:
    """Return the id of the rule that a clock has run out."""
    return f"{record}.overdue_{clock}"


@cache
def overdue_rules() -> dict[str, OverdueRule]:
    """Return the rules of all clocks whose running out is an alert, by id."""
    return {
        overdue_rule(record.name, clock.name): OverdueRule(
            name=f"overdue_{clock.name}",
            title=text(
                f"{record.title.zh}超期：{clock.title.zh}",
                f"{record.title.en} overdue: {clock.title.en}",
            ),
            domain=record.system,
            severity=clock.severity,
        )
        for record in records().values()
        for clock in record.clocks
        if clock.severity is not None
    }
