"""The simulated city's cases: how many there are, and what people do with each."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from catalog.lifecycle.registry import records
from catalog.site import zone
from console.records.models import move_model, opening_model
from simulators.cases.office import Crews, body_of
from simulators.cases.policy import Case, Step, next_step
from simulators.cases.truth import CaseTruth, Line
from simulators.cases.world import FALSE_SHARE, Problem, expected, problems
from simulators.core.city import City
from simulators.core.events import Event
from systems.urban.subclasses import BY_CODE

LONG_S = 1e9
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)


def day(month: int, number: int) -> tuple[float, float]:
    begin = datetime(2026, month, number, tzinfo=zone()).timestamp()
    return begin, begin + 86_400


@cache
def of_day(number: int) -> list[Problem]:
    """Return the problems of a day of January."""
    return problems(City(1), *day(1, number))


def test_a_dry_working_day_has_about_600_problems_a_sunday_fewer() -> None:
    counts = {d: len(of_day(d)) for d in (13, 14, 18)}
    assert all(500 < counts[d] < 800 for d in (13, 14)), counts
    assert counts[18] < 0.6 * min(counts[13], counts[14]), counts


def test_the_same_seed_makes_the_same_problems_in_any_steps() -> None:
    begin = day(1, 13)[0] + 9 * 3600
    edges = [begin + n * 1000 for n in range(11)]
    whole, city = problems(City(1), edges[0], edges[-1]), City(1)
    assert whole == [p for a, b in pairwise(edges) for p in problems(city, a, b)]
    assert whole != problems(City(2), edges[0], edges[-1])
    assert len({p.key for p in whole}) == len(whole)


def test_rain_brings_more_and_wetter_problems() -> None:
    begin, _ = day(1, 13)
    at = np.arange(begin + 9 * 3600, begin + 12 * 3600, 60.0)
    storm = Event(id="s", name="rainstorm", start=at[0], duration_s=10_800.0, intensity=1.5)
    dry, wet = (float(expected(City(1, e), at).sum()) for e in ((), (storm,)))
    assert 1.2 * dry < wet <= 2.01 * dry


def test_what_is_not_true_is_reported_by_citizens_more_than_by_collectors() -> None:
    found = [p for n in (13, 14) for p in of_day(n)]
    assert len(found) > 1000
    for source in ("collector", "citizen"):
        own = [p for p in found if p.source == source]
        false = sum(not p.exists for p in own) / len(own)
        assert abs(false - FALSE_SHARE[source]) < 0.06
    mix = Counter(p.subclass for p in found)
    assert mix["E0101"] == max(mix.values())


def problem(**more: object) -> Problem:
    given = {"source": "collector", "exists": True, "botched": False, "misjudged": False} | more
    return Problem(key="k", at_s=0, subclass="E0101", lon=104, lat=30, **given)  # type: ignore[arg-type]


def walk(truth: Problem | None, source: str = "collector") -> list[str]:
    """Return the moves of a case until it is over."""
    return [step.move for step in steps(truth, source)]


def steps(truth: Problem | None, source: str = "collector") -> list[Step]:
    """Return the steps of a case until it is over."""
    found = list[Step]()
    state, fields, moves = "reported", {"subclass": "E0101", "source": source}, list[str]()
    to = {
        **{"verify": "verifying", "verified": "reported", "file": "filed", "reject": "rejected"},
        **{"dispatch": "dispatched", "receive": "handling", "return": "filed"},
        **{"feed_back": "fed_back", "check": "checking", "unable": "fed_back"},
        **{"rework": "handling", "pass": "checked", "close": "closed"},
    }
    for n in range(40):
        case = Case(7, state, n, NOON + timedelta(minutes=n), dict(fields))
        step = next_step(case, truth, LONG_S, 1, reworked="rework" in moves)
        if step is None:
            return found
        found.append(step)
        moves.append(step.move)
        state = to.get(step.move, state)
        fields |= {k: str(v) for k, v in step.args.items()}
    raise AssertionError(moves)


SEVEN = ["file", "dispatch", "receive", "feed_back", "check", "pass", "close"]


def test_a_case_goes_the_seven_steps() -> None:
    assert walk(problem()) == SEVEN
    assert walk(None) == SEVEN


def test_a_citizens_report_is_verified_and_not_filed_when_it_is_not_true() -> None:
    assert walk(problem(), "citizen") == ["verify", "verified", *SEVEN]
    assert walk(problem(exists=False), "citizen") == ["verify", "verified", "reject"]


def test_botched_work_comes_back_once_and_a_wrong_department_returns_it() -> None:
    again = ["rework", "feed_back", "check", "pass", "close"]
    assert walk(problem(botched=True)) == [*SEVEN[:5], *again]
    wrong = ["file", "dispatch", "receive", "return", *SEVEN[1:]]
    assert walk(problem(misjudged=True)) == wrong


def test_few_cases_are_mended_late_and_none_at_once() -> None:
    """Log-normal, median 0.3 of the limit: one in 25 is late before the crews are short."""
    limit_s = BY_CODE["E0101"].limit.amount * 3600
    late = 0
    for n in range(500):
        case = Case(n, "handling", 5, NOON, {"subclass": "E0101", "department": "sanitation"})
        soon = next_step(case, problem(), 60, 1)
        assert soon is None or soon.move == "ask_delay"
        in_time = next_step(case, problem(), limit_s, 1)
        late += in_time is None
    assert 0.02 < late / 500 < 0.09


def test_crews_are_bounded_and_sleep_by_night() -> None:
    crews = Crews.usual()
    noon, night = NOON.timestamp(), NOON.timestamp() + 12 * 3600
    for name in crews.left:
        while crews.take(name):
            pass
    crews.rest(8 * 3600, night)
    assert not any(crews.take(name) for name in crews.left)
    crews.rest(3600, noon)
    an_hour = 0
    while crews.take("sanitation"):
        an_hour += 1
    assert an_hour == int(crews.per_h["sanitation"]) > 10
    assert not crews.take("nobody")


def test_the_truth_is_read_again(tmp_path: Path) -> None:
    truth = CaseTruth(tmp_path / "a" / "cases.jsonl")
    truth.write(Line(what="reported", at=1, case=5, key="k", subclass="E0101", botched=True))
    truth.write(Line(what="refused", at=2, key="l"))
    truth.write(Line(what="botched", at=3, case=5))
    again = CaseTruth(tmp_path / "a" / "cases.jsonl")
    assert again.keys == {"k", "l"}
    assert again.reworked == {5}
    found = again.problem(5)
    assert found is not None and found.botched and again.problem(6) is None
    assert isinstance(next_step(Case(5, "checked", 1, NOON, {}), found, LONG_S, 1), Step)


def test_every_step_is_one_that_the_api_takes() -> None:
    """Bodies by the models of the API: strict, unknown names refused."""
    record = records()["case"]
    opening_model(record).model_validate({"fields": of_day(13)[0].fields(), "if_near": "refuse"})
    sent = set[str]()
    for truth in (problem(), problem(exists=False), problem(botched=True), problem(misjudged=True)):
        for source in ("collector", "citizen"):
            for step in steps(truth, source):
                move = record.move(step.move)
                assert move is not None
                move_model(record, move).model_validate(body_of(step, 7, 3))
                sent.add(step.move)
    assert sent >= {"verify", "verified", "reject", "return", "rework", "close"}
