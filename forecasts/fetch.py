"""Fetch the forecasts of others: an address with CSV or JSON, a file, or a TOML map of either.

``CITYOPS_GUIDANCE`` says what comes from where: ``weather=https://…`` or ``weather=my_map.toml``,
several separated by commas. ``{from}`` in an address becomes the issue from which on is wanted. A
table has a row a time and place, with columns ``issued_at``, ``valid_at``, ``place`` and the
quantities; a map says where they are called otherwise::

    address = "https://weather.example/city.json"
    format = "json"                    # or csv
    at = "hourly"                      # where in the JSON the columns lie (arrays side by side)
    zone = "Asia/Shanghai"             # of times that say none
    [columns]
    valid_at = "time"                  # no issued_at: the hour in which it is fetched
    [quantities]
    temp_c = { column = "temperature_2m", scale = 1.0, offset = 0.0 }

A row without a readable time is left out, as is a value that is no number or outside its span;
what else the answer holds counts.
"""

import csv
import io
import json
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from pydantic import Field, ValidationError

from catalog.base import Frozen
from catalog.errors import ContractError, TransientError
from catalog.guidance import Guidance, Quantity, guidances
from catalog.site import site

MOST_BYTES = 32 * 2**20
TIMEOUT_S = 20.0
STAGE = "receiving"


class Column(Frozen):
    """Where a quantity lies in an answer, and how it comes to its declared unit."""

    column: str
    scale: float = 1.0
    offset: float = 0.0


class Map(Frozen):
    """How an answer is read; the defaults are a table by our own names."""

    address: str
    format: str = Field(default="csv", pattern="^(csv|json)$")
    at: str = ""
    zone: str = "UTC"
    columns: dict[str, str] = Field(default_factory=dict)
    quantities: dict[str, Column] = Field(default_factory=dict)
    places: dict[str, str] = Field(default_factory=dict)
    """Their name of a place → the code of a district or of the city."""


@dataclass(slots=True)
class Issue:
    """One issue for one place and quantity: values by time."""

    place: str
    quantity: str
    issued_at: datetime
    values: dict[datetime, float]


@dataclass(slots=True)
class Read:
    """What an answer held, and why parts of it were left out (reason → how often)."""

    issues: list[Issue] = field(default_factory=list[Issue])
    refused: Counter[str] = field(default_factory=Counter[str])


def sources(said: str) -> dict[str, Map]:
    """Return what is to be fetched by the name of its guidance; ContractError naming what is odd.

    ``said`` is the setting: ``NAME=ADDRESS,…``.
    """
    found: dict[str, Map] = {}
    for part in filter(None, (p.strip() for p in said.split(","))):
        name, _, address = part.partition("=")
        if name not in guidances():
            known = ", ".join(guidances()) or "none is declared"
            raise _unusable(f"no guidance {name!r}; declared: {known}")
        found[name] = _map(Path(address)) if address.endswith(".toml") else Map(address=address)
    return found


def _map(file: Path) -> Map:
    try:
        return Map.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise _unusable(f"{file}: {error}") from None


def fetch(guidance: Guidance, how: Map, since: datetime, now: datetime) -> Read:
    """Fetch and read an answer; TransientError when nobody answers, ContractError if unreadable."""
    address = how.address.replace("{from}", f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    body = _http(address) if address.startswith(("http://", "https://")) else _file(address)
    return read_answer(guidance, how, body, now)


def read_answer(guidance: Guidance, how: Map, body: str, now: datetime) -> Read:
    """Return the issues in an answer; those that claim to be issued after ``now`` are refused."""
    try:
        rows = (
            _columns(how, body) if how.format == "json" else list(csv.DictReader(io.StringIO(body)))
        )
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise _unusable(f"{how.address}: {error!r}") from None
    found, read = dict[tuple[str, str, datetime], Issue](), Read()
    hour = now.replace(minute=0, second=0, microsecond=0)
    for row in rows:
        try:
            place, issued, valid = _key(guidance, how, row, hour, now)
        except ValueError as error:
            read.refused[str(error)[:80]] += 1
            continue
        for quantity in guidance.quantities:
            value = _value(how, quantity, row)
            if value is None:
                continue
            if not quantity.span[0] <= value <= quantity.span[1]:
                read.refused[f"{quantity.name} outside {quantity.span}"] += 1
                continue
            key = (place, quantity.name, issued)
            found.setdefault(key, Issue(*key, {})).values[valid] = value
    read.issues = list(found.values())
    return read


def _key(
    guidance: Guidance, how: Map, row: dict[str, Any], hour: datetime, now: datetime
) -> tuple[str, datetime, datetime]:
    """Return place, issue and validity of a row; ValueError saying what is wrong with it."""
    given = how.columns
    place = str(row.get(given.get("place", "place")) or site().code)
    place = how.places.get(place, place)
    if place != site().code and place not in site().districts:
        raise ValueError(f"no place {place!r}: a district's code or the city's")
    valid = _time(row.get(given.get("valid_at", "valid_at")), how.zone)
    issue = row.get(given.get("issued_at", "issued_at"))
    issued = _time(issue, how.zone) if issue else hour
    if issued > now:
        raise ValueError("issued_at lies in the future")
    if not issued <= valid <= issued + timedelta(hours=guidance.ahead_h):
        raise ValueError(f"valid_at is not within {guidance.ahead_h} h after issued_at")
    return place, issued, valid


def _time(said: object, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        raise ValueError("a time that is none (ISO 8601)") from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _value(how: Map, quantity: Quantity, row: dict[str, Any]) -> float | None:
    where = how.quantities.get(quantity.name, Column(column=quantity.name))
    try:
        value = float(row.get(where.column, ""))
    except (TypeError, ValueError):
        return None
    return value * where.scale + where.offset if abs(value) < float("inf") else None


def _columns(how: Map, body: str) -> list[dict[str, Any]]:
    """Return rows of JSON whose columns lie side by side, or that is a list of rows already."""
    said = json.loads(body)
    for part in filter(None, how.at.split(".")):
        said = said[part]
    if isinstance(said, list):
        return [row for row in said if isinstance(row, dict)]
    arrays = {name: column for name, column in said.items() if isinstance(column, list)}
    return [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]


def _http(address: str) -> str:
    try:
        with httpx.stream("GET", address, timeout=TIMEOUT_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            parts, size = [], 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > MOST_BYTES:
                    raise _unusable(f"{address}: the answer is larger than {MOST_BYTES} bytes")
                parts.append(part)
    except httpx.HTTPError as error:
        raise _away(f"{address}: {error!r}") from None
    return b"".join(parts).decode("utf-8-sig", "replace")


def _file(address: str) -> str:
    try:
        return Path(address).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise _away(f"{address}: {error}") from None


def _away(reason: str) -> TransientError:
    return TransientError(reason[:200], code="guidance_away", stage=STAGE)


def _unusable(reason: str) -> ContractError:
    return ContractError(reason[:300], code="guidance_unusable", stage=STAGE)
