"""Who has a place ahead: against every way tried by hand, and on our own roads."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.base import text
from catalog.network import Link, Network, networks
from catalog.plan.device import devices
from engine.network.ahead import Post, ahead
from engine.network.graph import Graph, graph_of

STEP = 0.01
ENDS = st.integers(0, 6)
LINKS = st.lists(st.tuples(ENDS, ENDS, st.integers(1, 9).map(float), st.booleans()), min_size=1)


def graph(links: list[tuple[int, int, float, bool]]) -> Graph:
    nodes = {str(n): (104.0 + STEP * n, 30.65 + STEP * (n % 2)) for n in range(7)}
    made = [Link(f"k{i}", str(a), str(b), s, both) for i, (a, b, s, both) in enumerate(links)]
    title = text("网", "Net")
    net = Network(name="net", domain="traffic", title=title, nodes=nodes, links=tuple(made))
    return graph_of.__wrapped__(net)


def times(made: Graph) -> Any:
    found = np.full((7, 7), np.inf)
    np.fill_diagonal(found, 0.0)
    for link in made.network.links:
        a, b = int(link.start), int(link.end)
        found[a, b] = min(found[a, b], link.free_s)
        if link.both:
            found[b, a] = min(found[b, a], link.free_s)
    for k in range(7):
        found = np.minimum(found, found[:, [k]] + found[[k], :])
    return found


@settings(max_examples=60, deadline=None)
@given(LINKS, st.integers(0, 100))
def test_posts_that_have_it_ahead_are_those_on_a_quickest_way(links: Any, pick: int) -> None:
    made = graph(links)
    target = made.network.links[pick % len(links)]
    a, b = made.network.nodes[target.start], made.network.nodes[target.end]
    place = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    nearest = made.network.links[int(np.argmin(made.distances_km(place)))]
    ends, all_times = [int(nearest.start), int(nearest.end)], times(made)
    steps = [(int(k.start), int(k.end), k.free_s) for k in made.network.links]
    steps += [(int(k.end), int(k.start), k.free_s) for k in made.network.links if k.both]
    posts = {f"{a}>{b}": Post(str(a), str(b)) for a in range(7) for b in range(7)}
    found = {one.id: one for one in ahead(made, place, posts, 20.0, 1.0)}
    for a in range(7):
        for b in range(7):
            there = min(all_times[a, e] for e in ends)
            direct = min((s for *ends_of, s in steps if ends_of == [a, b]), default=np.inf)
            goes_on = min(all_times[b, e] for e in ends)
            on_way = direct + goes_on <= there + 1e-6 and there <= 20.0
            wanted = b in ends and there <= 20.0 if a in ends else bool(on_way and there < np.inf)
            assert (f"{a}>{b}" in found) == wanted, (a, b)


def test_nearest_first_and_who_drives_away_is_not_told() -> None:
    made = graph([(0, 1, 10, True), (1, 2, 10, True), (2, 3, 10, True), (3, 4, 10, True)])
    posts = {"far": Post("0", "1"), "near": Post("1", "2"), "away": Post("1", "0")}
    posts |= {"other side": Post("4", "3"), "at it": Post("2", "3"), "at it, away": Post("2", "1")}
    place = (104.0 + 2.5 * STEP, 30.65 + STEP / 2)
    found = ahead(made, place, posts, 100.0, 1.0)
    assert [one.id for one in found] == ["at it", "near", "other side", "far"]
    assert [one.seconds for one in found] == [0, 10, 10, 20]
    assert found[3].km == pytest.approx(2 * found[1].km)
    assert [one.id for one in ahead(made, place, posts, 10.0, 1.0)][-1] == "other side"


def test_a_one_way_road_is_not_driven_backwards() -> None:
    made = graph([(0, 1, 10, False), (1, 2, 10, True)])
    place = (104.0 + 1.5 * STEP, 30.65 + STEP / 2)
    posts = {"with": Post("0", "1"), "against": Post("1", "0")}
    assert [one.id for one in ahead(made, place, posts, 100.0, 1.0)] == ["with"]


def test_a_place_off_the_network_lies_on_no_link() -> None:
    roads = graph_of(networks()["roads"])
    posts = {d.id: Post(d.node, d.towards) for d in devices()["sign"].values()}
    assert ahead(roads, (104.066, 30.657), posts, 600.0, 2.0)
    assert ahead(roads, (105.5, 30.657), posts, 60_000.0, 2.0) == []
