"""How fast receivers of an exercise answered: columns of its list, and a table on its page."""

from typing import Any

from alerts.sources.exercises import InSum, Performance
from alerts.sources.responses import STEPS
from console.marks import duration
from console.texts import Words
from console.widgets.table import Column


def sum_columns(words: Words) -> list[Column]:
    """Return the columns that a list of exercises has besides those of every record."""
    return [
        Column(name, words(f"drills.{name}"), "number", hide=True)
        for name in ("delivered", "accepted", "median", "slowest")
    ]


def sum_cells(words: Words, found: InSum | None) -> dict[str, Any]:
    """Return these columns of one exercise; empty until somebody was told."""
    if found is None:
        return {}
    return {
        "delivered": _of(found.delivered, found.told),
        "accepted": _of(found.accepted, found.told),
        "median": _seconds(words, found.accepted_p50_s),
        "slowest": _seconds(words, found.accepted_max_s),
    }


def answer_columns(words: Words) -> list[Column]:
    """Return the columns of how receivers did."""
    return [
        Column("receiver", words("alert.receiver"), "link"),
        Column("delivered", words("alert.delivered"), "time"),
        *(Column(f"{step}_s", words(f"drill.{step}_s"), "number") for step in STEPS),
    ]


def answer_row(words: Words, found: Performance) -> dict[str, Any]:
    """Return how one receiver did."""
    at = found.delivered_at
    return {
        "id": found.receiver,
        "receiver": {"text": found.receiver, "href": f"/receivers/{found.receiver}"},
        "delivered": at.isoformat() if at else None,
        **{f"{step}_s": _seconds(words, getattr(found, f"{step}_s")) for step in STEPS},
    }


def _of(count: int, whole: int) -> dict[str, Any]:
    return {"text": f"{count}/{whole}", "unit": "", "sort": count}


def _seconds(words: Words, seconds: float | None) -> dict[str, Any] | None:
    return None if seconds is None else duration(words, seconds)
