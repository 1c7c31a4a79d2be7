"""Bring a running Grafana to what the files say, over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dashboards.build import pages
from dashboards.grafana import OLDEST, Grafana, GrafanaError
from dashboards.organisation import folders, permissions, playlists, preferences
from dashboards.site_files import FOLDERS
from dashboards.texts import LANGUAGES, Lang

PROVISIONING = ("datasources", "dashboards", "alerting")
FROM_FILE = "provisioned"
COUNTED = ("id", "version")
VIEWER = "wall"
"""The account of a video wall: nobody looks without one."""


@dataclass(slots=True)
class Pushed:
    """What was done: dashboards saved, left as they were, left to their files, what was skipped."""

    saved: int = 0
    same: int = 0
    from_files: int = 0
    skipped: list[str] = field(default_factory=list)


def push(
    grafana: Grafana,
    *,
    lang: Lang = "zh",
    viewer: str = "",
    tell: Callable[[str], None] = lambda _: None,
) -> Pushed:
    """Make folders, rights, dashboards, playlists and preferences; read files anew.

    ``viewer``: password of the account that a video wall logs in with, made when missing.
    Dashboards that Grafana has from files are left to the files. Raises GrafanaError.
    """
    version = grafana.version()
    if version < OLDEST:
        raise GrafanaError(f"Grafana {version[0]}.{version[1]} is older than 10.1")
    done = Pushed()
    for kind in PROVISIONING:
        _if_allowed(done, f"reload of {kind}", lambda kind=kind: grafana.reload(kind))
    for folder in folders():
        grafana.ensure_folder(folder["uid"], folder["title"])
        grafana.permit(folder["uid"], permissions())
    tell(f"{len(folders())} folders: viewers look, files change")
    for one in LANGUAGES:
        for page in pages(one):
            _save(grafana, done, page.build(), FOLDERS[one][0])
    tell(
        f"{done.saved} dashboards saved, {done.same} were there already,"
        f" {done.from_files} come from files"
    )
    for playlist in playlists():
        grafana.put_playlist(playlist)
    grafana.put_preferences(preferences(lang))
    tell(f"{len(playlists())} playlists, preferences of the organisation")
    if viewer:
        _if_allowed(done, f"account {VIEWER}", lambda: _viewer(grafana, viewer, tell))
    return done


def _viewer(grafana: Grafana, password: str, tell: Callable[[str], None]) -> None:
    made = grafana.ensure_viewer(VIEWER, password)
    tell(f"account {VIEWER}, which may only look, {'was made' if made else 'is there'}")


def _save(grafana: Grafana, done: Pushed, board: dict[str, Any], folder: str) -> None:
    there = grafana.dashboard(board["uid"])
    if there and there["meta"].get("provisioned"):
        done.from_files += 1
        return
    if there and there["meta"].get("folderUid") == folder and _plain(there["dashboard"]) == board:
        done.same += 1
        return
    try:
        grafana.put_dashboard(board, folder)
    except GrafanaError as error:
        if error.status != 400 or FROM_FILE not in str(error).lower():
            raise
        done.from_files += 1
    else:
        done.saved += 1


def _plain(board: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard without what Grafana counts by itself."""
    return {key: value for key, value in board.items() if key not in COUNTED}


def _if_allowed(done: Pushed, what: str, act: Callable[[], None]) -> None:
    """Do what needs the administrator's password; note it when a token is not enough."""
    try:
        act()
    except GrafanaError as error:
        if error.status not in (401, 403):
            raise
        done.skipped.append(f"{what}: needs the administrator's password")
