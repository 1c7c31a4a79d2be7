"""The report's two small charts as SVG, drawn in millimetres so that print and screen agree."""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from catalog.model import Severity
from catalog.severity import LEVELS
from dashboards.looks import Steps
from dashboards.report.day import STEP, Point

Size = tuple[float, float]
INK, FAINT, AHEAD = "#33424E", "#C9D1D7", "#EDF0F2"
DAY_H = 24.0
GAP_H = 2.5 * STEP.total_seconds() / 3600
"""Longer without a value and the line breaks: what is not known is not drawn."""


def sparkline(points: Sequence[Point], limits: Steps, size: Size) -> Markup:
    """Return a day's line with dashed limits that lie within its range; empty without points."""
    width, height = size
    if not points:
        return Markup("")
    low, high = _range([value for _, value in points])

    def place(hour: float, value: float) -> str:
        y = height - (value - low) / (high - low) * (height - 0.6) - 0.3
        return f"{hour / DAY_H * width:.2f} {y:.2f}"

    drawn = [
        f'<line x1="{h / DAY_H * width:.2f}" x2="{h / DAY_H * width:.2f}" y1="0" y2="{height}"'
        f' stroke="{FAINT}" stroke-width="0.1"/>'
        for h in (6, 12, 18)
    ]
    for limit, colour in limits:
        if limit is not None and low <= limit <= high:
            y = place(0, limit).split()[1]
            drawn.append(
                f'<line x1="0" x2="{width}" y1="{y}" y2="{y}" stroke="{colour}"'
                ' stroke-width="0.3" stroke-dasharray="1 0.7"/>'
            )
    path = " ".join(
        " L ".join(place(*point) for point in part).join(("M ", "")) for part in _unbroken(points)
    )
    drawn.append(
        f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="0.3"'
        ' stroke-linejoin="round" stroke-linecap="round"/>'
    )
    return _svg(size, drawn)


def hours(
    counts: dict[Severity, list[int]], size: Size, label: str, until: float = DAY_H
) -> Markup:
    """Return stacked bars of alerts per hour, the worst level at the bottom.

    Hours after ``until`` are shaded: nothing is known of them yet.
    """
    width, height = size
    left, base, top = 6.0, height - 4.0, 2.0
    most = max(1, max(sum(column) for column in zip(*counts.values(), strict=True)))
    step = (width - left) / 24
    drawn = []
    if until < DAY_H:
        drawn.append(
            f'<rect x="{left + until * step:.2f}" y="{top}" width="{(DAY_H - until) * step:.2f}"'
            f' height="{base - top}" fill="{AHEAD}"/>'
        )
    drawn += [
        _text(left - 1, top + 1.2, str(most), "end"),
        _text(left - 1, base, "0", "end"),
        f'<line x1="{left}" x2="{width}" y1="{base}" y2="{base}" stroke="{INK}"'
        ' stroke-width="0.15"/>',
        f'<line x1="{left}" x2="{width}" y1="{top}" y2="{top}" stroke="{FAINT}"'
        ' stroke-width="0.15"/>',
    ]
    for hour in range(24):
        y = base
        for severity in sorted(counts):
            tall = counts[severity][hour] / most * (base - top)
            y -= tall
            if tall:
                drawn.append(
                    f'<rect x="{left + hour * step + step * 0.15:.2f}" y="{y:.2f}"'
                    f' width="{step * 0.7:.2f}" height="{tall:.2f}"'
                    f' fill="{LEVELS[severity].colour}"/>'
                )
    drawn += [_text(left + h * step, height - 0.6, f"{h:02d}", "start") for h in range(0, 24, 6)]
    drawn.append(_text(width, height - 0.6, "24", "end"))
    return _svg(size, drawn, label)


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return low - pad, high + pad


def _unbroken(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points in runs without a gap."""
    runs = [[points[0]]]
    for earlier, later in pairwise(points):
        if later[0] - earlier[0] > GAP_H:
            runs.append([])
        runs[-1].append(later)
    return runs


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="2.4" fill="#5B6B77"'
        f' text-anchor="{anchor}">{text}</text>'
    )


def _svg(size: Size, drawn: list[str], label: str = "") -> Markup:
    width, height = size
    said = f' role="img" aria-label="{Markup.escape(label)}"' if label else ' aria-hidden="true"'
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}mm" height="{height}mm"{said}>{"".join(drawn)}</svg>'
    )
