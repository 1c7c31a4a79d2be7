"""Read alerts as Alertmanager's API and webhooks write them, whatever is odd about one of them.

What does not fit is renamed, cut or left out, and said; null and empty are absent. So one odd
label never loses the alert that carries it, nor those beside it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from unicodedata import normalize

from alerts.delivery.formats.alertmanager import fingerprint
from alerts.event.labels import Labels

STREAM = "external"
LEVELS = {
    **dict.fromkeys(("red", "critical", "emergency", "page", "i", "1"), 1),
    **dict.fromkeys(("orange", "error", "high", "major", "ii", "2"), 2),
    **dict.fromkeys(("yellow", "warning", "medium", "minor", "iii", "3"), 3),
    **dict.fromkeys(("blue", "info", "low", "notice", "none", "iv", "4"), 4),
}
"""The label ``severity`` as others write it; an unknown or absent one is yellow."""
OURS = ("rule", "stream", "severity", "origin", "flapping", "incident")
"""Labels that the platform gives itself; another system's are kept as ``exported_…``."""
UNNAMED = "unnamed"
MOST_PAIRS = 64
MOST_VALUE = 4096
MOST_NAME = 64
MOST_RULE = 60
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATES = re.compile(r"[\ud800-\udfff]")
SEPARATORS = re.compile(r"[\s_\-./:]")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Go's and amtool's year 1 stands for no time."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One alert of another system; ``identity`` stands for all its labels as they were sent."""

    rule: str
    subject: str
    identity: str
    level: int
    labels: Labels
    annotations: dict[str, str]
    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    before: tuple[str, str]
    """Rule and subject by which releases before identity by all labels kept it open."""

    def firing(self, now: datetime) -> bool:
        """Tell whether it is on; without a status an end that has passed means that it is over."""
        if self.status:
            return self.status == "firing"
        return self.ends_at is None or self.ends_at > now


