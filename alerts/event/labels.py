"""Labels of an alert, and matchers on them: what routes, silences and filters are written in."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from alerts.event.patterns import pattern
from catalog.model import Severity, Stream, Text, text
from catalog.places import Sensor
from catalog.registry import concern_of, streams
from catalog.sensors import sensor
from catalog.site import site

Labels = dict[str, str]
NO_LABELS: Labels = {}
LABELS = (
    *("alertname", "rule", "stream", "domain", "sensor", "district", "street"),
    *("severity", "incident", "flapping", "origin", "concern"),
)
"""Labels the platform gives; alerts from elsewhere bring more of their own."""
MAX_PATTERN = 200
MAX_LINE = 500
NAME = pattern("[a-zA-Z_][a-zA-Z0-9_]{0,63}")


class Matcher(BaseModel):
    """One condition on one label, as Alertmanager writes it: ``=``, ``!=``, ``=~`` or ``!~``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$")
    op: Literal["=", "!=", "=~", "!~"] = "="
    value: str = Field(max_length=MAX_PATTERN)

    @field_validator("value")
    @classmethod
    def _compiles(cls, value: str, info: object) -> str:
        if str(getattr(info, "data", {}).get("op", "=")).endswith("~"):
            pattern(value)
        return value

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels fulfil it; a label that is absent counts as empty."""
        given = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (given == self.value) == (self.op == "=")
        return pattern(self.value).covers(given) == (self.op == "=~")

    def __str__(self) -> str:
        return f'{self.name}{self.op}"{self.value}"'


class StoredMatcher(Matcher):
    """A matcher as it was stored, maybe by a version that knew other patterns.

    One that cannot be read any more fits nothing: a silence hides too little rather than too much.
    """

    @field_validator("value")
    @classmethod
    def _compiles(cls, value: str, info: object) -> str:
        return value

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels fulfil it."""
        try:
            return super().matches(labels)
        except ValueError:
            return False


def parse_matcher(line: str) -> Matcher:
    """Read ``district=510104`` or ``rule=~"water.*"``; ValueError that shows the form."""
    name, op, value = _parts(line[: MAX_LINE + 1])
    if len(line) > MAX_LINE or not NAME.covers(name):
        shown = line[:60]
        raise ValueError(f'{shown!r} is no matcher; write e.g. district=510104 or rule=~"water.*"')
    return Matcher.model_validate({"name": name, "op": op, "value": value})


def _parts(line: str) -> tuple[str, str, str]:
    """Split at the first operator; blanks around and one pair of quotes do not count."""
    at = next((n for n, letter in enumerate(line) if letter in "=!"), len(line))
    op = line[at : at + 2] if line[at : at + 2] in ("=~", "!~", "!=") else line[at : at + 1]
    if op in ("", "!"):
        return "", "", ""
    value = line[at + len(op) :].strip().removeprefix('"').removesuffix('"')
    return line[:at].strip(), op, value


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether every matcher is fulfilled."""
    return all(m.matches(labels) for m in matchers)


def severity_name(severity: int) -> str:
    """Return ``red``, ``orange``, ``yellow`` or ``blue``."""
    return Severity(severity).name.lower()


def alert_labels(rule: str, stream: str, sensor_id: str, severity: int) -> Labels:
    """Return the labels of an alert of ours; empty where the catalog knows no answer."""
    declared, known = streams().get(stream), sensor_of(stream, sensor_id)
    return {
        "alertname": rule,
        "rule": rule,
        "stream": stream,
        "domain": declared.domain if declared else "",
        "sensor": sensor_id,
        "district": known.district if known else "",
        "street": known.street if known else "",
        "severity": severity_name(severity),
        "origin": "cityops",
        "concern": concern_of(rule),
    }


def sensor_of(stream: str, sensor_id: str, labels: Labels = NO_LABELS) -> Sensor | None:
    """Return the declared sensor, or None; an unknown stream has none.

    One that moves is where the alert's own labels say that it was.
    """
    declared = streams().get(stream)
    if declared is None:
        return None
    known = sensor(stream, sensor_id)
    if declared.position is None or "lon" not in labels:
        return known
    own = known.model_dump() if known else {"title": text(sensor_id, sensor_id), "city": ""}
    return Sensor.model_validate(
        {
            **own,
            **{"id": sensor_id, "stream": stream, "street": "", "district": labels["district"]},
            **{"lon": float(labels["lon"]), "lat": float(labels["lat"])},
        }
    )


def district_words(code: str) -> Text:
    """Return the name of a district; of the city where a place lies in none of them."""
    known = site().districts.get(code)
    return known.title if known else site().title


def stream_of(name: str) -> Stream | None:
    """Return a declared stream, or None."""
    return streams().get(name)
