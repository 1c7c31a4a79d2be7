"""Score detectors on labelled files: each file by itself, and all files of a map together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import FatalError
from verify.truth.maps import load
from verify.truth.play import Heard, of_kind, play, quality
from verify.truth.score import Doubt, Score, added, score
from verify.truth.series import Series, files_of, read
from verify.truth.together import JOINT, joint_episodes

DETECTORS = ("unusual", "threshold")
"""Kinds of rules of one sensor that are held against labels; health is held against sound data."""
ALL = "all"


@dataclass
class Found:
    """Scores of one map's files."""

    title: str
    is_labelled: bool
    scores: list[Score] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    refused: int = 0
    failures: list[str] = field(default_factory=list)


def score_map(path: Path, data: Path, say: Callable[[str], None] = lambda _: None) -> Found:
    """Return the scores of a truth map; ``FatalError`` when it finds no file."""
    declared = load(path)
    files = files_of(declared, path, data)
    if not files:
        words = f"{path.name}: no file {', '.join(declared.files)} in {data} or beside the map"
        raise FatalError(words, code="truth_data", stage="receiving")
    found = Found(declared.title, declared.labels is not None)
    for file in files:
        say(file.name)
        series = read(declared, path, file, data)
        _add(found, series, play(series))
        if declared.joint is not None:
            _add_joint(found, series, declared.joint.spreads)
    if len(files) > 1:
        found.scores += list(_together(found.scores))
    return found


def _add(found: Found, series: Series, heard: Heard) -> None:
    sensors, days = len(series.sensors), series.sensor_days
    kinds = {rule.kind for rule in series.stream.rules}
    for kind in (k for k in DETECTORS if k in kinds):
        episodes = of_kind(heard.episodes, kind)
        found.scores.append(score(kind, series.name, sensors, days, series.windows, episodes))
    health = [e for e in of_kind(heard.episodes, "health") if not _within(e.raised, series)]
    found.doubts.append(Doubt(series.name, sensors, days, quality(series, heard), len(health)))
    found.refused += series.refused
    found.failures += heard.failures


def _add_joint(found: Found, series: Series, spreads: float) -> None:
    days = float(series.at[-1] - series.at[0]) / 86_400e6
    episodes = joint_episodes(series, spreads)
    found.scores.append(score(JOINT, series.name, 1, days, series.windows, episodes))


def _within(at: int, series: Series) -> bool:
    return any(begin <= at <= end for begin, end in series.windows)


def _together(scores: Sequence[Score]) -> Iterator[Score]:
    for kind in dict.fromkeys(s.detector for s in scores):
        yield added(kind, ALL, [s for s in scores if s.detector == kind])
