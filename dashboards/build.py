"""All dashboards and provisioning files, and a folder that holds them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.headline import in_screen_order
from catalog.lifecycle.registry import records
from catalog.registry import systems
from dashboards.alerting import alerting
from dashboards.boards.alerts import alerts_page
from dashboards.boards.district import district_page
from dashboards.boards.domain import domain_page
from dashboards.boards.forecast import forecast_page
from dashboards.boards.platform import platform_page
from dashboards.boards.quality import quality_page
from dashboards.boards.record import record_page
from dashboards.boards.sensor import sensor_page
from dashboards.boards.stream import stream_page
from dashboards.boards.wall import wall_page
from dashboards.organisation import playlists, preferences
from dashboards.page import TAG, Page
from dashboards.site_files import Place, as_yaml, provisioning_files
from dashboards.texts import LANGUAGES, Lang

OURS = f"dashboards/*/{TAG}-*.json"
SINGLE: tuple[Callable[[Lang], Page], ...] = (
    wall_page,
    alerts_page,
    quality_page,
    forecast_page,
    platform_page,
    district_page,
    sensor_page,
)


def pages(lang: Lang) -> list[Page]:
    """Return every page in one language, the wall first."""
    used = {stream.domain for stream in in_screen_order()}
    found = [make(lang) for make in SINGLE]
    found[1:1] = [domain_page(name, lang) for name in systems() if name in used]
    found += [record_page(record, lang) for record in records().values()]
    return found + [stream_page(stream, lang) for stream in in_screen_order()]


def dashboards() -> dict[str, dict[str, Any]]:
    """Return every dashboard's JSON by file name."""
    return {
        f"dashboards/{lang}/{page.uid}.json": page.build()
        for lang in LANGUAGES
        for page in pages(lang)
    }


def files() -> dict[str, str]:
    """Return every file's text by its name in the folder."""
    boards = {name: as_text(board) for name, board in dashboards().items()}
    rules = {name: as_yaml(content) for name, content in alerting(Place().console).items()}
    sent = {"api/preferences.json": preferences(), "api/playlists.json": playlists()}
    over_http = {name: as_text(content) for name, content in sent.items()}
    return boards | provisioning_files(Place()) | rules | over_http


def as_text(board: Any) -> str:
    """Return JSON as it is written: sorted keys, Chinese as it is."""
    return json.dumps(board, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write(folder: Path) -> list[str]:
    """Write the files that differ, remove dashboards that nobody builds; return their names."""
    fresh = files()
    changed = stale(folder, fresh)
    for name in changed:
        path = folder / name
        if name in fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fresh[name])
        else:
            path.unlink()
    return changed


def stale(folder: Path, fresh: dict[str, str]) -> list[str]:
    """Return the names whose text in the folder differs from ``fresh``, missing ones too.

    Of what nobody builds only dashboards of ours count: the folder may hold other things.
    """
    left_over = {str(path.relative_to(folder)) for path in folder.glob(OURS)} - fresh.keys()
    differ = {name for name, text in fresh.items() if _text(folder / name) != text}
    return sorted(differ | left_over)


def _text(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None
