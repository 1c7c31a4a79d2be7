"""An index: NA when something is missing, capped while safety is red, a mean in between."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.base import Text, text
from catalog.index import AlertCount, Branch, Index, Leaf, Level, Reporting, Share, indices
from engine.indices import Counted, Scored, score_index, score_leaf
from records.indices import CITY, Item, fold

SAID = text("名", "Name")
PONDING = AlertCount(rules=("waterlogging.ponding",), fresh_s=60)
DEPTH = Level(stream="waterlogging", metric="depth_m", fresh_s=60)


def leaf(name: str, weight: float = 1.0, safety: bool = False, **more: Any) -> Leaf:
    given: dict[str, Any] = {"good": 100.0, "bad": 0.0} | more
    return Leaf(name=name, title=SAID, weight=weight, of=PONDING, safety=safety, **given)


def branch(name: str, *parts: Branch | Leaf, weight: float = 1.0) -> Branch:
    return Branch(name=name, title=SAID, weight=weight, parts=parts)


TREE = Index(
    name="one",
    title=SAID,
    tree=branch(
        "all",
        branch("left", leaf("a", safety=True), leaf("b", 3.0)),
        branch("right", leaf("c"), leaf("d")),
    ),
)
LEAVES = [one.name for one in TREE.tree.leaves()]
VALUES = st.one_of(
    st.builds(
        lambda v, known, red: Counted(v, known, 10, red),
        st.one_of(st.none(), st.floats(-50, 150), st.just(math.nan), st.just(math.inf)),
        st.integers(0, 10),
        st.booleans(),
    ),
    st.just(Counted(None, 0, 0)),
)


def every(scored: Scored) -> Iterator[Scored]:
    yield scored
    for part in scored.parts:
        yield from every(part)


@given(st.fixed_dictionaries(dict.fromkeys(LEAVES, VALUES)))
def test_na_and_caps_hold_for_any_counts(counts: dict[str, Counted]) -> None:
    for scored in every(score_index(TREE, counts)):
        below = [part for part in every(scored) if part.counted is not None]
        there = [part for part in below if part.why != "absent"]
        assert (scored.score is None) == (scored.why != "")
        assert (scored.why == "absent") == (not there)
        if any(part.why == "incomplete" for part in there):
            assert scored.score is None and scored.why == "incomplete"
        if scored.score is not None:
            scores = [part.score for part in there if part.score is not None]
            assert 0 <= scored.score <= 100 and scored.score <= max(scores) + 1e-9
            assert scored.capped or scored.score >= min(min(scores), TREE.cap) - 1e-9
        red = tuple(part.name for part in below if part.name == "a" and counts["a"].red)
        assert scored.red == red
        if red and scored.counted is None and scored.score is not None:
            assert scored.score <= TREE.cap


def test_the_mean_is_weighted_over_what_is_there() -> None:
    full, half, none = Counted(100, 9, 10), Counted(50, 9, 10), Counted(None, 0, 0)
    scored = score_index(TREE, {"a": full, "b": half, "c": none, "d": none})
    assert scored.parts[0].score == pytest.approx((100 + 3 * 50) / 4)
    assert scored.parts[1].why == "absent" and scored.score == scored.parts[0].score
    assert score_index(TREE, {}).why == "absent"


def test_one_missing_leaf_makes_all_above_it_na_and_what_is_beside_it_not() -> None:
    full, unknown = Counted(100, 9, 10), Counted(100, 7, 10)  # least is 0.8
    scored = score_index(TREE, {"a": full, "b": unknown, "c": full, "d": full})
    assert (scored.why, scored.parts[0].why, scored.parts[1].score) == ("incomplete",) * 2 + (100,)


def test_a_red_safety_leaf_caps_what_is_above_it_only() -> None:
    full, red = Counted(100, 10, 10), Counted(98, 10, 10, red=True)
    scored = score_index(TREE, {"a": red, "b": full, "c": full, "d": full})
    left, right = scored.parts
    assert (scored.score, scored.capped, scored.red) == (59, True, ("a",))
    assert (left.score, left.capped, right.score, right.red) == (59, True, 100, ())
    plain = score_index(TREE, {"a": full, "b": red, "c": full, "d": full})
    assert not plain.capped and plain.red == ()


@pytest.mark.parametrize(
    ("value", "good", "bad", "score"),
    [
        *((35, 35, 150, 100), (150, 35, 150, 0), (20, 35, 150, 100), (400, 35, 150, 0)),
        *((0.6, 0.9, 0.3, 50), (1.2, 0.9, 0.3, 100), (92.5, 35, 150, 50)),
    ],
)
def test_a_score_is_linear_between_its_ends(
    value: float, good: float, bad: float, score: float
) -> None:
    found = score_leaf(leaf("a", good=good, bad=bad), Counted(value, 1, 1))
    assert found.score == pytest.approx(score)


def item(district: str, value: float | None, known: bool = True, red: bool = False) -> Item:
    return Item(
        of="x",
        id="x",
        title_zh="",
        title_en="",
        district=district,
        known=known,
        value=value,
        red=red,
    )


def test_the_city_is_counted_over_its_sensors_not_over_its_districts() -> None:
    items = [item("1", 100.0), item("1", 100.0), item("1", 0.0, red=True), item("2", 100.0)]
    items.append(item("2", 50.0, known=False))
    found = fold(PONDING, items)
    assert (found["1"].value, found["1"].red) == (pytest.approx(200 / 3), True)
    assert found["2"] == Counted(100, 1, 2)
    assert found[CITY] == Counted(75, 4, 5, True)
    assert fold(DEPTH.model_copy(update={"by": "max"}), items)[CITY].value == 100
    assert fold(DEPTH.model_copy(update={"by": "min"}), items)["1"].value == 0
    assert fold(Reporting(), [item("1", None)])["1"] == Counted(None, 0, 1)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (AlertCount(rules=("waterlogging.pond",), fresh_s=1), "no rule 'waterlogging.pond'"),
        (AlertCount(rules=("waterlogging.health",), fresh_s=1), "no rule 'waterlogging.health'"),
        (Level(stream="noise", metric="depth_m", fresh_s=1), "no metric noise.depth_m"),
        (Reporting(streams=("canals",)), "no stream 'canals'"),
        (Share(record="case", kpi="score"), "no KPI 'score' of a record 'case'"),
        (Share(record="canal", kpi="x"), "no KPI 'x' of a record 'canal'"),
    ],
)
def test_a_wrong_leaf_says_what_is_wrong(of: object, said: str) -> None:
    wrong = leaf("a").model_dump() | {"of": of}
    with pytest.raises(ValueError, match=said):
        Index(name="x", title=SAID, tree=branch("all", Leaf.model_validate(wrong)))


def test_names_stand_once_and_only_alerts_are_of_safety() -> None:
    with pytest.raises(ValueError, match="'a' stands twice"):
        Index(name="x", title=SAID, tree=branch("all", leaf("a"), branch("b", leaf("a"))))
    with pytest.raises(ValueError, match="only counts of alerts"):
        Leaf(name="a", title=SAID, weight=1, of=DEPTH, good=0, bad=1, safety=True)
    with pytest.raises(ValueError, match="one value"):
        leaf("a", good=1, bad=1)


def test_the_citys_own_index_has_texts_in_both_languages() -> None:
    found: dict[str, Text] = indices()["vital_signs"].titles()
    assert len(found) > 20 and all(t.zh.strip() and t.en.strip() for t in found.values())


def test_what_lies_in_no_district_counts_once_in_the_city() -> None:
    found = fold(Reporting(), [item("1", 100.0), item(CITY, 0.0)])
    assert found[CITY] == Counted(50.0, 2, 2)
    assert found.keys() == {CITY, "1"}
