"""数字城管: 40 subclasses of 12 departments, the seven steps, the table of what may follow what."""

from catalog.lifecycle.checks import problems
from catalog.lifecycle.record import Record
from catalog.lifecycle.registry import records
from systems.urban.subclasses import BY_CODE, DEPARTMENTS, SUBCLASSES


def case() -> Record:
    return records()["case"]


def test_every_subclass_has_a_department_and_a_limit() -> None:
    assert (len(SUBCLASSES), len(BY_CODE), len(DEPARTMENTS)) == (40, 40, 12)
    assert {sub.department for sub in SUBCLASSES} == set(DEPARTMENTS)
    handle = case().clock("handle")
    assert handle is not None
    assert {code: handle.limits[code] for code in BY_CODE} == {
        sub.code: sub.limit for sub in SUBCLASSES
    }
    units = {sub.limit.unit for sub in SUBCLASSES}
    assert units == {"urgent_hours", "working_hours", "working_days"}


def test_the_seven_steps_follow_each_other() -> None:
    """Each main move leads to where the next one begins."""
    main = ("file", "dispatch", "receive", "feed_back", "check", "pass", "close")
    state = case().initial
    for name in main:
        move = case().move(name)
        assert move is not None and state in move.from_states, name
        state = move.to or state
    assert case().state(state).final


def test_departments_can_neither_check_nor_close_their_own_work() -> None:
    for name in ("check", "pass", "rework", "close", "force_close", "grant_delay", "file"):
        move = case().move(name)
        assert move is not None and "department" not in move.roles, name


def test_what_the_public_reads_holds_no_person() -> None:
    public = {field.name for field in case().all_fields if field.public}
    assert not public & {"phone", "source", "sensor", "photos_after"}


def test_open311_shows_public_fields_only() -> None:
    shown = case().open311
    assert shown is not None and problems(case()) == []
    wrong = shown.model_copy(update={"description": "phone"})
    said = problems(case().model_copy(update={"open311": wrong}))
    assert said == ["open311: field phone is not public"]
