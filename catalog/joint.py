"""Joint rules: groups of sensors that normally move together, and when they no longer do.

One file in a system's ``joint/`` declares one: a module with one name, ``JOINT``. Its alerts name
``GROUPS`` where others name their stream, and the group where others name their sensor.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Text
from catalog.declared import DeclarationError, files_of, load_named
from catalog.rules import Concern, Flap
from catalog.thresholds import Threshold

GROUPS = "groups"
"""Stands where other alerts name their stream."""


class Signals(Frozen):
    """Metrics of one stream: of each of its sensors in the group, each is a signal."""

    stream: Name
    metrics: tuple[Name, ...] = Field(min_length=1)


class JointRule(Frozen):
    """Raise when the signals of a group no longer move as they normally do together.

    Every completed hour is looked at. Limits are in *usual spreads*: how far the smoothed
    logarithm of what the group's main directions leave unexplained lies above its usual. ``by``
    makes the groups: all sensors of a ``district``, of one ``street`` in it, or a ``parent`` with
    the sensors that it feeds. A group of less than ``least`` signals is none.
    """

    kind: Literal["joint"] = "joint"
    name: Name
    domain: Name
    title: Text
    signals: tuple[Signals, ...] = Field(min_length=1)
    by: Literal["district", "street", "parent"]
    least: int = Field(default=4, ge=3)
    thresholds: tuple[Threshold, ...] = Field(min_length=1)
    deadband: float = Field(default=2.0, ge=0)
    latch: bool = False
    flap: Flap = Flap(window_s=86_400.0)
    concern: Concern = "city"
    advice: Text

    @model_validator(mode="after")
    def _is_sound(self) -> "JointRule":
        for limit in self.thresholds:
            if not isinstance(limit.value, int | float) or limit.hours is not None:
                raise ValueError(f"{self.name}: a limit is a number of spreads, at all hours alike")
            if limit.value <= self.deadband:
                raise ValueError(f"{self.name}: a limit lies above the deadband")
        named = [signals.stream for signals in self.signals]
        if len(named) != len(set(named)):
            raise ValueError(f"{self.name}: a stream appears twice")
        return self

    @property
    def id(self) -> str:
        """Return the rule's platform-wide id."""
        return f"{self.domain}.{self.name}"

    def title_at(self, severity: int) -> Text:
        """Return what an alert of this severity is called."""
        own = (limit.title for limit in self.thresholds if limit.severity == severity)
        return next((title for title in own if title), self.title)


def group_id(rule: str, key: str) -> str:
    """Return what stands where other alerts name their sensor."""
    return f"{rule}-{key}"


@cache
def joint_rules() -> dict[str, JointRule]:
    """Return all declared joint rules by id; read once per process."""
    found: dict[str, JointRule] = {}
    for file in sorted(files_of("joint"), key=lambda f: f.stem):
        rule = _load(file)
        if rule.id in found:
            raise DeclarationError(f"{file}: a joint rule {rule.id!r} exists already")
        found[rule.id] = rule
    return found


def rule_of_group(subject: str) -> JointRule | None:
    """Return the rule that a group belongs to, by its id."""
    return joint_rules().get(subject.split("-", 1)[0])


def _load(path: Path) -> JointRule:
    rule = load_named(path, "JOINT", JointRule)
    if rule.domain != path.parent.parent.name:
        raise DeclarationError(
            f"{path}: its domain is {rule.domain!r}, its system {path.parent.parent.name!r}"
        )
    return rule
