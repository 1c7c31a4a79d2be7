"""Networks against plain answers: all ways tried, closures by hand, areas by other geometry."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.base import Severity, text
from catalog.network import Closure, Link, LinkCost, Network, networks
from engine.network.graph import Graph, graph_of
from engine.network.inside import in_polygon, in_sector
from engine.network.live import Alarm, Sensed, live
from engine.network.paths import CLOSED, nearest, reach, shortest
from engine.network.walk import walk

TITLE = text("网", "Net")
COST = LinkCost(stream="traffic_link", metric="speed_ratio", within_m=800, fresh_s=300)
PONDING = Closure(rule="waterlogging.ponding", severity=Severity.ORANGE, within_m=200)


def network(links: list[tuple[int, int, float, bool]], count: int = 8, **more: Any) -> Network:
    """Return nodes ``0…`` a hundredth of a degree apart eastwards, and these links."""
    nodes = {str(n): (104.0 + n / 100, 30.65) for n in range(count)}
    made = [Link(f"k{i}", str(a), str(b), s, both) for i, (a, b, s, both) in enumerate(links)]
    return Network(
        name="net", domain="traffic", title=TITLE, nodes=nodes, links=tuple(made), **more
    )


def graph(links: list[tuple[int, int, float, bool]], **more: Any) -> Graph:
    return graph_of.__wrapped__(network(links, **more))


ENDS = st.integers(0, 7)
LINKS = st.lists(st.tuples(ENDS, ENDS, st.integers(1, 50).map(float), st.booleans()), max_size=24)


def all_times(made: Graph, costs: list[float]) -> np.ndarray:
    """Return the time between all nodes by Floyd and Warshall."""
    times = np.full((8, 8), np.inf)
    np.fill_diagonal(times, 0.0)
    for place, link in enumerate(made.network.links):
        a, b = int(link.start), int(link.end)
        times[a, b] = min(times[a, b], costs[place])
        if link.both:
            times[b, a] = min(times[b, a], costs[place])
    for k in range(8):
        times = np.minimum(times, times[:, [k]] + times[[k], :])
    return times


@settings(max_examples=40, deadline=None)
@given(LINKS, st.sets(st.integers(0, 23)))
def test_ways_are_the_shortest_there_are(links: Any, closed: set[int]) -> None:
    made = graph(links)
    costs = [CLOSED if n in closed else s for n, s in enumerate(made.free_s)]
    times = all_times(made, costs)
    for start in range(8):
        assert reach(made, costs, [start]).seconds == {
            node: times[start, node] for node in range(8) if np.isfinite(times[start, node])
        }
        way = shortest(made, costs, start, 7)
        assert (way is None) == (not np.isfinite(times[start, 7]))
        if way is not None:
            assert way.seconds == times[start, 7] == sum(costs[link] for link in way.links)
            assert (way.nodes[0], way.nodes[-1]) == (start, 7)
            for link, a, b in zip(way.links, way.nodes[:-1], way.nodes[1:], strict=True):
                one = made.network.links[link]
                assert (str(a), str(b)) == (one.start, one.end) or (
                    one.both and (str(b), str(a)) == (one.start, one.end)
                )


@settings(max_examples=30, deadline=None)
@given(LINKS, st.dictionaries(st.sampled_from("abcdef"), ENDS), st.integers(1, 4))
def test_the_nearest_are_those_that_arrive_first(links: Any, those: Any, k: int) -> None:
    made = graph(links)
    times = all_times(made, made.free_s)
    found = nearest(made, made.free_s, 3, those, k)
    wanted = sorted(times[node, 3] for node in those.values() if np.isfinite(times[node, 3]))[:k]
    assert [way.seconds for _, way in found] == wanted
    assert all(way.nodes[0] == those[name] and way.nodes[-1] == 3 for name, way in found)


@settings(max_examples=30, deadline=None)
@given(LINKS, st.sets(st.integers(0, 23)))
def test_a_walk_reaches_what_can_be_reached(links: Any, closed: set[int]) -> None:
    made = graph([(a, b, s, False) for a, b, s, _ in links])
    costs = [CLOSED if n in closed else s for n, s in enumerate(made.free_s)]
    times = all_times(made, costs)
    for node in range(8):
        down, passed = walk(made, node, "down", closed)
        assert down[0] == node and sorted(down) == np.flatnonzero(np.isfinite(times[node])).tolist()
        up, _ = walk(made, node, "up", closed)
        assert sorted(up) == np.flatnonzero(np.isfinite(times[:, node])).tolist()
        assert len(passed) == len(set(passed)) and not closed & set(passed)


ROUND = [(0, 1, 100.0, True), (1, 2, 100.0, True), (0, 2, 250.0, True), (2, 3, 10.0, True)]


def test_links_cost_what_the_sensor_beside_them_says() -> None:
    made = graph(ROUND, cost=COST)
    middle = (104.005, 30.65)
    slow = live(made, [Sensed(middle, 0.25, 10.0)], [])
    # 0.5 km to the middle of 0-2, none to that of 0-1; the others are further than 800 m
    assert slow.costs == [400.0, 100.0, 1000.0, 10.0]
    assert slow.known == [True, False, True, False]
    assert live(made, [Sensed(middle, 0.25, 301.0)], []).costs == made.free_s, "too old"
    assert live(made, [Sensed(middle, math.nan, 1.0)], []).costs == made.free_s
    assert live(made, [Sensed(middle, 0.0, 1.0)], []).costs[0] == 100.0 / COST.least


def test_an_open_alert_closes_the_links_beside_it_and_the_way_goes_round() -> None:
    made = graph([*ROUND[:2], (0, 3, 150.0, True), (3, 2, 150.0, True)], closures=(PONDING,))
    made.network.nodes["3"] = (104.01, 30.70)  # off the line
    made = graph_of.__wrapped__(made.network)
    where = (104.005, 30.65)
    free = shortest(made, live(made, [], []).costs, 0, 2)
    assert free and free.links == [0, 1]
    now = live(made, [], [Alarm("e1", "waterlogging.ponding", 2, where)])
    assert now.closed == {0: ["e1"]}
    round_ = shortest(made, now.costs, 0, 2)
    assert round_ and round_.links == [2, 3]
    for other in (
        Alarm("e2", "waterlogging.ponding", 3, where),
        Alarm("e3", "noise.night", 1, where),
        Alarm("e4", "waterlogging.ponding", 1, (104.005, 30.66)),
    ):
        assert not live(made, [], [other]).closed


POINTS = st.lists(
    st.tuples(st.floats(103.9, 104.1), st.floats(30.5, 30.7)), min_size=1, max_size=20
)


@settings(max_examples=30, deadline=None)
@given(POINTS, st.floats(0, 360), st.floats(5, 180), st.floats(0.5, 15))
def test_who_is_in_a_sector_is_so_by_the_sphere_too(
    points: Any, wind: float, half: float, far: float
) -> None:
    """Great circles (haversine, initial bearing) agree but for what lies on the very border."""
    origin = (104.0, 30.6)
    found = in_sector(origin, wind, half, far, np.array(points))
    for (lon, lat), inside in zip(points, found, strict=True):
        km, bearing = _great_circle(origin, (lon, lat))
        off = abs((bearing - wind - 180 + 180) % 360 - 180)
        if abs(km - far) < 0.005 * far + 0.02 or abs(off - half) < 0.5 or km < 0.05:
            continue
        assert inside == (km <= far and off <= half), (km, off)


def _great_circle(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    (lon1, lat1), (lon2, lat2) = (tuple(map(math.radians, p)) for p in (a, b))
    h = math.sin((lat2 - lat1) / 2) ** 2
    h += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    y = math.sin(lon2 - lon1) * math.cos(lat2)
    x = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(lon2 - lon1)
    return 2 * 6378.137 * math.asin(math.sqrt(h)), math.degrees(math.atan2(y, x))


RING = ((104.0, 30.6), (104.1, 30.6), (104.1, 30.7), (104.05, 30.62), (104.0, 30.7))


def test_who_is_in_a_ring_is_so_by_angles_too() -> None:
    rnd = np.random.default_rng(3)
    points = rnd.uniform((103.98, 30.58), (104.12, 30.72), (400, 2))
    turns = np.zeros(400)
    for a, b in zip(RING, RING[1:] + RING[:1], strict=True):
        one, two = np.array(a) - points, np.array(b) - points
        cross = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
        turns += np.arctan2(cross, (one * two).sum(axis=1))
    assert (in_polygon(RING, points) == (np.abs(turns) > 3)).all()
    assert in_polygon(RING, points).any() and not in_polygon(RING, points).all()


def test_neighbours_share_nobody() -> None:
    west = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    east = tuple((x + 1, y) for x, y in west)
    border = np.array([(1.0, 0.5), (1.0, 0.0)])
    assert (in_polygon(west, border) ^ in_polygon(east, border)).all()


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ((Link("a", "0", "9", 1.0),), "no node 9"),
        ((Link("a", "0", "1", 0.0),), "above zero"),
        ((Link("a", "0", "1", math.nan),), "above zero"),
        ((Link("a", "0", "1", 1.0), Link("a", "1", "2", 1.0)), "twice"),
    ],
)
def test_a_network_that_leads_nowhere_is_refused(links: Any, words: str) -> None:
    nodes = {"0": (104.0, 30.6), "1": (104.1, 30.6), "2": (104.2, 30.6)}
    with pytest.raises(ValueError, match=words):
        Network(name="n", domain="traffic", title=TITLE, nodes=nodes, links=links)


def test_every_network_of_the_site_is_whole() -> None:
    """Each node of a way reaches each other one; the rules that close links are declared."""
    from catalog.registry import find_rule, streams

    for one in networks().values():
        made = graph_of(one)
        if one.kind == "way":
            assert len(reach(made, made.free_s, [0]).seconds) == len(made.ids)
        for closure in one.closures:
            assert find_rule(closure.rule), closure.rule
        if one.cost is not None:
            assert one.cost.metric in streams()[one.cost.stream].metric_names
