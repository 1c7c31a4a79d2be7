"""Check facts against their contract: all errors at once, or rows with their secrets hashed."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.errors import TransientError
from catalog.fact.model import Fact
from catalog.fact.rows import Row, facts_schema, faults
from catalog.frames import MAX_READINGS
from ingest.day_keys import DayKeys
from ingest.readings import MAX_FUTURE, MAX_SHOWN, FieldError, Refused

Pairs = list[tuple[str, Any]]


class _Twice(dict[str, Any]):
    """A JSON object that remembers which names it had twice."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = sorted({name for name in names if names.count(name) > 1})


def parse_facts(fact: Fact, body: bytes, now: datetime, keys: DayKeys) -> list[Row]:
    """Return the facts of ``{"facts": […]}`` as rows; ``Refused`` naming every fault.

    No error repeats a value: it may be a secret. ``TransientError`` while there are no keys.
    """
    rows, errors = [], []
    for item, given in enumerate(_facts(body)):
        if not isinstance(given, dict):
            errors.append(FieldError(item, "*", "type", "a fact is an object"))
            continue
        row = _row(given)
        found = [
            FieldError(item, f.field, f.rule, f.detail) for f in faults(fact, row, hashed=False)
        ]
        found += _twice(item, given)
        errors += found or _times(fact, item, row, now)
        rows.append(row)
    errors = errors or list(_contradictions(rows))
    if errors:
        raise Refused(errors)
    return [_hashed(fact, row, keys) for row in rows]


def _facts(body: bytes) -> list[Any]:
    try:
        request = json.loads(body.decode(), object_pairs_hook=_Twice)
    except (ValueError, RecursionError) as error:
        # a JSON error says where, a Unicode error also quotes: neither is repeated
        words = f"no JSON: {type(error).__name__}"
        raise Refused([FieldError(None, "body", "json", words)], 400) from None
    if not isinstance(request, dict) or not isinstance(request.get("facts"), list):
        raise Refused([FieldError(None, "facts", "required", 'the body is {"facts": […]}')])
    if strange := sorted(set(request) - {"facts"}):
        words = "only facts is known here"
        raise Refused([FieldError(None, name[:MAX_SHOWN], "unknown", words) for name in strange])
    if errors := list(_twice(None, request)):
        raise Refused(errors)
    count = len(request["facts"])
    if not 1 <= count <= MAX_READINGS:
        words = f"{count} facts, 1 to {MAX_READINGS} allowed"
        raise Refused([FieldError(None, "facts", "count", words)])
    return request["facts"]


def _twice(item: int | None, given: Any) -> Iterator[FieldError]:
    for name in given.twice:
        yield FieldError(item, name[:MAX_SHOWN], "contradiction", "this field is twice")


def _row(given: dict[str, Any]) -> Row:
    """Return a fact with its time read; what is no time stays what it is, and is told so."""
    row = {"revision": 1, "void": False} | given
    if isinstance(row.get("at"), str):
        try:
            at = datetime.fromisoformat(row["at"])
            row["at"] = at.astimezone(UTC) if at.tzinfo else at
        except (ValueError, OverflowError):
            pass
    return row


def _times(fact: Fact, item: int, row: Row, now: datetime) -> Iterable[FieldError]:
    if row["at"] > now + MAX_FUTURE:
        yield FieldError(item, "at", "future", "more than 5 min ahead")
    elif now - row["at"] > timedelta(seconds=fact.lateness_s):
        words = f"the books are closed {fact.lateness_s} s after it happened"
        yield FieldError(item, "at", "too_late", words)


def _contradictions(rows: list[Row]) -> Iterator[FieldError]:
    seen: dict[Any, Row] = {}
    for item, row in enumerate(rows):
        key = row["thing"], row["id"], row["revision"]
        if seen.setdefault(key, row) != row:
            yield FieldError(item, "id", "contradiction", "same revision, other body")


def _hashed(fact: Fact, row: Row, keys: DayKeys) -> Row:
    row = dict.fromkeys(facts_schema(fact).names) | row
    for name in fact.secrets:
        if row[name] is not None:
            row[name] = keys.hashed(fact, row["at"], row[name])
            if row[name] is None:
                raise TransientError("no key of this day yet", code="starting", stage="receiving")
    return row
