"""A limit, a colour or a sign stands in one place: no page types it again."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from catalog.severity import LEVELS
from dashboards.alerting import WATCHES, alerting
from dashboards.texts import say
from deploy.paths import ROOT
from storage.views.limits import (
    COUNTS,
    OFFLINE_PCT,
    ONLINE_PCT,
    PLATFORM_LIMITS,
    coloured_from,
    is_offline,
    is_unwell,
)
from tests.support.boards import BY_UID

PAGES = sorted(
    path
    for folder in ("dashboards/boards", "dashboards/report", "console/pages", "console/widgets")
    for path in (ROOT / folder).glob("*.py")
)
PLAIN_NUMBERS = {
    "overview.py": {10},  # from ten on, a figure is shown without decimals
    "page.py": {60, 7200},  # from when on a duration is told in minutes and in hours
}


def typed_limits(source: str) -> Iterator[float]:
    """Yield the numbers above 2 that something is compared with, or that begin a pair of a step."""
    for node in ast.walk(ast.parse(source)):
        found: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            found = node.comparators
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and "our" in ast.dump(node):
            found = node.elts[:1]
        for one in found:
            value = one.value if isinstance(one, ast.Constant) else None
            if isinstance(value, int | float) and value > 2:
                yield value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_a_page_types_no_limit(page: Path) -> None:
    assert set(typed_limits(page.read_text())) <= PLAIN_NUMBERS.get(page.name, set())


def test_a_typed_limit_would_be_seen() -> None:
    assert list(typed_limits("if share < 90: pass")) == [90]
    assert list(typed_limits("[*PLAIN, (60.0, level.colour)]")) == [60.0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_a_page_types_no_colour_and_no_sign_of_a_level(page: Path) -> None:
    text = page.read_text()
    for level in LEVELS.values():
        assert level.icon not in text and level.colour.lower() not in text.lower()


@pytest.mark.parametrize("figure", sorted(PLATFORM_LIMITS))
def test_screens_that_colour_from_a_value_on_agree_with_those_that_ask(figure: str) -> None:
    edge, limit = coloured_from(figure), PLATFORM_LIMITS[figure]
    assert edge is not None
    assert not is_unwell(figure, limit) and is_unwell(figure, limit + 1)
    assert edge == (limit + 1 if figure in COUNTS else limit)
    assert is_unwell(figure, None) and not is_unwell("stored_per_s", None)


def test_the_watcher_the_walls_and_the_page_have_one_limit_for_silence() -> None:
    (watch,) = (one for one in WATCHES if one.key == "offline")
    assert watch.limit == OFFLINE_PCT == 100 - ONLINE_PCT
    assert f"{OFFLINE_PCT}" in watch.title.zh and f"{OFFLINE_PCT}" in watch.title.en
    assert is_offline(ONLINE_PCT - 0.1) and is_offline(None) and not is_offline(ONLINE_PCT)
    assert ONLINE_PCT in steps_of("cityops-wall", say("c.pct_online", "zh"))


@pytest.mark.parametrize("figure", ["newest_age_s", "dead_letters_open"])
def test_a_figure_is_coloured_alike_on_every_board_and_watched_at_the_same_limit(
    figure: str,
) -> None:
    shown = {"newest_age_s": "c.age_newest", "dead_letters_open": "c.dead"}[figure]
    for board in ("cityops-wall", "cityops-platform"):
        assert steps_of(board, say(shown, "zh")) == [None, coloured_from(figure)]
    rules = yaml.safe_load(yaml.safe_dump(alerting("")))["provisioning/alerting/rules.yaml"]
    params = [
        rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"]
        for rule in rules["groups"][0]["rules"]
        if figure in rule["data"][0]["model"]["rawSql"]
    ]
    assert params == [[PLATFORM_LIMITS[figure]]]


def steps_of(uid: str, column: str) -> list[float | None]:
    """Return the edges of the colours of a column on a board."""
    (found,) = (
        one["value"]["steps"]
        for panel in BY_UID[uid]["panels"]
        for override in panel.get("fieldConfig", {}).get("overrides", [])
        if override["matcher"]["options"] == column
        for one in override["properties"]
        if one["id"] == "thresholds"
    )
    return [step["value"] for step in found]
