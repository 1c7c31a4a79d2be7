"""The dashboards keep their rules, and each rule catches what it is for."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.build import files
from dashboards.lint import PROVISIONED, RULES, lint, lint_files
from dashboards.lint.board import Board
from dashboards.lint.excluded import EXCLUDED
from tests.support.boards import BOARDS

Json = dict[str, Any]
FILES = files()
WALL = "dashboards/zh/cityops-wall.json"
SENSOR = "dashboards/zh/cityops-sensor.json"
NOISE = "dashboards/zh/cityops-stream-noise.json"
SUPPLY = "dashboards/zh/cityops-stream-water-supply.json"
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
    board["links"] = [link for link in board["links"] if not link["title"].startswith("↑")]


def own_colour(board: Json) -> None:
    panel(board)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "#00FF00"


def bare_colour(board: Json) -> None:
    maps = panel(board, "geomap")["fieldConfig"]["defaults"]["mappings"]
    next(iter(maps[0]["options"].values()))["text"] = ""


def falling(board: Json) -> None:
    steps = panel(board)["fieldConfig"]["defaults"]["thresholds"]["steps"]
    steps[1:] = [{"color": "#FF9830", "value": 2.0}, {"color": "#E0322F", "value": 1.0}]


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
    "thresholds": (TRAFFIC, falling),
    "tiles": (WALL, lambda b: vitals_of(b)["fieldConfig"]["defaults"].update(fieldMinMax=False)),
    "gaps": (TRAFFIC, lambda b: custom(b).update(spanNulls=False)),
    "limit-colours": (SUPPLY, lambda b: with_limits(b)["fieldConfig"]["overrides"].clear()),
    "quiet-marks": (NOISE, lambda b: alerts_of(b).update(enable=True)),
    "maps": (TRAFFIC, lambda b: panel(b, "geomap")["options"]["view"].update(allLayers=False)),
    "units-known": (TRAFFIC, lambda b: panel(b)["fieldConfig"]["defaults"].update(unit="furlong")),
}
SPOILT_PICTURES: dict[str, tuple[str, str, Callable[[Json], Any]]] = {
    "layout or size": ("tiles", WALL, lambda b: vitals_of(b)["options"].update(wideLayout=True)),
    "left to Grafana": ("tiles", WALL, lambda b: vitals_of(b)["options"].pop("text")),
    "its lines are joined": (
        "tiles",
        WALL,
        lambda b: vitals_of(b)["targets"][0].update(rawSql="SELECT t.label AS metric"),
    ),
    "takes the colour of the step above": (
        "limit-colours",
        TRAFFIC,
        lambda b: custom(b).update(thresholdsStyle={"mode": "dashed"}),
    ),
    "names lie under": (
        "maps",
        TRAFFIC,
        lambda b: panel(b, "geomap")["options"]["layers"].reverse(),
    ),
    "Grafana's legend": (
        "maps",
        TRAFFIC,
        lambda b: panel(b, "geomap")["options"]["layers"][-1]["config"].update(showLegend=True),
    ),
    "shows raw": (
        "maps",
        TRAFFIC,
        lambda b: panel(b, "geomap")["fieldConfig"]["overrides"].clear(),
    ),
    "draws spans": ("quiet-marks", NOISE, lambda b: spans(alerts_of(b))),
}


def vitals_of(board: Json) -> Json:
    return next(p for p in board["panels"] if p["options"].get("graphMode") == "area")


def with_limits(board: Json) -> Json:
    return next(p for p in board["panels"] if any(t["refId"] == "L" for t in p.get("targets", [])))


def alerts_of(board: Json) -> Json:
    found = board["annotations"]["list"]
    return next(n for n in found if "dash.notes(" in n["target"]["rawSql"])


def spans(note: Json) -> None:
    note["target"]["rawSql"] = note["target"]["rawSql"].replace("n.tags", "n.timeend, n.tags")


STRANGE: dict[str, Callable[[Json], Any]] = {
    "preload is not known": lambda b: b.update(preload=True),
    "options.legend.placement is missing": lambda b: panel(b)["options"]["legend"].clear(),
    "custom.lineWdth is not known": lambda b: custom(b).update(lineWdth=1),
    "custom.lineWidth is '1', not int": lambda b: custom(b).update(lineWidth="1"),
    "type is 'graph', not": lambda b: panel(b).update(type="graph"),
    "targets[0].refID is not known": lambda b: panel(b)["targets"][0].update(refID="A"),
    "fieldConfig.defaults.unit is None, not str": lambda b: defaults(b).update(unit=None),
    "links[0].icon is 'arrow-up', not": lambda b: b["links"][0].update(icon="arrow-up"),
    "templating.list[0].query is missing": lambda b: b["templating"]["list"][0].pop("query"),
    "annotations.list[0].colour is not known": lambda b: b["annotations"]["list"][0].update(
        colour="red"
    ),
    "custom.widht is not known": lambda b: panel(b, "table")["fieldConfig"]["overrides"][0][
        "properties"
    ].append({"id": "custom.widht", "value": 90}),
    "unit is 5, not str": lambda b: panel(b, "table")["fieldConfig"]["overrides"][0][
        "properties"
    ].append({"id": "unit", "value": 5}),
    "fieldConfig.overrides[0].matcher.id is 'byname', not": lambda b: panel(b, "table")[
        "fieldConfig"
    ]["overrides"][0]["matcher"].update(id="byname"),
    "options.layers[0].config.style.colour is not known": lambda b: panel(b, "geomap")["options"][
        "layers"
    ][0]["config"]["style"].update(colour={}),
    "transformations[0].id is 'sum', not": lambda b: panel(b).update(
        transformations=[{"id": "sum", "options": {}}]
    ),
}


def defaults(board: Json) -> Json:
    return panel(board)["fieldConfig"]["defaults"]


def custom(board: Json) -> Json:
    return defaults(board)["custom"]


def edited(name: str, old: str, new: str) -> dict[str, str]:
    """The built files with a change of text in one of them."""
    assert old in FILES[name]
    return FILES | {name: FILES[name].replace(old, new, 1)}


RULES_FILE = "provisioning/alerting/rules.yaml"
BREAK_FILE: dict[str, tuple[str, str, str]] = {
    "shapes": (RULES_FILE, "noDataState: Alerting", "noDataState: Alarming"),
    "ini-keys": ("grafana.ini", "row_limit", "rows_limit"),
    "one-level": (
        "provisioning/datasources/cityops.yaml",
        "${CITYOPS_GRAFANA_DB_PASSWORD}",
        "$__file{${CITYOPS_GRAFANA_DB_PASSWORD_FILE}}",
    ),
    "alert-queries": (RULES_FILE, "condition: C", "condition: B"),
    "alert-names": (RULES_FILE, "folder: 平台自检 Platform watch", "folder: 城市运行"),
    "alert-times": (RULES_FILE, "interval: 30s", "interval: 15s"),
    "alert-routes": ("provisioning/alerting/policies.yaml", "cityops-console", "nobody"),
    "targets": (RULES_FILE, "panelId: ", "panelId: 9"),
}


def test_the_dashboards_keep_every_rule() -> None:
    assert [str(finding) for finding in lint(BOARDS)] == []


def test_the_provisioning_files_keep_every_rule() -> None:
    assert [str(finding) for finding in lint_files(FILES)] == []


@pytest.mark.parametrize("rule", sorted(PROVISIONED))
def test_a_rule_of_files_catches_what_it_is_for(rule: str) -> None:
    broken = edited(*BREAK_FILE[rule])
    assert list(PROVISIONED[rule](broken))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("condition: C", "condition: A", "the condition is no expression"),
        ("expression: A", "expression: D", "looks at a query that is not there"),
        ("datasourceUid: cityops-db", "datasourceUid: other", "reads other"),
        ("      relativeTimeRange:", "      timeRange:", "relativeTimeRange is missing"),
        ("uid: cityops-undelivered", "uid: cityops-no-data", "is empty, too long or used twice"),
        ("for: 60s", "for: 45s", "no multiple of the interval"),
        ("execErrState: Error", "execErrState: Fail", "not Alerting|Error|OK"),
        ("type: threshold", "type: treshold", "not threshold"),
    ],
)
def test_an_alert_rule_that_grafana_would_not_run_is_named(old: str, new: str, said: str) -> None:
    broken = edited(RULES_FILE, old, new)
    assert any(said in str(finding) for finding in lint_files(broken))


@pytest.mark.parametrize("said", SPOILT_PICTURES)
def test_a_spoilt_picture_is_named(said: str) -> None:
    rule, name, spoil = SPOILT_PICTURES[said]
    broken = copy.deepcopy(BOARDS[name])
    spoil(broken)
    assert any(said in detail for _, detail in RULES[rule](Board(broken, {})))


@pytest.mark.parametrize("said", STRANGE)
def test_what_the_model_does_not_know_is_named(said: str) -> None:
    broken = copy.deepcopy(BOARDS[NOISE])
    STRANGE[said](broken)
    found = [detail for _, detail in RULES["known-fields"](Board(broken, {}))]
    assert any(detail.startswith(said) for detail in found), found


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_catches_what_it_is_for(rule: str) -> None:
    name, spoil = BREAK[rule]
    broken = copy.deepcopy(BOARDS[name])
    spoil(broken)
    others = {board["uid"]: board for board in BOARDS.values()}
    assert list(RULES[rule](Board(broken, others)))


def test_an_exclusion_that_excludes_nothing_is_reported() -> None:
    one = EXCLUDED[0]
    boards = {name: board for name, board in BOARDS.items() if "cityops-sensor" not in name}
    assert any(
        f.rule == "exclusion" and f.board == one.board and one.rule in f.detail
        for f in lint(boards)
    )
    assert all(len(one.reason) > 20 for one in EXCLUDED)