@dataclass(slots=True)
class Oddities:
    """What was changed about one alert, in words for its sender."""

    said: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Note one change."""
        self.said.append(CONTROLS.sub("", text)[:200])


def read_foreign(item: object) -> tuple[Foreign | None, list[str]]:
    """Return an alert and what was changed about it; none when ``item`` is no JSON object."""
    odd = Oddities()
    if not isinstance(item, dict):
        return None, ["left out: an alert is a JSON object"]
    sent = _pairs(item.get("labels"), "labels", odd)
    annotations = _kept(_pairs(item.get("annotations"), "annotations", odd), "annotations", odd)
    if source := _text(item.get("generatorURL"), "generatorURL", odd):
        annotations["source"] = _cut(source, "generatorURL", odd)
    labels = _kept(_exported(sent), "labels", odd)
    name = labels.setdefault("alertname", UNNAMED)
    identity = fingerprint(sent)
    return Foreign(
        rule=rule_of(sent.get("alertname", "")),
        subject=f"{_what(labels)} {identity[:12]}",
        identity=identity,
        level=LEVELS.get(sent.get("severity", "").strip().lower(), 3),
        labels=labels,
        annotations=annotations,
        status=_status(item.get("status"), odd),
        starts_at=_time(item.get("startsAt"), "startsAt", odd),
        ends_at=_time(item.get("endsAt"), "endsAt", odd),
        before=_before(sent, name),
    ), odd.said


def rule_of(name: str) -> str:
    """Return the rule id of an alert's name: readable, stable, another one for another name.

    Letters and digits of every script stay. What tells names apart and cannot stay (``CPU > 90``,
    ``CPU < 90``, the end of a long name) becomes a short hash.
    """
    if not name:
        return f"{STREAM}.{UNNAMED}"
    text = normalize("NFKC", name).strip().lower()
    slug = re.sub(r"[\W_]+", "_", text).strip("_")
    lost = re.sub(r"\w", "", SEPARATORS.sub("", text)) or len(slug) > MOST_RULE
    mark = f"_{sha256(text.encode()).hexdigest()[:6]}" if lost or not slug else ""
    return f"{STREAM}.{slug[:MOST_RULE].strip('_') or UNNAMED}{mark}"


def _what(labels: Mapping[str, str]) -> str:
    what = labels.get("sensor") or labels.get("instance") or labels["alertname"]
    return " ".join(what.split())[:200]


def _pairs(given: object, what: str, odd: Oddities) -> dict[str, str]:
    """Return clean texts by name, as they were sent otherwise; null and empty are absent."""
    if given in (None, ""):
        return {}
    if not isinstance(given, dict):
        odd.add(f"{what} left out: no JSON object")
        return {}
    found = {str(k): _text(v, f"{what}.{k}", odd) for k, v in given.items()}
    return {CONTROLS.sub("", SURROGATES.sub("\ufffd", k)): v for k, v in found.items() if v}


def _text(value: object, where: str, odd: Oddities) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        odd.add(f"{where} is no text: kept as JSON")
        value = json.dumps(value, ensure_ascii=False)
    clean = CONTROLS.sub("", SURROGATES.sub("\ufffd", value))
    if clean != value:
        odd.add(f"{where}: control characters taken out")
    return clean


def _exported(sent: Mapping[str, str]) -> dict[str, str]:
    return {f"exported_{name}" if name in OURS else name: v for name, v in sent.items()}


def _kept(pairs: Mapping[str, str], what: str, odd: Oddities) -> dict[str, str]:
    """Return what is stored: names as labels are written, values cut, at most 64 of them."""
    made: dict[str, str] = {}
    for name, value in _first(pairs, what, odd):
        fitting = _free(_name(name), made)
        if fitting != name:
            odd.add(f"{what}.{name} renamed {fitting}")
        made[fitting] = _cut(value, f"{what}.{name}", odd)
    return made


def _first(pairs: Mapping[str, str], what: str, odd: Oddities) -> Iterable[tuple[str, str]]:
    """Return the first pairs, what routing needs before all others."""
    needed = ("alertname", "exported_severity", "domain", "district", "sensor", "instance")
    ordered = sorted(pairs.items(), key=lambda pair: pair[0] not in needed)
    if len(ordered) > MOST_PAIRS:
        odd.add(f"{what}: {len(ordered) - MOST_PAIRS} of {len(ordered)} left out")
    return ordered[:MOST_PAIRS]


def _name(name: str) -> str:
    fitting = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    if not re.search(r"[a-zA-Z0-9]", fitting):  # a name of another script altogether
        fitting = f"label_{sha256(name.encode()).hexdigest()[:6]}"
    return (f"_{fitting}" if fitting[0].isdigit() else fitting)[:MOST_NAME]


def _free(name: str, taken: Mapping[str, str]) -> str:
    found, n = name, 2
    while found in taken:
        found, n = f"{name[: MOST_NAME - 4]}_{n}", n + 1
    return found


def _cut(value: str, where: str, odd: Oddities) -> str:
    if len(value) > MOST_VALUE:
        odd.add(f"{where} cut to {MOST_VALUE} characters")
    return value[:MOST_VALUE]


def _status(given: object, odd: Oddities) -> str:
    status = str(given or "").strip().lower()
    if status in ("", "firing", "resolved"):
        return status
    odd.add(f"status {status[:40]!r} unknown: taken by endsAt")
    return ""


def _time(given: Any, where: str, odd: Oddities) -> datetime | None:
    """Return a moment in UTC; none for null, empty, a year before 1970, or what is no time."""
    if given in (None, ""):
        return None
    try:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None:
            odd.add(f"{where} has no zone: read as UTC")
            at = at.replace(tzinfo=UTC)
        at = at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        if not str(given).startswith("0001-01-01"):
            odd.add(f"{where} {str(given)[:40]!r} is no time: left out")
        return None
    return at if at >= EARLIEST else None


def _before(sent: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return rule and subject as they were made when ``severity`` was no part of the identity."""
    labels = {k: v for k, v in sent.items() if k not in OURS} | {"alertname": name}
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:MOST_RULE] or UNNAMED
    what = labels.get("sensor") or labels.get("instance") or name
    return f"{STREAM}.{slug}", f"{what} {fingerprint(labels)[:8]}"
