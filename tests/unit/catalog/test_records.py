"""The declaration of a record: a sound one loads, and a wrong one says what is wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.declared import DeclarationError
from catalog.errors import InvalidError
from catalog.lifecycle.checks import CHECKS, problems
from catalog.lifecycle.fields import RecordField
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from catalog.lifecycle.working_time import working_time
from records.steps import Given, Step, opening
from tests.support.repair import SOURCE, load_record, load_repair, write_system


@pytest.fixture
def repair() -> Record:
    return load_repair()


def test_a_sound_record_loads_with_its_system(repair: Record) -> None:
    assert problems(repair) == []
    assert (repair.name, repair.system, repair.initial) == ("repair", "works", "new")
    assert repair.field("lon") is not None
    assert repair.state("gone").title.en == "gone"


def test_every_declared_record_is_sound() -> None:
    assert [p for record in records().values() for p in problems(record)] == []


BEFORE_KPIS = "public=True,\n    kpis"


def told(events: str = '{"give": "given"}') -> str:
    return f'told=Told(receivers="firm", severity="what", events={events}),\n    {BEFORE_KPIS}'


WRONG = {
    "names_are_unique": ('name="remark"', 'name="close"', "move 'close' is declared twice"),
    "reserved": ('name="remark"', 'name="undo"', "'undo' is a word of the platform's own"),
    "both_languages": ('text("返工", "Again")', 'text("Again", "Again")', "lacks Chinese"),
    "to": ('to="given"', 'to="givven"', "move give: to 'givven' is not declared"),
    "role": ('roles=("firm", "desk")', 'roles=("firms",)', "role 'firms' is not declared"),
    "need": ('needs=("firm",)', 'needs=("farm",)', "move give: field 'farm' is not declared"),
    "fixed": ('takes=("text",)', 'takes=("phone",)', "field phone is fixed"),
    "extends": ('field="hours")', 'field="text")', "extends mend by 'text', which is no number"),
    "rule": ('fields={"what": "lamp"}', "fields={}", "field what is required but not given"),
    "value": ('{"what": "lamp"}', '{"what": "lump"}', "what 'lump' is not one of the choices"),
    "fact": ('"sensor": "sensor"', '"sensor": "colour"', "fact of an alert 'colour'"),
    "engine": ('"public", "engine"', '"public"', "its roles include 'engine'"),
    "final": (", final=True", "", "no state is final"),
    "reached": ('to="waiting"', 'to="given"', "state waiting cannot be reached"),
    "reasons": ("reasons=(DONE,)", "reasons=()", "move close ends the record but gives no"),
    "limits": ('"lamp": Limit', '"lamb": Limit', "no limit for what lamp"),
    "clock": ('stops=("mend",)', 'stops=("give",)', None),
    "stopped": ('stops=("give", "mend")', 'stops=("give",)', None),
    "started": ('starts=("give",)', "starts=()", "clock give: nothing starts it"),
    "resumed": (
        'resumes=("mend", "give")',
        "resumes=()",
        "something pauses it, nothing resumes it",
    ),
    "scope": ('scope="firm"', 'scope="farm"', "role firm: scope 'farm' is not declared"),
    "dedupe": ('dedupe=("sensor",)', 'dedupe=("sansor",)', "dedupe 'sansor' is not declared"),
    "kpi": ('Count(when="due", name="mend")', 'Count(when="due", name="x")', "KPI in_time: clock"),
    "quick": (
        'note=True,\n        ),\n        Move(\n            name="resume"',
        'note=True,\n            quick=True,\n        ),\n        Move(\n            name="resume"',
        "move hold: is quick, but asks for something",
    ),
    "due": ('takes=("photos", "hours"),', 'due=Due(field="text"),', "'engine' is one of its roles"),
    "due_field": (
        'takes=("photos", "hours"),',
        'due=Due(field="text"),',
        "'text' is no field of kind time",
    ),
    "told": (BEFORE_KPIS, told(events='{"giv": "given"}'), "told: move 'giv' is not declared"),
    "told_names": (BEFORE_KPIS, told(), "'firm' is no field of kind names"),
    "told_level": (BEFORE_KPIS, told(), "what is no level from 1 to 4"),
    "score": ('Term(kpi="in_time"', 'Term(kpi="intime"', "KPI score: KPI 'intime'"),
}


@pytest.mark.parametrize(("good", "bad", "said"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_record_says_what_is_wrong(
    tmp_path: Path, good: str, bad: str, said: str | None
) -> None:
    file = write_system(tmp_path) / "records" / "repair.py"
    assert good in SOURCE
    file.write_text(SOURCE.replace(good, bad), encoding="utf-8")
    if said is None:  # another move still stops the clock
        assert load_record(file).name == "repair"
        return
    with pytest.raises(DeclarationError) as caught:
        load_record(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_state_without_a_way_out_is_named(tmp_path: Path) -> None:
    file = write_system(tmp_path) / "records" / "repair.py"
    without = SOURCE.replace(
        'from_states=("new", "given", "waiting", "done")', 'from_states=("new",)'
    )
    file.write_text(without.replace('from_states=("waiting",)', 'from_states=("new",)'), "utf-8")
    with pytest.raises(DeclarationError, match="no way leads from state waiting to an end"):
        load_record(file)


def test_every_check_has_its_word() -> None:
    assert all(check.__doc__ for check in CHECKS)


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [
        ("text", "  leaks \n", "leaks"),
        ("text", "   ", None),
        ("hours", 2.5, 2.5),
        ("what", "pump", "pump"),
        ("seen", "2026-10-01T08:00:00+08:00", "2026-10-01T00:00:00+00:00"),
        ("photos", [3, 3, 4], [3, 4]),
        ("firm", None, None),
    ],
)
def test_values_are_read(repair: Record, name: str, given: Any, stored: Any) -> None:
    assert _field(repair, name).read(given) == stored


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("text", 5, "is no text"),
        ("text", "a" * 201, "longer than 200"),
        ("text", "a\x00b", "control characters"),
        ("text", "\ud800", "no valid Unicode"),
        ("hours", True, "is no number"),
        ("hours", "2", "is no number"),
        ("hours", float("nan"), "is not finite"),
        ("hours", float("inf"), "is not finite"),
        ("hours", 101, "lies outside"),
        ("what", "tree", "not one of the choices"),
        ("what", ["lamp"], "not one of the choices"),
        ("seen", "yesterday", "is no time"),
        ("seen", "2026-10-01T08:00:00", "with a zone"),
        ("seen", "0001-01-01T00:00:00+08:00", "no time of this age"),
        ("photos", "1", "is no list"),
        ("photos", [True], "no list of attachments"),
        ("photos", [0], "no list of attachments"),
        ("photos", list(range(1, 30)), "at most 20"),
    ],
)
def test_hostile_values_are_refused(repair: Record, name: str, given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _field(repair, name).read(given)


def _field(record: Record, name: str) -> RecordField:
    field = record.field(name)
    assert field is not None
    return field


NAMES = RecordField.model_validate(
    {"name": "crew", "title": {"zh": "班组", "en": "Crew"}, "kind": "names"}
)


def test_names_are_a_list_each_once() -> None:
    assert NAMES.read([" a ", "b", "a", ""]) == ["a", "b"]
    for given in ("a", [1], ["a\x00"], ["a"] * 201):
        with pytest.raises(ValueError, match=r"is no |holds control"):
            NAMES.read(given)


def test_an_opening_fills_in_defaults_and_refuses_a_time_that_has_passed() -> None:
    record, now = records()["drill"], datetime(2026, 11, 24, 4, tzinfo=UTC)
    given = {"title": "t", "instruction": "i"}

    def opened(**more: object) -> Step:
        return opening(record, Given(given | more), now, working_time())

    assert opened().changes == given | {"severity": "2", "minutes": 30}
    assert opened(severity="1", minutes=5).changes["minutes"] == 5
    just, before = (now - timedelta(seconds=s) for s in (50, 70))
    assert opened(starts_at=just.isoformat()).changes["starts_at"] == just.isoformat()
    with pytest.raises(InvalidError, match="starts_at has passed"):
        opened(starts_at=before.isoformat())
    with pytest.raises(InvalidError, match="minutes lies outside"):
        opened(minutes=0)
