"""Compared days and districts as sentences and table rows: differences in words and units."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from catalog.model import Stream
from catalog.site import zone
from console.comparison import DEGREES, Course, Figures, Ranked, figures, same_hours, share, trend
from console.marks import number, shown_unit
from console.texts import Words


class Measure:
    """Numbers of one quantity as people read them, in its unit and decimals."""

    def __init__(self, words: Words, stream: Stream, metric: str) -> None:
        quantity = stream.quantity(metric)
        self.words, self.unit, self.decimals = words, quantity.unit, quantity.decimals

    def cell(self, value: float | None) -> Any:
        """Return a number cell."""
        return number(self.words, value, self.unit, self.decimals)

    def change(self, now: float, before: float) -> Any:
        """Return a difference as a number cell with its sign, a zero without."""
        cell = self.cell(now - before)
        sign = "+" if float(cell["text"]) > 0 else ""
        text = cell["text"].lstrip("-") if not float(cell["text"]) else cell["text"]
        return cell | {"text": f"{sign}{text}".replace("-", "−")}

    def text(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{value:.{self.decimals or 0}f} {shown_unit(self.unit)}".strip()

    def at(self, value: float, at: datetime) -> str:
        """Return a value with its time of day."""
        clock = at.astimezone(zone()).strftime("%H:%M")
        return self.words("compare.at", value=self.text(value), time=clock)


def sentence(measure: Measure, day: date, other: date, now: Course, before: Course) -> str:
    """Say how a day's mean differs from another day's, over the hours that both have."""
    words, named = measure.words, {"day": day.isoformat(), "other": other.isoformat()}
    if measure.unit == DEGREES:
        return words("compare.direction")
    ours, theirs = same_hours(now, before)
    one, two = figures(ours), figures(theirs)
    if one is None or two is None:
        return words("compare.none", **named)
    by = measure.text(abs(one.mean - two.mean))
    said = words(f"compare.{trend(one, two)}", now=measure.text(one.mean), by=by, **named)
    percent = share(measure.unit, one.mean, two.mean)
    if percent is not None and trend(one, two) != "same":
        said += words("compare.share", share=f"{percent:+.0f}".replace("-", "−"))
    return said + words("compare.hours", count=len(ours.steps))


def day_rows(measure: Measure, now: Course, before: Course) -> list[dict[str, Any]]:
    """Return mean, highest and lowest of both days over common hours, with the differences."""
    one, two = (figures(c) for c in same_hours(now, before))
    if one is None or two is None or measure.unit == DEGREES:
        return []
    shown = [
        ("mean", measure.text(one.mean), measure.text(two.mean), one.mean, two.mean),
        ("high", *(measure.at(f.high, f.high_at) for f in (one, two)), one.high, two.high),
        ("low", *(measure.at(f.low, f.low_at) for f in (one, two)), one.low, two.low),
    ]
    return [
        {
            "id": name,
            "what": measure.words(f"compare.{name}"),
            "day": ours,
            "other": theirs,
            "difference": measure.change(value, old),
        }
        for name, ours, theirs, value, old in shown
    ]


def district_rows(measure: Measure, ranked: Sequence[Ranked]) -> list[dict[str, Any]]:
    """Return districts by place, each with its figures and what the other day had."""
    return [
        {
            "id": r.name,
            "place": {"text": str(r.place), "unit": "", "sort": r.place},
            "district": r.name,
            "mean": measure.cell(r.now.mean),
            "high": measure.cell(r.now.high),
            "low": measure.cell(r.now.low),
            **_against(measure, r.common),
        }
        for r in ranked
    ]


def _against(measure: Measure, common: tuple[Figures, Figures] | None) -> dict[str, Any]:
    if common is None:
        return {"other": None, "difference": None}
    ours, theirs = (f.mean for f in common)
    return {"other": measure.cell(theirs), "difference": measure.change(ours, theirs)}
