"""What every dashboard must keep to, checked on the JSON that Grafana will load.

A rule takes one dashboard among all of them and says what is wrong with it. What breaks a rule for
a good reason is named, with the reason, in ``excluded``; an exclusion that excludes nothing is
itself a finding.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from dashboards.lint.board import Board, Finding
from dashboards.lint.excluded import EXCLUDED
from dashboards.lint.layout import LAYOUT
from dashboards.lint.links import LINKS
from dashboards.lint.meaning import MEANING
from dashboards.lint.model import MODEL
from dashboards.lint.pictures import PICTURES
from dashboards.lint.provisioned import PROVISIONED, lint_files
from dashboards.lint.queries import QUERIES

__all__ = ["PROVISIONED", "RULES", "lint", "lint_files"]

RULES = {**LAYOUT, **MEANING, **QUERIES, **LINKS, **MODEL, **PICTURES}


def lint(boards: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return what is wrong with dashboards (JSON by file name), exclusions taken off."""
    found = list(_all(boards))
    used = {n for n, one in enumerate(EXCLUDED) for f in found if _covers(one, f)}
    left = [f for f in found if not any(_covers(one, f) for one in EXCLUDED)]
    idle = [
        Finding("exclusion", one.board, one.panel, f"{one.rule} excludes nothing: remove it")
        for n, one in enumerate(EXCLUDED)
        if n not in used
    ]
    return left + idle


def _all(boards: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    by_uid = {str(board.get("uid")): board for board in boards.values()}
    for json in boards.values():
        board = Board(json, by_uid)
        for name, rule in RULES.items():
            for panel, detail in rule(board):
                yield Finding(name, board.uid, panel, detail)


def _covers(exclusion: Any, finding: Finding) -> bool:
    return (
        exclusion.rule == finding.rule
        and fnmatchcase(finding.board, exclusion.board)
        and fnmatchcase(finding.panel, exclusion.panel)
    )
