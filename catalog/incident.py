"""The declaration model of incidents: which alerts have one cause, how bad it is, what to do.

One file in a system's ``incidents/`` declares one kind: a module with one name, ``INCIDENT``.
"""

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from catalog.declared import DeclarationError, files_of, load_named
from catalog.model import ENGINEERING, Frozen, Name, Severity, Source, Text
from catalog.site import site


class Response(Frozen):
    """When a response level (应急响应 I–IV) holds: firing alerts of at least this worth.

    ``alerts`` alerts must be of severity ``worst`` or worse. The first level that holds counts.
    """

    level: Severity
    worst: Severity = Severity.BLUE
    alerts: int = Field(default=1, ge=1)


class Task(Frozen):
    """One thing to do, by whom, so many minutes after opening, from which response level on."""

    name: Name
    title: Text
    owner: Name
    """One of the site's owners."""
    within_min: int
    level: Severity = Severity.BLUE


class IncidentKind(Frozen):
    """One kind of incident.

    An alert of a rule in ``triggers`` opens one; alerts of ``supports`` join one that is open.
    Rules are ids, ``*`` is a wildcard (``*.silent``). They belong together when they lie in the
    same ``place`` and were raised within ``within_s`` of its newest alert: ``topology`` = the
    first alert's sensor and all it feeds, ``district``, ``near`` = within ``radius_km`` of the
    first alert, ``city`` = anywhere. It is a candidate until ``confirm_rules`` different rules or
    ``confirm_alerts`` alerts fire together. Only firing alerts count; it is resolved when none of
    its triggers fires any more, and reopened by a trigger that follows within ``reopen_s``.

    A kind that ``gathers`` others has no alerts of its own: it is the parent of confirmed incidents
    of these kinds in the whole city. It opens as confirmed when ``least`` of them are open whose
    alerts lie within ``within_s`` of each other, and an alert of a rule in ``because`` (any, where
    none is named) fired at that time: one rain, many floods. Its responses count children by their
    level; it is over when all its children are, and they keep their own life.
    """

    name: Name
    domain: Name
    title: Text
    triggers: tuple[str, ...] = ()
    supports: tuple[str, ...] = ()
    gathers: tuple[Name, ...] = ()
    because: tuple[str, ...] = ()
    least: int = Field(default=2, ge=2)
    place: Literal["topology", "district", "near", "city"]
    radius_km: float = Field(default=3.0, gt=0)
    within_s: float = Field(gt=0)
    reopen_s: float = Field(default=1800.0, ge=0)
    confirm_rules: int = Field(default=2, ge=1)
    confirm_alerts: int = Field(default=3, ge=1)
    fold: bool = False
    """Do not notify what lies downstream of the first alert while that one fires."""
    responses: tuple[Response, ...] = Field(min_length=1)
    plan: Text
    """Name of the emergency plan (应急预案)."""
    tasks: tuple[Task, ...]
    source: Source = ENGINEERING

    @model_validator(mode="after")
    def _is_sound(self) -> "IncidentKind":
        levels = [r.level for r in self.responses]
        if levels != sorted(set(levels)):
            raise ValueError(f"{self.name}: responses run from level I down, each once")
        if len({t.name for t in self.tasks}) != len(self.tasks):
            raise ValueError(f"{self.name}: a task's name appears twice")
        if bool(self.triggers) == bool(self.gathers):
            raise ValueError(f"{self.name}: either triggers open it, or it gathers other kinds")
        if self.gathers and (self.place != "city" or self.supports):
            raise ValueError(f"{self.name}: what gathers is of the city and has no alerts")
        if self.because and not self.gathers:
            raise ValueError(f"{self.name}: because belongs to what gathers")
        if self.fold and self.place != "topology":
            raise ValueError(f"{self.name}: only what hangs on a topology can be folded")
        return self

    def role(self, rule: str) -> Literal["trigger", "support"] | None:
        """Return what an alert of this rule is to the incident; None = nothing."""
        if any(fnmatchcase(rule, pattern) for pattern in self.triggers):
            return "trigger"
        return "support" if any(fnmatchcase(rule, p) for p in self.supports) else None

    def is_because(self, rule: str) -> bool:
        """Tell whether an alert of this rule may be the common cause of what it gathers."""
        return any(fnmatchcase(rule, pattern) for pattern in self.because)

    def level(self, firing: list[int]) -> Severity:
        """Return the response level for the severities (1 to 4) of the alerts that fire."""
        for response in self.responses:
            if sum(severity <= response.worst for severity in firing) >= response.alerts:
                return response.level
        return Severity.BLUE


@cache
def incident_kinds() -> dict[str, IncidentKind]:
    """Return all declared kinds by name; read once per process. What folds comes first."""
    found = [_load(file) for file in sorted(files_of("incidents"), key=lambda f: f.stem)]
    kinds = {kind.name: kind for kind in sorted(found, key=lambda k: not k.fold)}
    for kind in found:
        if wrong := [n for n in kind.gathers if n not in kinds or kinds[n].gathers]:
            raise DeclarationError(f"{kind.name} gathers {', '.join(wrong)}: no kind with alerts")
    return kinds


def _load(path: Path) -> IncidentKind:
    kind = load_named(path, "INCIDENT", IncidentKind)
    owners = site().owners
    if unknown := {task.owner for task in kind.tasks} - set(owners):
        raise DeclarationError(
            f"{path}: no owner {', '.join(sorted(unknown))}; the site has {', '.join(owners)}"
        )
    return kind
