"""Drills as rows, facts and words, the same in the list and on a drill's page."""

from datetime import datetime
from typing import Any, Literal

from alerts.sources.drills import Drill, DrillSummary, Performance
from console.marks import duration, level_mark, local_time
from console.roles import Principal, Role
from console.texts import Words
from console.widgets.facts import Fact
from console.widgets.table import Column

State = Literal["planned", "running", "over", "cancelled"]
STEPS = ("received_s", "accepted_s", "on_site_s", "done_s")


def drill_state(drill: Drill, now: datetime) -> State:
    """Return where a drill stands."""
    if drill.cancelled_by:
        return "cancelled"
    if drill.ended_at or now >= drill.ends_at:
        return "over"
    return "running" if drill.started_at else "planned"


def list_columns(words: Words) -> list[Column]:
    """Return the columns of the list of drills."""
    return [
        Column("state", words("drills.state"), width="96px"),
        Column("level", words("alerts.level"), "level", width="72px", hide=True),
        Column("title", words("drills.what"), "link"),
        Column("starts", words("drills.starts"), "time"),
        Column("ends", words("drills.ends"), "time", hide=True),
        Column("delivered", words("drills.delivered"), "number", hide=True),
        Column("accepted", words("drills.accepted"), "number", hide=True),
        Column("median", words("drills.median"), "number", hide=True),
        Column("slowest", words("drills.slowest"), "number", hide=True),
        Column("by", words("drills.by"), hide=True),
        Column("act", "", "actions"),
    ]


def list_row(words: Words, drill: DrillSummary, now: datetime, who: Principal) -> dict[str, Any]:
    """Return a drill as a row of the list."""
    state = drill_state(drill, now)
    ending = state in ("planned", "running") and who.may(Role.OPERATOR)
    end = {"act": "cancel", "text": words(f"drills.end_{state}")} if ending else None
    return {
        "id": str(drill.id),
        "state": words(f"drills.state_{state}"),
        "level": level_mark(words, drill.severity),
        "title": {"text": drill.title, "href": f"/drills/{drill.id}"},
        "starts": drill.starts_at.isoformat(),
        "ends": drill.ends_at.isoformat(),
        "delivered": _of(drill.delivered, drill.told),
        "accepted": _of(drill.accepted, drill.told),
        "median": _seconds(words, drill.accepted_p50_s),
        "slowest": _seconds(words, drill.accepted_max_s),
        "by": drill.created_by,
        "act": [end] if end else [],
    }


def drill_facts(words: Words, drill: Drill, now: datetime) -> list[Fact]:
    """Return what is known of a drill at a glance."""
    return [
        (words("drills.state"), words(f"drills.state_{drill_state(drill, now)}")),
        (words("alerts.level"), level_mark(words, drill.severity)),
        (words("drills.starts"), local_time(drill.starts_at)),
        (words("drills.ends"), local_time(drill.ends_at)),
        (words("drills.receivers"), " ".join(drill.receivers) or words("drills.all")),
        (words("drills.by"), drill.created_by),
        (words("drills.cancelled_by"), drill.cancelled_by or ""),
    ]


def result_columns(words: Words) -> list[Column]:
    """Return the columns of how receivers did."""
    return [
        Column("receiver", words("alert.receiver"), "link"),
        Column("delivered", words("alert.delivered"), "time"),
        *(Column(step, words(f"drill.{step}"), "number") for step in STEPS),
    ]


def result_row(words: Words, result: Performance) -> dict[str, Any]:
    """Return how one receiver did."""
    at = result.delivered_at
    return {
        "id": result.receiver,
        "receiver": {"text": result.receiver, "href": f"/receivers/{result.receiver}"},
        "delivered": at.isoformat() if at else None,
        **{step: _seconds(words, getattr(result, step)) for step in STEPS},
    }


def _of(count: int, whole: int) -> dict[str, Any] | None:
    return {"text": f"{count}/{whole}", "unit": "", "sort": count} if whole else None


def _seconds(words: Words, seconds: float | None) -> dict[str, Any] | None:
    return None if seconds is None else duration(words, seconds)
