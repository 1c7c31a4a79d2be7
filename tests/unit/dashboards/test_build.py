"""The dashboards are what the catalog says, and two of them stay what they are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from catalog.registry import streams
from dashboards.build import as_text, dashboards, files, stale, write
from dashboards.page import UID_LIMIT, panel_id, uid
from dashboards.query import jsonable
from dashboards.texts import LANGUAGES, TEXTS
from tests.support.boards import BOARDS, BY_UID

PINNED = Path(__file__).parent / "pinned"


@pytest.mark.parametrize("name", ["zh/cityops-platform", "en/cityops-sensor-en"])
def test_a_small_board_is_what_was_last_agreed_on(name: str) -> None:
    """After a wanted change: `make dashboards OUT=/tmp/boards`, copy the two files here."""
    pinned = PINNED / f"{Path(name).name}.json"
    assert without_streams(as_text(BOARDS[f"dashboards/{name}.json"])) == pinned.read_text()


def without_streams(board: str) -> str:
    """Return a board with no list of streams in it: a new stream is no change of the board."""
    return re.sub(r"\(VALUES \('\w+', 'cityops-stream-[^\n]*?\)\) p", "(VALUES …) p", board)


def test_a_build_is_the_same_every_time() -> None:
    assert dashboards() == BOARDS


def test_write_mends_changed_missing_and_left_over_files(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "dashboards/notes.json").write_text("somebody else's")
    wall = tmp_path / "dashboards/zh/cityops-wall.json"
    wall.write_text("{}")
    (tmp_path / "dashboards/zh/cityops-old.json").write_text("{}")
    (tmp_path / "dashboards/en/cityops-wall-en.json").unlink()
    assert write(tmp_path) == [
        "dashboards/en/cityops-wall-en.json",
        "dashboards/zh/cityops-old.json",
        "dashboards/zh/cityops-wall.json",
    ]
    assert stale(tmp_path, files()) == []
    assert (tmp_path / "dashboards/notes.json").read_text() == "somebody else's"


@pytest.mark.parametrize("name", sorted(name for name in BOARDS if "/zh/" in name))
def test_the_sdks_models_read_a_board_and_write_all_of_it_again(name: str) -> None:
    register_default_plugins()
    board = BOARDS[name]
    again = jsonable(Dashboard.from_json(board))
    assert list(_lost(board, again)) == []


def _lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield what is in our JSON and not, or not the same, in theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from _lost(value, theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from _lost(one, other, f"{path}[]")
    elif ours != theirs:
        yield f"{path}: {ours!r} became {theirs!r}"


def test_every_stream_and_level_has_its_page_in_both_languages() -> None:
    built = BY_UID.keys()
    for lang in LANGUAGES:
        assert {uid("stream", name, lang) for name in streams()} <= built
        kinds = ("wall", "alerts", "quality", "platform", "district", "sensor")
        assert {uid(kind, "", lang) for kind in kinds} <= built


def test_long_names_keep_their_uid_short_and_apart() -> None:
    made = {uid("stream", "a" * 39 + letter, "en") for letter in "xyz"}
    assert len(made) == 3
    assert all(len(one) <= UID_LIMIT and one.endswith("-en") for one in made)


def test_panel_ids_do_not_depend_on_order() -> None:
    assert panel_id("wall/clock") == 652346
    assert panel_id("wall/clock") != panel_id("wall/map")


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_every_text_is_there_in_both_languages(key: str) -> None:
    assert TEXTS[key].zh.strip()
    assert TEXTS[key].en.strip()


def test_english_pages_hold_no_chinese_but_names_of_places() -> None:
    board = BOARDS["dashboards/en/cityops-platform-en.json"]
    text = json.dumps({**board, "links": []}, ensure_ascii=False)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in text)
