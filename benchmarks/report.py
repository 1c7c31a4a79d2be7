"""The figures as a table and a picture."""

from html import escape
from pathlib import Path
from typing import Any

ROW, TOP, LEFT, WIDTH, BAR = 30, 46, 290, 860, 16
COLOURS = {"end to end": "#0b6e4f", "peer": "#8a94a6", "part": "#5b8def"}
TITLES = {"end to end": "cityops", "peer": "peers, same readings", "part": "parts alone"}


def markdown(record: dict[str, Any]) -> str:
    """Return the table of one run."""
    machine = record["machine"]
    loads = machine["load_before_and_after_each"]
    lines = [
        f"{record['at']}, {machine['cores']} cores ({machine['cpu']}), Python {machine['python']},"
        f" {record['sensors']:,} sensors; load average before {loads[0]:.1f},"
        f" afterwards up to {max(loads):.1f}.",
        "",
        "| | readings/s | CPU s per million readings | peak memory MB | latency p50 / p99 ms |",
        "|---|---:|---|---|---|",
    ]
    for item in record["results"]:
        lines.append(
            f"| {item['name']} | {_speed(item)} | {_each(item['cpu_s_per_million'])}"
            f" | {_each(item['peak_mb'])} | {_latency(item['latency_ms'])} |"
        )
    ours = next((r for r in record["results"] if r["kind"] == "end to end"), None)
    if ours is not None:
        ratios = [
            f"{ours['readings_per_s'] / r['readings_per_s']:.2f} × {r['name']}"
            for r in record["results"]
            if r["kind"] == "peer"
        ]
        lines += ["", f"cityops is {'; '.join(ratios)}."] if ratios else []
    return "\n".join(lines)


def chart(record: dict[str, Any]) -> str:
    """Return horizontal bars of readings/s as SVG."""
    items = record["results"]
    most = max(item["readings_per_s"] for item in items)
    height = TOP + ROW * len(items) + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="system-ui, Noto Sans, Noto Sans CJK SC, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, (kind, colour) in enumerate(COLOURS.items()):
        x = LEFT + place * 175
        parts.append(f'<rect x="{x}" y="16" width="12" height="12" fill="{colour}" rx="2"/>')
        parts.append(f'<text x="{x + 18}" y="27" fill="#3a4454">{TITLES[kind]}</text>')
    parts.append('<text x="12" y="27" fill="#1c2430" font-weight="600">readings/s</text>')
    for place, item in enumerate(items):
        y = TOP + place * ROW
        width = max(2.0, item["readings_per_s"] / most * (WIDTH - LEFT - 90))
        end = LEFT + width + 8
        parts.append(
            f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end" fill="#1c2430">'
            f"{escape(item['name'])}</text>"
            f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"'
            f' fill="{COLOURS[item["kind"]]}"/>'
            f'<text x="{end:.1f}" y="{y + 13}" fill="#3a4454">{item["readings_per_s"]:,}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def write_between(page: Path, name: str, text: str) -> None:
    """Replace what a page has between ``<!-- name -->`` and ``<!-- /name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = page.read_text()
    head, _, rest = whole.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no {begin} … {end}")
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


def _speed(item: dict[str, Any]) -> str:
    """Return readings a second, and of several rounds the slowest and the fastest."""
    rounds = item.get("rounds_per_s") or []
    span = f" ({min(rounds):,}–{max(rounds):,})" if len(rounds) > 1 else ""
    return f"{item['readings_per_s']:,}{span}"


def _each(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items()) or "–"


def _latency(values: dict[str, Any]) -> str:
    if not values:
        return "–"
    what = values.get("of") or f"at {values['at_per_s']:,}/s"
    return f"{values['p50']:g} / {values['p99']:g} {what}"
