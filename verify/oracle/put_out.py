"""What the worker has put out, and how it is compared with what must come of the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.contracts import Transition
from verify.oracle.compare import Difference, compare, same
from verify.oracle.log import Expected
from verify.oracle.outputs import Row, plain
from verify.oracle.reference import Flag, WindowKey
from verify.oracle.tables import Minute


@dataclass
class Told:
    """What the worker has put out, and of it what must be in the tables."""

    windows: dict[WindowKey, Row]
    flags: set[Flag]
    transitions: dict[str, Row]
    minutes: dict[Minute, Row]
    """The newest revision of each window below the sink's offsets."""
    flags_stored: set[Flag]
    transitions_stored: dict[str, Row]


def keep(found: dict[Any, Row], items: Iterable[tuple[Any, Row]]) -> None:
    """Add outputs; one put out again after a restart must be the same to the last digit."""
    for key, row in items:
        first = found.setdefault(key, row)
        if not same(first, row):
            found[(key, "put out again, another")] = row


def newest(found: dict[Minute, Row], rows: Iterable[tuple[WindowKey, Row]]) -> None:
    for (*minute, revision), row in rows:
        key: Any = tuple(minute)
        if key not in found or found[key]["revision"] < revision:
            found[key] = {"revision": revision, **row}


def worker_hops(expected: Expected, told: Told) -> list[Difference]:
    must, may = expected.must, expected.may
    flags = (_table(must.flags), _table(may.flags), _table(told.flags))
    changes = (_plain(must.transitions), _plain(may.transitions), told.transitions)
    return [
        _between("worker: windows in Kafka", must.windows, may.windows, told.windows),
        _between("worker: flags in Kafka", *flags),
        _between("worker: transitions in Kafka", *changes),
    ]


def _between(
    what: str, must: Mapping[Any, Any], may: Mapping[Any, Any], found: Mapping[Any, Any]
) -> Difference:
    """Compare what was put out: all that must be, nothing that may not be, each as it may be."""
    wanted = {key: may[key] for key in may if key in must or key in found}
    return compare(what, wanted, found)


def worst_flags(flags: set[Flag]) -> set[tuple[Any, ...]]:
    """Return each flag's key with the worst flag told for it."""
    worst: dict[tuple[Any, ...], int] = {}
    for *key, flag, _ in flags:
        worst[tuple(key)] = max(worst.get(tuple(key), 0), flag)
    return {(*key, flag) for key, flag in worst.items()}


def _plain(transitions: Mapping[str, Transition]) -> dict[str, Row]:
    return {id: plain(transition) for id, transition in transitions.items()}


def episodes_of(told: dict[str, Row]) -> dict[str, Row]:
    """Return the episodes that transitions make: raised once, ended once, the worst between, and
    how sure they are."""
    found: dict[str, Row] = {}
    level: dict[str, int] = {}  # what falls is as sure as it was
    for row in sorted(told.values(), key=lambda row: row["observed_at"]):
        whose = {name: row[name] for name in ("rule", "stream", "sensor")}
        fresh = {"raised_at": None, "cleared_at": None, "peak_severity": row["severity"]}
        fresh |= {"is_withdrawn": False, "confidence": row["confidence"], "reason": row["reason"]}
        episode = found.setdefault(row["episode"], whose | fresh)
        if row["kind"] in ("cleared", "withdrawn"):
            episode["cleared_at"] = row["observed_at"]
            if row["kind"] == "withdrawn":
                wrong = {"is_withdrawn": True, "confidence": "unconfirmed"}
                episode |= wrong | {"reason": row["reason"]}
            elif row["confidence"] == "confirmed" and row["reason"]:
                episode["reason"] = row["reason"]  # it did not end by itself
            continue
        if not (row["kind"] == "changed" and row["severity"] > level.get(row["episode"], 0)):
            episode |= {"confidence": row["confidence"], "reason": row["reason"]}
        level[row["episode"]] = row["severity"]
        episode["peak_severity"] = min(episode["peak_severity"], row["severity"])
        if row["kind"] == "raised":
            episode["raised_at"] = row["observed_at"]
    return found


def _table(items: Iterable[Any]) -> dict[Any, int]:
    return dict.fromkeys(items, 1)


def sets(what: str, wanted: Iterable[Any], found: Iterable[Any]) -> Difference:
    return compare(what, _table(wanted), _table(found))
