"""What is booked of facts: the same, however often and in whatever order they come."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.fact.rows import Row
from storage.facts.books import book, key_of, minute_of

START = datetime(2026, 11, 24, tzinfo=UTC)


def fact(id: str, revision: int = 1, second: int = 0, **more: Any) -> Row:
    """Return a passage; its fee is what id and revision make it, so no two bodies contradict."""
    fee = 100 * revision + int(id)
    row = {"thing": "g-1", "id": id, "revision": revision, "void": False, "fee_fen": fee}
    return row | {"at": START + timedelta(seconds=second), "lag_s": 1} | more


class Ledger:
    """The tables that ``book`` writes to, in memory; minutes are added up anew when marked."""

    def __init__(self) -> None:
        self.rows: dict[Any, Row] = {}
        self.history: dict[Any, Row] = {}
        self.minutes: dict[Any, int] = defaultdict(int)

    def take(self, batch: list[Row]) -> None:
        done = book(
            {key_of(r): self.rows[key_of(r)] for r in batch if key_of(r) in self.rows}, batch
        )
        self.rows |= done.changed
        for row in done.before:
            self.history.setdefault((*key_of(row), row["revision"]), row)
        for thing, minute in done.minutes:
            self.minutes[thing, minute] = sum(
                row["fee_fen"]
                for row in self.rows.values()
                if (row["thing"], minute_of(row["at"])) == (thing, minute) and not row["void"]
            )

    def fees(self) -> int:
        return sum(row["fee_fen"] for row in self.rows.values() if not row["void"])


SAID = st.builds(
    lambda id, revision, moves: fact(
        str(id), revision, second=30 * (id + revision * moves), void=revision == 3 and id % 2 == 0
    ),
    st.integers(0, 6),
    st.integers(1, 3),
    st.just(1),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=30), st.data())
def test_order_copies_and_batches_change_nothing(said: list[Row], data: st.DataObject) -> None:
    """Whatever order, however often and however cut: the same rows, history, minutes and sum."""
    plain = Ledger()
    for row in said:
        plain.take([row])
    again = data.draw(st.permutations([*said, *said]))
    other = Ledger()
    cut = data.draw(st.integers(1, len(again)))
    for start in range(0, len(again), cut):
        other.take(again[start : start + cut])
    assert other.rows == plain.rows
    assert other.history.keys() == plain.history.keys()
    for ledger in (plain, other):
        assert sum(ledger.minutes.values()) == ledger.fees()
    kept = {key: fee for key, fee in plain.minutes.items() if fee}
    assert {key: fee for key, fee in other.minutes.items() if fee} == kept
    newest = {key_of(r): max(o["revision"] for o in said if key_of(o) == key_of(r)) for r in said}
    assert {key: row["revision"] for key, row in plain.rows.items()} == newest


def test_a_correction_marks_the_minute_it_leaves_and_the_one_it_enters() -> None:
    there = fact("1")
    done = book({key_of(there): there}, [fact("1", revision=2, second=90)])
    assert done.minutes == {("g-1", START), ("g-1", START + timedelta(minutes=1))}
    assert (done.corrections, done.before) == (1, [there])


def test_the_first_of_two_bodies_of_one_revision_wins() -> None:
    there, other = fact("1"), fact("1", fee_fen=999)
    done = book({}, [there, other, there])
    assert (done.conflicts, done.duplicates, list(done.changed.values())) == ([other], 1, [there])


def test_a_copy_that_came_later_is_a_copy() -> None:
    """The lag is ours: a second upload of the same fact has another, and is no other fact."""
    there = fact("1")
    assert book({key_of(there): there}, [there | {"lag_s": 3600}]).duplicates == 1
