"""What the declarations of incidents promise."""

from fnmatch import fnmatchcase

import pytest

from catalog.incident import IncidentKind, incident_kinds
from catalog.registry import streams

RULES = [s.rule_id(rule) for s in streams().values() for rule in s.rules]
KINDS = list(incident_kinds().values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_pattern_names_a_rule_that_exists(kind: IncidentKind) -> None:
    for pattern in (*kind.triggers, *kind.supports, *kind.because):
        assert any(fnmatchcase(rule, pattern) for rule in RULES), pattern


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_a_kind_has_a_plan_and_a_level_for_whatever_fires(kind: IncidentKind) -> None:
    assert kind.domain in {s.domain for s in streams().values()}
    texts = [kind.title, kind.plan, *(t.title for t in kind.tasks)]
    assert all(t.zh and t.en for t in texts)
    assert any(t.level == 4 for t in kind.tasks), "something to do from level IV on"
    levels = [kind.level([1] * n) for n in (1, 2, 3, 5, 20)]
    assert levels == sorted(levels, reverse=True), "more alerts, no lower level"
    assert kind.level([4]) == 4


def test_a_kind_either_has_alerts_or_gathers_others() -> None:
    rain = incident_kinds()["rainstorm"]
    given = rain.model_dump()
    assert rain.role("waterlogging.ponding") is None
    assert rain.is_because("weather.rain_3h")
    assert not rain.is_because("weather.gale")
    for wrong, why in (
        ({"triggers": ("a.b",)}, "either triggers"),
        ({"gathers": ()}, "either triggers"),
        ({"place": "district"}, "of the city"),
    ):
        with pytest.raises(ValueError, match=why):
            IncidentKind.model_validate(given | wrong)


def test_what_folds_is_asked_first() -> None:
    assert KINDS[0].name == "power_outage"
