"""Tasks of incidents are records: given by level, late, gone and back with their incident."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.incident.acts import reopen_incident
from alerts.incident.tasks import finish_task
from catalog.errors import ForbiddenError
from records.act import act
from records.context import Context, Grant
from records.loop import tick
from records.verify import verify_states
from tests.support.alerting import Desk
from tests.support.incidents import acts, notifying_each, only, page, ponding

OTHER = "waterlogging-510104-02"


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    return notifying_each(desk, tmp_path)


def states(desk: Desk) -> dict[str, str]:
    rows = desk.conn.execute(
        "SELECT split_part(fields ->> 'what', '.', 2), state FROM records WHERE kind = 'task'"
        " ORDER BY id"
    )
    return dict(rows.fetchall())


def pass_time(desk: Desk, **passed: float) -> None:
    desk.now += timedelta(**passed)
    tick(desk.conn, lambda _: desk.now)
    desk.later(seconds=0)
    desk.later(seconds=0)


def test_tasks_come_with_the_level_go_with_the_incident_and_come_back(desk: Desk) -> None:
    desk.take(ponding(0))
    desk.later(seconds=1)
    assert states(desk) == {}, "a candidate gives no tasks"
    desk.take(ponding(1, OTHER))
    desk.later(seconds=1)
    desk.later(seconds=1)
    given = dict.fromkeys(("close", "pump", "detour", "stations"), "to_do")
    assert states(desk) == given, "each once, those of level III"
    desk.take(ponding(2, kind="changed", severity=1), ponding(3, OTHER, kind="changed", severity=1))
    desk.later(seconds=1)
    assert states(desk) == given | {"evacuate": "to_do"}
    incident = only(desk).id
    for _ in range(2):
        finish_task(desk.conn, incident, "pump", "wang", "two trucks", desk.now)
    pump = next(t for t in page(desk).tasks if t.name == "pump")
    assert (pump.done_by, pump.note, pump.done_at) == ("wang", "two trucks", desk.now)
    assert acts(desk, incident).count("task") == 1
    desk.take(ponding(300, kind="cleared"), ponding(301, OTHER, kind="cleared"))
    desk.later(seconds=1)
    over = dict.fromkeys((*given, "evacuate"), "lapsed") | {"pump": "done"}
    assert states(desk) == over
    room = (desk.notifier, desk.settings)
    reopen_incident(desk.conn, incident, "li", "still wet", *room, desk.now)
    desk.later(seconds=1)
    assert states(desk) == dict.fromkeys(over, "to_do") | {"pump": "done"}
    assert verify_states(desk.conn, "task") == []


def test_a_task_that_is_late_is_an_alert_until_its_owner_has_done_it(desk: Desk) -> None:
    desk.take(ponding(0), ponding(1, OTHER))
    desk.later(seconds=1)
    close = next(t for t in page(desk).tasks if t.name == "close")
    assert close.record is not None
    assert close.due_at == desk.now + timedelta(minutes=10)
    pass_time(desk, minutes=9, seconds=59)
    assert late(desk) == []
    pass_time(desk, seconds=1)
    assert late(desk) == [(f"task-{close.record}", "active")]
    owner, stranger = (
        Context(desk.conn, name, "api", "viewer", (Grant("emergency", "owner", name),))
        for name in ("traffic", "drainage")
    )
    with pytest.raises(ForbiddenError):
        act(stranger, "task", close.record, "done", reason="done")
    act(owner, "task", close.record, "done", reason="done")
    pass_time(desk, seconds=1)
    assert late(desk) == [(f"task-{close.record}", "cleared")]
    assert next(t for t in page(desk).tasks if t.name == "close").done_by == "traffic"


def late(desk: Desk) -> list[tuple[str, str]]:
    rows = desk.conn.execute("SELECT sensor, status FROM episodes WHERE rule = 'task.overdue_do'")
    return rows.fetchall()


def test_a_task_is_done_before_it_was_given(desk: Desk) -> None:
    desk.take(ponding(0))
    incident = only(desk).id
    finish_task(desk.conn, incident, "close", "li", "", desk.now)
    desk.take(ponding(1, OTHER))
    desk.later(seconds=1)
    assert states(desk)["close"] == "done"
    assert [t.done_by for t in page(desk).tasks if t.name == "close"] == ["li"]
