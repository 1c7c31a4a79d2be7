"""An explanation in words: which signals, how far, since when, and days that were alike."""

from collections.abc import Mapping
from typing import Any

from alerts.event.labels import sensor_of, stream_of
from catalog.base import Text
from catalog.model import text

MOST = 3


def explanation_text(body: Mapping[str, Any]) -> Text:
    """Return an explanation as one line: 「偏离常态 3.1 倍，已持续 40 分钟 …」."""
    zh, en = _lasted(int(body.get("lasted_s", 0)))
    parts = [
        text(
            f"偏离常态 {body['spreads']:g} 倍，已持续 {zh}",
            f"{body['spreads']:g} times its usual spread for {en}",
        )
    ]
    if signals := [signal_text(one) for one in body.get("signals", [])[:MOST]]:
        said_zh, said_en = "；".join(s.zh for s in signals), "; ".join(s.en for s in signals)
        parts.append(text(f"主要信号：{said_zh}", f"mostly {said_en}"))
    if days := [one["day"] for one in body.get("similar", [])]:
        parts.append(text(f"相似日期：{'、'.join(days)}", f"similar days: {', '.join(days)}"))
    return text("，".join(p.zh for p in parts), ", ".join(p.en for p in parts))


def signal_text(one: Mapping[str, Any]) -> Text:
    """Return one signal: what, what it is, and what it usually would be."""
    stream = stream_of(one["stream"])
    known = sensor_of(one["stream"], one["sensor"])
    where = known.title if known else text(one["sensor"], one["sensor"])
    if stream is None:
        return where
    quantity = stream.quantity(one["metric"])
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    value, expected = (f"{one[n]:.{quantity.decimals}f}{unit}" for n in ("value", "expected"))
    return text(
        f"{where.zh} {quantity.title.zh} {value}（常态 {expected}）",
        f"{where.en} {quantity.title.en.lower()} {value} (usually {expected})",
    )


def _lasted(seconds: int) -> tuple[str, str]:
    minutes = max(1, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} 分钟", f"{minutes} min"
    hours = f"{minutes / 60:.0f}"
    return f"{hours} 小时", f"{hours} h"
