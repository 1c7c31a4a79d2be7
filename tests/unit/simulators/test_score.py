"""Scores count what was found, what was missed and what was cried for nothing."""

from simulators.score import Flag, Score, Stored, score
from simulators.truth import Label


class Rows(Stored):
    """Stored readings by (sensor, time)."""

    def __init__(self, counts: dict[tuple[str, float], int]) -> None:
        self.counts = counts

    def count(self, label: Label) -> int:
        return self.counts.get((label.sensor, label.at), 0)


def flag(at: float, test: str, sensor: str = "a", metric: str = "leq_db") -> Flag:
    return Flag("noise", sensor, metric, test, at)


def label(kind: str, at: float, sensor: str = "a", **more: object) -> Label:
    fields = {"kind": kind, "stream": "noise", "sensor": sensor, "at": at, **more}
    return Label(**fields)  # pyright: ignore[reportArgumentType]


def of(kind: str, scores: list[Score]) -> Score:
    return next(s for s in scores if s.kind == kind)


def test_spikes() -> None:
    truth = [label("spike", at, metric="leq_db") for at in (100.0, 500.0)]
    flags = [flag(100.0, "spike"), flag(130.0, "spike"), flag(900.0, "spike"), flag(500.0, "flat")]
    found = of("spike", score(truth, flags, Rows({}), 0))
    assert (found.made, found.found, found.flags, found.explained) == (2, 1, 3, 2)
    assert found.recall == 0.5


def test_stuck_and_late() -> None:
    truth = [
        label("stuck", 0.0, metric="leq_db", until=1000.0),
        label("stuck", 0.0, "b", metric="leq_db", until=1000.0),
        label("late", 5.0, delay_s=400.0, beyond=True),
        label("late", 6.0, delay_s=10.0),
    ]
    flags = [flag(900.0, "flat"), flag(5000.0, "flat"), flag(5.0, "late", metric="*")]
    scores = score(truth, flags, Rows({}), 0)
    stuck, late = of("stuck", scores), of("late", scores)
    assert (stuck.made, stuck.found, stuck.precision) == (2, 1, 0.5)
    assert (late.made, late.recall) == (1, 1.0)


def test_transport() -> None:
    truth = [label(kind, at) for kind in ("duplicate", "missing") for at in (1.0, 2.0)]
    truth.append(label("poison", 3.0))
    scores = score(truth, [], Rows({("a", 1.0): 1, ("a", 2.0): 2}), 4)
    assert of("duplicate", scores).found == 1
    assert of("missing", scores).found == 0
    assert of("poison", scores).recall == 1.0
    assert of("out_of_order", scores).recall is None
