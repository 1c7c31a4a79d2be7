"""What explains an alert on something unusual, for its page."""

from collections.abc import Mapping
from typing import Any

from alerts.event.explained import explanation_text
from catalog.registry import streams
from catalog.sensors import sensor
from catalog.unusual import SPREADS
from console.marks import number
from console.texts import Words


def explained_line(words: Words, body: Mapping[str, Any] | None) -> str:
    """Return the explanation as one line; empty where there is none."""
    return words.of(explanation_text(body)) if body else ""


def signal_rows(words: Words, body: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the signals that are off, the worst first: what they are and usually would be."""
    rows = []
    for place, one in enumerate((body or {}).get("signals", [])):
        declared, known = streams().get(one["stream"]), sensor(one["stream"], one["sensor"])
        if declared is None:
            continue
        quantity = declared.quantity(one["metric"])
        shown = {
            name: number(words, one[name], quantity.unit, quantity.decimals)
            for name in ("value", "expected")
        }
        rows.append(
            {
                "id": str(place),
                "sensor": {
                    "text": words.of(known.title) if known else one["sensor"],
                    "href": f"/sensors/{one['stream']}/{one['sensor']}",
                },
                "quantity": words.of(quantity.title),
                "off": number(words, one["off"], SPREADS, 1),
                **shown,
            }
        )
    return rows
