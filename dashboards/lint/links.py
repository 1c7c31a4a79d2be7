"""Every panel leads on, every page leads up, and all of it arrives."""

import re

from dashboards.lint.board import Board, Json, Rule, Said, properties
from dashboards.page import OTHER_ICON, UP_ICON

TARGET = re.compile(r"/d/([^?]*)")
TIME = "${__url_time_range}"


def leads_on(board: Board) -> Said:
    """A panel leads to the next level, by its heading or by its values."""
    for panel in board.panels:
        if not _urls(panel):
            yield panel["title"], "leads nowhere"


def leads_up(board: Board) -> Said:
    """A page below the wall leads to the page above it."""
    links = board.json.get("links", [])
    if "l0" not in board.json["tags"] and not any(link["icon"] == UP_ICON for link in links):
        yield "", "does not lead up"


def arrives(board: Board) -> Said:
    """Every page that a link names is there, in the same language."""
    for panel in board.panels:
        for url in _urls(panel):
            named = TARGET.match(url)
            if named is None:
                yield panel["title"], f"leads off the dashboards: {url}"
            elif not named[1].startswith("${"):
                yield from _missing(board, panel["title"], named[1], same=True)
    for link in board.json.get("links", []):
        if link["type"] == "link":
            named = TARGET.match(link["url"])
            same = link["icon"] != OTHER_ICON
            yield from _missing(board, "", named[1] if named else "", same=same)


def keeps_time(board: Board) -> Said:
    """A link keeps the chosen time, and the variables unless it chooses itself."""
    for panel in board.panels:
        for url in _urls(panel):
            if TIME not in url:
                yield panel["title"], f"loses the chosen time: {url}"
            if "${__all_variables}" not in url and "var-" not in url:
                yield panel["title"], f"loses the variables: {url}"
    for link in board.json.get("links", []):
        if not (link.get("keepTime") and link.get("includeVars")):
            yield "", f"link {link['title']} loses time or variables"


def _missing(board: Board, where: str, uid: str, *, same: bool) -> Said:
    if uid not in board.others:
        yield where, f"leads to {uid}, which is not there"
    elif same and uid.endswith("-en") != board.uid.endswith("-en"):
        yield where, f"leads into the other language: {uid}"


def _urls(panel: Json) -> list[str]:
    links = [*panel.get("links", []), *panel["fieldConfig"]["defaults"].get("links", [])]
    links += [link for shown in properties(panel, "links") for link in shown]
    return [link["url"] for link in links]


LINKS: dict[str, Rule] = {
    "leads-on": leads_on,
    "leads-up": leads_up,
    "arrives": arrives,
    "keeps-time": keeps_time,
}
