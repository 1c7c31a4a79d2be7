"""What facts that come do to those that are there: pure, and the same whatever comes twice.

Which revisions of a fact have come decides what is kept, not in which order they came; only of two
bodies of one revision the first wins, as with readings.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from catalog.fact.rows import Row

Key = tuple[str, str]
"""Thing and id."""
MinuteOf = tuple[str, datetime]
"""A thing and the beginning of one of its minutes."""
NOT_SAID = ("received_at", "lag_s", "odd")
"""Columns that do not come from the fact's sender."""


@dataclass(slots=True)
class Booked:
    """What is to be written: facts as they are now, what they said before, minutes to add up."""

    changed: dict[Key, Row] = field(default_factory=dict)
    before: list[Row] = field(default_factory=list)
    conflicts: list[Row] = field(default_factory=list)
    minutes: set[MinuteOf] = field(default_factory=set)
    new: int = 0
    corrections: int = 0
    duplicates: int = 0


def key_of(row: Row) -> Key:
    """Return what a fact is known by."""
    return row["thing"], row["id"]


def said(row: Row) -> Row:
    """Return what the sender said, without what we have added."""
    return {name: value for name, value in row.items() if name not in NOT_SAID}


def minute_of(at: datetime) -> datetime:
    """Return the beginning of the minute."""
    return at.replace(second=0, microsecond=0)


def book(known: Mapping[Key, Row], incoming: Iterable[Row]) -> Booked:
    """Work off facts in the order of the log; ``known`` are those there are of the same keys."""
    done = Booked()
    for row in incoming:
        key = key_of(row)
        there = done.changed.get(key) or known.get(key)
        if there is None:
            done.new += 1
        elif row["revision"] < there["revision"]:
            done.before.append(row)
            done.duplicates += 1
            continue
        elif row["revision"] == there["revision"]:
            if said(row) == said(there):
                done.duplicates += 1
            else:
                done.conflicts.append(row)
            continue
        else:
            done.corrections += 1
            done.before.append(there)
            done.minutes.add((there["thing"], minute_of(there["at"])))
        done.changed[key] = row
        done.minutes.add((row["thing"], minute_of(row["at"])))
    return done
