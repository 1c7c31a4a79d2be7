"""What signs show, after DATEX II: what stands where (VmsTable), what it shows (Vms); JSON."""

import json
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from catalog.feed import DeviceStates, Feed
from catalog.plan.device import Device, devices
from catalog.plan.layout import pages_of
from exchange.links import head

MEDIA_TYPE = "application/json"
WORKING = {"ok": "working", "failed": "notWorking", "away": "unknown"}


def signs(conn: Connection, shows: DeviceStates, now: datetime) -> list[dict[str, Any]]:
    """Return every device; of one that was not read back lately only that its status is unknown."""
    query = "SELECT device, status, message, seen_at FROM plan_devices WHERE kind = %s"
    with conn.cursor(row_factory=dict_row) as cursor:
        answers = {r["device"]: r for r in cursor.execute(query, [shows.device]).fetchall()}
    return [
        _sign(one, answers.get(one.id), shows.fresh_s, now)
        for one in devices().get(shows.device, {}).values()
    ]


def _sign(
    one: Device, answer: dict[str, Any] | None, fresh_s: float, now: datetime
) -> dict[str, Any]:
    seen = answer["seen_at"] if answer else None
    fresh = seen is not None and (now - seen).total_seconds() <= fresh_s
    status = WORKING[answer["status"]] if answer and fresh else "unknown"
    known = status != "unknown" and answer is not None
    return {
        "vmsIndex": one.id,
        "vmsTable": {
            "description_zh": one.title.zh,
            "description_en": one.title.en,
            "location": {"longitude": one.at[0], "latitude": one.at[1]},
            "lines": one.screen.lines,
            "charactersPerLine": one.screen.width,
        },
        "vms": {
            "workingStatus": status,
            "pages": pages_of(answer["message"]) if known and answer else [],
        },
    }


def publication(feed: Feed, found: list[dict[str, Any]], now: datetime) -> bytes:
    """Return the publication."""
    body = head(feed, now) | {"publicationTime": now.astimezone(UTC).isoformat(timespec="seconds")}
    return json.dumps(body | {"signs": found}, ensure_ascii=False).encode()
