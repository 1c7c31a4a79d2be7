"""The city's day as an SVG picture: small charts of daily curves, one hour grid for all."""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import pairwise

import numpy as np

from catalog.model import Stream
from catalog.registry import stream
from catalog.site import zone
from simulators.core.calendar import DAY_S
from simulators.core.chance import Floats
from simulators.core.city import City
from simulators.default import StreamSimulator

WIDTH, HEIGHT, COLUMNS = 330, 150, 3
LEFT, TOP, RIGHT, BOTTOM = 44, 34, 12, 22
POINTS = 144
INK, GRID, LINE, BAND = "#3b4754", "#dfe5ea", "#1f6f9f", "#b9d6e6"
LEGEND = "均值，5–95 % 测点带 · mean, band of 5–95 % of the sensors"
PANELS = (
    ("weather", "temp_c"),
    ("weather", "radiation_w_m2"),
    ("weather", "rain_mm"),
    ("traffic_flow", "flow_veh_h"),
    ("traffic_link", "speed_ratio"),
    ("noise", "leq_db"),
    ("air_quality", "no2"),
    ("air_quality", "o3"),
    ("air_quality", "pm25"),
    ("feeder", "p_mw"),
    ("transformer", "oil_temp_c"),
    ("grid_frequency", "frequency_hz"),
    ("water_supply", "flow_m3_h"),
    ("water_supply", "pressure_mpa"),
    ("surface_water", "do"),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean and 5 % to 95 % band over the sensors, per point of the day."""

    mean: Floats
    low: Floats
    high: Floats


def day_chart(seed: int, start: float) -> str:
    """Return the SVG of the day that begins at ``start`` (epoch s)."""
    city, rows = City(seed), -(-len(PANELS) // COLUMNS)
    width, height = WIDTH * COLUMNS, HEIGHT * rows + 36
    day = datetime.fromtimestamp(start, zone()).strftime("%Y-%m-%d %a")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' font-family="Noto Sans CJK SC, Noto Sans, sans-serif" font-size="10" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="14" y="22" font-size="14" font-weight="600">模拟城市日曲线 · A day of the'
        f" synthetic city · {day} · seed {seed}</text>",
        f'<text x="{width - 14}" y="22" text-anchor="end">{LEGEND}</text>',
    ]
    for place, (name, metric) in enumerate(PANELS):
        x, y = place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT + 36
        declared = stream(name)
        parts.append(_panel(declared, metric, curve_of(city, declared, metric, start), x, y))
    return "\n".join([*parts, "</svg>", ""])


def curve_of(city: City, declared: Stream, metric: str, start: float) -> Curve:
    """Return the day's curve of a metric, in bins of ten minutes."""
    batch = StreamSimulator(declared, city.seed).readings(city, start, start + DAY_S)
    values = batch.column(metric).to_numpy(zero_copy_only=False)
    at = batch.column("observed_at").to_numpy(zero_copy_only=False).astype("int64") / 1e6
    place = np.minimum((at - start) * POINTS // DAY_S, POINTS - 1).astype(int)
    ends = np.searchsorted(place, np.arange(POINTS + 1))
    bins = [values[a:b] for a, b in pairwise(ends)]
    found = [(np.mean(b), *np.percentile(b, [5, 95])) if len(b) else (np.nan,) * 3 for b in bins]
    mean, low, high = np.array(found).T
    return Curve(mean, low, high)


def _panel(declared: Stream, metric: str, curve: Curve, x: float, y: float) -> str:
    quantity = declared.quantity(metric)
    bottom, top = float(np.nanmin(curve.low)), float(np.nanmax(curve.high))
    top = top if top > bottom else bottom + 1.0
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    px = LEFT + np.arange(POINTS) / (POINTS - 1) * wide

    def py(values: Floats) -> Floats:
        return TOP + (1 - (values - bottom) / (top - bottom)) * tall

    names = dict.fromkeys((quantity.title.zh, quantity.title.en))
    title = f"{declared.title.zh} · {' '.join(names)}"
    unit = "" if quantity.unit == "1" else f", {quantity.unit}"
    edge = [*_points(px, py(curve.high)), *reversed(_points(px, py(curve.low)))]
    lines = [f'<g transform="translate({x},{y})">']
    lines.append(f'<text x="{LEFT}" y="22" font-weight="600">{escape(title + unit)}</text>')
    for hour in (0, 6, 12, 18, 24):
        gx = LEFT + hour / 24 * wide
        lines.append(f'<path d="M{gx:.1f} {TOP}V{TOP + tall}" stroke="{GRID}"/>')
        lines.append(f'<text x="{gx:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{hour}</text>')
    for value in (bottom, top):
        at = float(py(np.array([value]))[0])
        lines.append(f'<path d="M{LEFT} {at:.1f}H{LEFT + wide}" stroke="{GRID}"/>')
        lines.append(f'<text x="{LEFT - 5}" y="{at + 3:.1f}" text-anchor="end">{value:.4g}</text>')
    lines.append(f'<polygon points="{" ".join(edge)}" fill="{BAND}"/>')
    mean = " ".join(_points(px, py(curve.mean)))
    lines.append(f'<polyline points="{mean}" fill="none" stroke="{LINE}" stroke-width="1.6"/>')
    return "\n".join([*lines, "</g>"])


def _points(px: Floats, py: Floats) -> list[str]:
    return [f"{a:.1f},{b:.1f}" for a, b in zip(px, py, strict=True) if not np.isnan(b)]
