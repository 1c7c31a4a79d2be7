"""The scores as text, as JSON and as the page docs/truth.md, what is bad said first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from verify.truth.forecasts import bad as bad_forecasts
from verify.truth.labelled import ALL, Found
from verify.truth.score import Doubt, Score

FALSE_PER_DAY, HEALTH_PER_MONTH, SUSPECT_SHARE, RECALL = 0.1, 1.0, 0.02, 0.8
"""The bars: beyond them a figure is said first."""

HEAD = """# Truth: how good the detectors are

Written by `python -m verify truth --write docs/truth.md`; nothing here is typed by hand. The engine
that runs in the city works off each labelled file from its beginning, knowing nothing before it. A
window of a label is *seen* when some episode was open within it; an episode that overlaps no window
is *false*. Hours and days of the week are those of the place where the data was taken.

Data of your own: [scoring.md](scoring.md).
"""


@dataclass
class Report:
    """All that one run of the command has scored."""

    files: list[Found] = field(default_factory=list)
    city: list[dict[str, Any]] = field(default_factory=list)
    forecasts: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain dicts and lists."""
        return {
            "labelled": [
                {
                    "title": f.title,
                    "detectors": [s.row() for s in f.scores],
                    "quality": [d.row() for d in f.doubts],
                    "refused_rows": f.refused,
                    "rule_errors": f.failures[:10],
                }
                for f in self.files
            ],
            "city": self.city,
            "forecasts": self.forecasts,
            "warnings": self.warnings,
        }

    def text(self) -> str:
        """Return everything as Markdown, which a terminal shows well enough."""
        parts: list[str] = []
        if bad := list(self.bad()):
            parts += ["## What is bad\n", *(f"- {words}" for words in bad), ""]
        detectors = [(f, s) for f in self.files for s in _told(f.scores)]
        if detectors:
            parts += ["## Detectors\n", *table(_detector_rows(detectors)), ""]
        if doubts := [(f, d) for f in self.files for d in f.doubts]:
            parts += ["## Quality on sound data\n", *table(_doubt_rows(doubts)), ""]
        if self.city:
            parts += ["## The simulated city\n", *table(self.city), ""]
        if self.forecasts:
            parts += ["## Forecasts\n", *table(self.forecasts), ""]
        if self.warnings:
            words = "Of the hour above what a tenth of the hours before lay above, 6 h ahead.\n"
            parts += ["## Early warnings\n", words, *table(self.warnings), ""]
        return "\n".join(parts)

    def page(self) -> str:
        """Return the page."""
        return f"{HEAD}\n{self.text().rstrip()}\n"

    def bad(self) -> Iterator[str]:
        """Yield what misses its bar, in words."""
        for found in self.files:
            for s in _told(found.scores):
                yield from _bad_score(found, s)
            for d in found.doubts:
                if d.health_per_month > HEALTH_PER_MONTH:
                    yield (
                        f"{found.title}, {d.data}: a sensor is called unwell"
                        f" {d.health_per_month:.1f} times a month"
                    )
                if d.quality.suspect_share > SUSPECT_SHARE:
                    tests = ", ".join(f"{t} {n}" for t, n in d.quality.tests[:3])
                    yield (
                        f"{found.title}, {d.data}: {d.quality.suspect_share:.1%} of sound values"
                        f" are doubted ({tests})"
                    )
            if found.failures:
                yield f"{found.title}: rule code failed, {found.failures[0]}"
        for row in self.city:
            if isinstance(row.get("recall"), float) and row["recall"] < 0.95:
                yield f"simulated city: {row['what']} recall {row['recall']:.2f}"
            if isinstance(row.get("precision"), float) and row["precision"] < 0.95:
                yield f"simulated city: {row['what']} precision {row['precision']:.2f}"
        yield from bad_forecasts(self.forecasts)


def _bad_score(found: Found, s: Score) -> Iterator[str]:
    where = f"{found.title}{'' if s.data == ALL else f', {s.data}'}"
    if s.detector == "threshold":
        return
    if s.windows and s.seen < RECALL * s.windows:
        yield f"{where}: {s.detector} saw {s.seen} of {s.windows} labelled windows"
    if s.false_per_day > FALSE_PER_DAY:
        yield f"{where}: {s.detector} raised {s.false_per_day:.2f} false episodes a sensor and day"


def _told(scores: Sequence[Score]) -> list[Score]:
    """Return scores worth a row: each file's, and all together."""
    return [s for s in scores if s.windows or s.episodes or s.detector != "threshold"]


def _detector_rows(scores: Iterable[tuple[Found, Score]]) -> Iterator[dict[str, Any]]:
    for found, s in scores:
        yield {
            "data": f"{found.title}: {s.data}",
            "detector": s.detector,
            "sensor-days": round(s.sensor_days),
            "seen": f"{s.seen} of {s.windows}" if s.windows else None,
            "precision": s.precision,
            "delay h": None if s.delay_h is None else round(s.delay_h, 1),
            "episodes": s.episodes,
            "false": s.false,
            "false a sensor-day": s.false_per_day,
            "episodes a sensor-month": round(s.per_month, 1),
        }


def _doubt_rows(doubts: Iterable[tuple[Found, Doubt]]) -> Iterator[dict[str, Any]]:
    for found, d in doubts:
        yield {
            "data": f"{found.title}: {d.data}",
            "sensors": d.sensors,
            "values": d.quality.values,
            "suspect or failed": f"{d.quality.suspect_share:.2%}",
            "failed": f"{d.quality.failed / max(1, d.quality.values):.2%}",
            "by test": ", ".join(f"{t} {n}" for t, n in d.quality.tests[:4]) or None,
            "unwell a sensor-month": round(d.health_per_month, 2),
        }


def table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a Markdown table; numbers to the right, nothing as a dash."""
    rows = list(rows)
    heads = list(rows[0])
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "".join("---:|" if _is_number(rows, head) else "---|" for head in heads)
    for row in rows:
        yield "| " + " | ".join(_cell(row.get(head)) for head in heads) + " |"


def _is_number(rows: list[dict[str, Any]], head: str) -> bool:
    return all(not isinstance(row.get(head), str) for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
