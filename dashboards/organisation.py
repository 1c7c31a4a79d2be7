"""What Grafana keeps in its own database and takes only over HTTP: preferences, playlists, rights.

``build`` writes them under ``api/``, so that a reader sees what ``push`` would send.
"""

from typing import Any

from catalog.headline import in_screen_order
from catalog.model import text
from catalog.registry import systems
from catalog.site import site
from dashboards.page import uid
from dashboards.site_files import FOLDERS
from dashboards.texts import LANGUAGES, Lang, pick

Json = dict[str, Any]
VIEW = 1
TURN_EVERY = "30s"
PLAYLIST = text("视频墙轮播", "Video wall")
LOCALES: dict[Lang, str] = {"zh": "zh-Hans", "en": "en-US"}


def preferences(lang: Lang = "zh") -> Json:
    """Return the organisation's preferences: dark, Chinese, local time, the wall as home."""
    return {
        "theme": "dark",
        "homeDashboardUID": uid("wall", "", lang),
        "timezone": site().zone,
        "weekStart": "monday",
        "language": LOCALES[lang],
    }


def playlists() -> list[Json]:
    """Return the pages that a video wall turns through, the city first, one list per language.

    Turning pages also keep a wall that never sleeps from burning in.
    """
    return [
        {
            "uid": uid("playlist", "", lang),
            "name": f"{pick(PLAYLIST, lang)} ({lang})",
            "interval": TURN_EVERY,
            "items": [{"type": "dashboard_by_uid", "value": page} for page in _turned(lang)],
        }
        for lang in LANGUAGES
    ]


def permissions() -> Json:
    """Return who may do what in our folders: everybody looks, files alone change."""
    roles = ("Viewer", "Editor")
    return {"items": [{"role": role, "permission": VIEW} for role in roles]}


def folders() -> list[Json]:
    """Return the folders with their fixed uids."""
    return [{"uid": name, "title": pick(title, lang)} for lang, (name, title) in _folders()]


def _folders() -> list[tuple[Lang, tuple[str, Any]]]:
    return [(lang, FOLDERS[lang]) for lang in LANGUAGES]


def _turned(lang: Lang) -> list[str]:
    used = {stream.domain for stream in in_screen_order()}
    domains = [uid("domain", name, lang) for name in systems() if name in used]
    return [uid("wall", "", lang), *domains, uid("alerts", "", lang)]
