"""Find the declared records: ``systems/<system>/records/*.py``, one ``RECORD`` each."""

from functools import cache
from pathlib import Path

from catalog.base import text
from catalog.declared import DeclarationError, files_of, load_named
from catalog.lifecycle.checks import problems
from catalog.lifecycle.record import Record
from catalog.rules import OverdueRule

RECORDS = "records"
"""Stands where other alerts name their stream."""


@cache
def records() -> dict[str, Record]:
    """Return all declared records by name; read once per process."""
    found: dict[str, Record] = {}
    for file in sorted(files_of("records"), key=lambda f: f.stem):
        if file.stem in found:
            raise DeclarationError(f"{file}: a record named {file.stem!r} exists already")
        found[file.stem] = load_record(file)
    return found


def load_record(path: Path) -> Record:
    """Load the declaration in one file; ``DeclarationError`` says what is wrong with it."""
    record = load_named(path, "RECORD", Record)
    if found := problems(record):
        raise DeclarationError(f"{path}: {'; '.join(found)}")
    return record.model_copy(update={"system": path.parent.parent.name})


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
