"""Send the readings of dead letters through the gateway's contract again, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from psycopg import Connection

from catalog.errors import FatalError, TransientError
from catalog.frames import read_batch
from catalog.registry import streams
from service.settings import Settings
from storage.dead_letters import Selection, Summary, find, is_redrivable, request_body, way_out

TIMEOUT_S = 30.0
"""Longer than the gateway waits for Kafka, so that its own answer arrives."""

Readings = list[dict[str, Any]]
Result = Literal["redriven", "again", "refused", "kept", "settled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter, and the lines that explain it.

    ``again``: accepted, but sensors are still not registered, so readings are in a new letter;
    ``refused``: the gateway named faults, the letter stays open; ``kept``: nothing to send;
    ``settled``: it was not open any more, or another re-drive holds it.
    """

    result: Result
    lines: tuple[str, ...] = ()


@contextmanager
def gateway_client(settings: Settings) -> Iterator[httpx.Client]:
    """Give a client of the gateway; ``FatalError`` code ``key`` when no API key is set."""
    key = settings.key()
    if not key:
        raise FatalError(
            "no API key: set CITYOPS_API_KEY or CITYOPS_API_KEY_FILE to a key with scope ingest:*",
            code="key",
            stage="receiving",
        )
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with httpx.Client(base_url=settings.gateway, headers=headers, timeout=TIMEOUT_S) as client:
        yield client


def redrive(conn: Connection, client: httpx.Client, id: str) -> Outcome:
    """Send one open letter; it is marked only once the gateway has answered 202.

    ``conn`` is in autocommit mode. The row is locked meanwhile, so two re-drives do not send it
    twice; a crash between 202 and the mark does, which a reading's key makes harmless.
    ``TransientError`` when the gateway cannot take it now, ``FatalError`` when it never will.
    """
    with conn.transaction():
        taken = _take(conn, id)
        if taken is None:
            return Outcome("settled")
        (letter,) = find(conn, Selection(ids=(id,)))
        if not is_redrivable(letter):
            return Outcome("kept", (way_out(letter).en,))
        try:
            readings = taken[0] or _unpack(letter, taken[1])
        except (ValueError, OverflowError) as error:
            return Outcome("kept", (f"the frame cannot be read: {error}",))
        outcome = _send(client, letter.stream, readings)
        if outcome.result in ("redriven", "again"):
            conn.execute(
                "UPDATE dead_letters SET status = 'redriven', redriven_at = now() WHERE id = %s",
                [id],
            )
        return outcome


def _take(conn: Connection, id: str) -> tuple[Readings, bytes | None] | None:
    """Lock an open letter; return its readings and its raw bytes."""
    return conn.execute(
        "SELECT readings, payload FROM dead_letters WHERE id = %s AND status = 'open'"
        " FOR UPDATE SKIP LOCKED",
        [id],
    ).fetchone()


def _unpack(letter: Summary, payload: bytes | None) -> Readings:
    """Return the readings of a frame whose version is known by now, as the gateway takes them."""
    batch = read_batch(streams()[letter.stream], letter.dataschema, payload)
    return [
        {k: v.isoformat() if k == "observed_at" else v for k, v in row.items() if v is not None}
        for row in batch.to_pylist()
    ]


def _send(client: httpx.Client, stream: str, readings: Readings) -> Outcome:
    try:
        answer = client.post(f"/v1/streams/{stream}/readings", content=request_body(readings))
    except httpx.TransportError as error:
        raise TransientError(
            f"no answer from the gateway at {client.base_url}: {error}",
            code="gateway",
            stage="receiving",
        ) from None
    said = _body(answer)
    if answer.status_code == 202 and "accepted" in said:
        return _accepted(said)
    _raise_unless_refused(client, answer, said)
    return Outcome("refused", tuple(_faults(said)))


def _accepted(said: dict[str, Any]) -> Outcome:
    again = said.get("dead_lettered", 0)
    if not again:
        return Outcome("redriven")
    line = f"{again} of {said['accepted']} readings are in a new letter: sensor not registered"
    return Outcome("again", (line,))


def _raise_unless_refused(
    client: httpx.Client, answer: httpx.Response, said: dict[str, Any]
) -> None:
    status, detail = answer.status_code, f"{said.get('title', '')}: {said.get('detail', '')}"
    if status == 429 or status >= 500:
        text = f"the gateway cannot take readings now ({status} {detail})"
        raise TransientError(text, code="gateway", stage="receiving")
    if not str(said.get("type", "")).startswith("urn:cityops:"):
        text = f"{client.base_url} is not the gateway (it answers {status}); see CITYOPS_GATEWAY"
        raise FatalError(text, code="gateway", stage="receiving")
    if status in (401, 403):
        raise FatalError(
            f"the gateway refuses the API key ({detail})", code="key", stage="receiving"
        )


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _faults(said: dict[str, Any]) -> Iterator[str]:
    if not said.get("errors"):
        yield f"{said.get('title')}: {said.get('detail')}"
    for error in said.get("errors", []):
        where = "request" if error["item"] is None else f"reading {error['item']}"
        yield f"{where}, {error['field']}: {error['detail']} [{error['rule']}]"
