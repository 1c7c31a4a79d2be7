"""The dashboards keep their rules, and each rule catches what it is for."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.build import dashboards
from dashboards.lint import RULES, lint
from dashboards.lint.board import Board
from dashboards.lint.excluded import EXCLUDED

Json = dict[str, Any]
BUILT = dashboards()
WALL = "dashboards/zh/cityops-wall.json"
SENSOR = "dashboards/zh/cityops-sensor.json"
TRAFFIC = "dashboards/zh/cityops-domain-traffic.json"


def panel(board: Json, kind: str = "timeseries") -> Json:
    return next(p for p in board["panels"] if p["type"] == kind)


def sql(board: Json, old: str, new: str) -> None:
    for one in board["panels"]:
        for target in one.get("targets", []):
            target["rawSql"] = target["rawSql"].replace(old, new)


def overlap(board: Json) -> None:
    board["panels"][1]["gridPos"] = dict(board["panels"][0]["gridPos"])


def taller(board: Json) -> None:
    board["panels"][-1]["gridPos"]["h"] += 1


def no_links(board: Json) -> None:
    board["links"] = [link for link in board["links"] if link["icon"] != "arrow-up"]


def own_colour(board: Json) -> None:
    panel(board)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "#00FF00"


def bare_colour(board: Json) -> None:
    maps = panel(board, "geomap")["fieldConfig"]["defaults"]["mappings"]
    next(iter(maps[0]["options"].values()))["text"] = ""


BREAK: dict[str, tuple[str, Callable[[Json], Any]]] = {
    "within-grid": (TRAFFIC, lambda b: panel(b)["gridPos"].update(x=20)),
    "no-overlap": (TRAFFIC, overlap),
    "one-screen": (WALL, taller),
    "ids": (TRAFFIC, lambda b: panel(b).pop("id")),
    "described": (TRAFFIC, lambda b: panel(b).update(description="")),
    "units": (TRAFFIC, lambda b: panel(b)["fieldConfig"]["defaults"].pop("unit")),
    "colours": (TRAFFIC, own_colour),
    "never-colour-alone": (TRAFFIC, bare_colour),
    "both-languages": (TRAFFIC, lambda b: b["panels"].pop()),
    "datasource": (TRAFFIC, lambda b: panel(b).update(datasource={"type": "mysql", "uid": "x"})),
    "has-query": (TRAFFIC, lambda b: panel(b).update(targets=[])),
    "only-dash": (TRAFFIC, lambda b: sql(b, "FROM dash.series", "FROM readings_noise")),
    "columns-named": (TRAFFIC, lambda b: sql(b, 'SELECT s."time"', 'SELECT s.*, s."time"')),
    "picker-rules": (TRAFFIC, lambda b: sql(b, "$__timeTo()", "now()")),
    "ordered-and-bounded": (TRAFFIC, lambda b: sql(b, "LIMIT", "OFFSET")),
    "quoted": (SENSOR, lambda b: sql(b, "${sensor:sqlstring}", "'$sensor'")),
    "reload": (SENSOR, lambda b: b["templating"]["list"][0].update(refresh=2)),
    "refresh": (TRAFFIC, lambda b: b.update(refresh="5s")),
    "leads-on": (TRAFFIC, lambda b: panel(b).pop("links")),
    "leads-up": (TRAFFIC, no_links),
    "arrives": (TRAFFIC, lambda b: panel(b)["links"][0].update(url="/d/gone?${__url_time_range}")),
    "keeps-time": (TRAFFIC, lambda b: panel(b)["links"][0].update(url="/d/cityops-wall")),
    "schema": (TRAFFIC, lambda b: b.update(editable=True)),
    "known-fields": (TRAFFIC, lambda b: panel(b)["options"].update(lgend={})),
}


def test_the_dashboards_keep_every_rule() -> None:
    assert [str(finding) for finding in lint(BUILT)] == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_catches_what_it_is_for(rule: str) -> None:
    name, spoil = BREAK[rule]
    broken = copy.deepcopy(BUILT[name])
    spoil(broken)
    others = {board["uid"]: board for board in BUILT.values()}
    assert list(RULES[rule](Board(broken, others)))


def test_an_exclusion_that_excludes_nothing_is_reported() -> None:
    one = EXCLUDED[0]
    boards = {name: board for name, board in BUILT.items() if "cityops-sensor" not in name}
    assert any(
        f.rule == "exclusion" and f.board == one.board and one.rule in f.detail
        for f in lint(boards)
    )
    assert all(len(one.reason) > 20 for one in EXCLUDED)
