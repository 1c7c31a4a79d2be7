"""Ask a running Grafana whether it shows what it should: every page, every panel's data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dashboards.alerting import WATCHES, rule_uid
from dashboards.build import pages
from dashboards.expand import PanelQuery, View, panel_queries
from dashboards.grafana import OLDEST, Grafana, GrafanaError
from dashboards.organisation import permissions, playlists, preferences
from dashboards.query import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.site_files import FOLDERS
from dashboards.texts import LANGUAGES, Lang

Json = dict[str, Any]
FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: what, and what is wrong with it; nothing is wrong when ``wrong`` is empty.

    ``skipped``: this account may not look, so nothing is known.
    """

    what: str
    wrong: str = ""
    skipped: bool = False


def verify(
    grafana: Grafana,
    view: View,
    *,
    languages: tuple[Lang, ...] = LANGUAGES,
    only: str = "*",
    now: Callable[[], float],
) -> Iterator[Checked]:
    """Yield one check after the other; a Grafana that is away ends them with GrafanaError.

    ``only``: uids of the pages to look at, as a pattern of the shell.
    """
    version = grafana.version()
    old = "" if version >= OLDEST else "older than 10.1"
    yield Checked(f"Grafana {version[0]}.{version[1]}", old)
    yield _checked("data source", lambda: grafana.datasource_health(DATASOURCE_UID))
    for lang in languages:
        yield _checked(f"folder {FOLDERS[lang][0]}", lambda lang=lang: _rights(grafana, lang))
        for page in (page for page in pages(lang) if fnmatchcase(page.uid, only)):
            yield from _page(grafana, page.build(), FOLDERS[lang][0], view, now)
    yield _checked("alert rules", lambda: _there(grafana.alert_rules(), map(rule_uid, WATCHES)))
    wanted = (one["name"] for one in playlists())
    yield _checked("playlists", lambda: _there(grafana.playlists(), wanted))
    yield _checked("preferences", lambda: _preferences(grafana))


def _page(
    grafana: Grafana, board: Json, folder: str, view: View, now: Callable[[], float]
) -> Iterator[Checked]:
    uid = board["uid"]
    there = grafana.dashboard(uid)
    if there is None:
        yield Checked(uid, "is not there: run push, or look at the provisioning folder")
        return
    yield Checked(uid, _differs(board, there, folder))
    for query in panel_queries(board, view):
        begun = now()
        wrong = _run(grafana, query, view)
        took_ms = (now() - begun) * 1000
        yield Checked(f"{uid} / {query.panel} ({took_ms:.0f} ms)", wrong)


def _differs(board: Json, there: Json, folder: str) -> str:
    shown = there["dashboard"]
    if there["meta"].get("folderUid") != folder:
        return f"lies in folder {there['meta'].get('folderUid')!r}, not {folder}"
    ours, theirs = (_asked(one) for one in (board, shown))
    return "" if ours == theirs else "shows other panels or queries than the files: run push"


def _asked(board: Json) -> dict[int, list[str]]:
    """Return the SQL of each panel: what a migration by a newer Grafana leaves as it is."""
    return {
        panel["id"]: [target.get("rawSql", "") for target in panel.get("targets", [])]
        for panel in board.get("panels", [])
    }


def _run(grafana: Grafana, query: PanelQuery, view: View) -> str:
    asked: Json = {
        "refId": query.ref,
        "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
        "format": query.form,
        "rawQuery": True,
        "rawSql": query.sent,
        "intervalMs": query.step_ms,
        "maxDataPoints": query.points,
    }
    start, end = (round(moment.timestamp() * 1000) for moment in (view.start, view.end))
    try:
        results = grafana.query([asked], start, end)
    except GrafanaError as error:
        return str(error)
    answer = results.get(query.ref)
    if answer is None:
        return f"no answer to query {query.ref}"
    return str(answer.get("error") or "") or _notices(answer)


def _notices(answer: Json) -> str:
    """Return the first warning that Grafana adds to a frame, such as a row limit reached."""
    for frame in answer.get("frames") or []:
        for notice in (frame.get("schema", {}).get("meta") or {}).get("notices") or []:
            if notice.get("severity") in ("warning", "error", 1, 2):
                return str(notice.get("text"))
    return ""


def _rights(grafana: Grafana, lang: Lang) -> None:
    """Raise when a role may do more, or less, than look."""
    found = {one.get("role"): one["permission"] for one in grafana.permitted(FOLDERS[lang][0])}
    for one in permissions()["items"]:
        if found.get(one["role"]) != one["permission"]:
            raise GrafanaError(f"{one['role']} has permission {found.get(one['role'])}: run push")


def _preferences(grafana: Grafana) -> None:
    found = grafana.preferences()
    allowed = [preferences(lang) for lang in LANGUAGES]
    if all({k: found.get(k) for k in one} != one for one in allowed):
        raise GrafanaError(f"are {found}: run push")


def _there(found: list[str], wanted: Any) -> None:
    if missing := sorted(set(wanted) - set(found)):
        raise GrafanaError(f"missing: {', '.join(missing)}")


def _checked(what: str, act: Callable[[], object]) -> Checked:
    try:
        act()
    except GrafanaError as error:
        if error.status == 0 and "cannot reach" in str(error):
            raise
        return Checked(what, str(error), skipped=error.status == FORBIDDEN)
    return Checked(what)
