"""Joint rules on a real database: judged once, raised as an alert, explained, and ended."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from psycopg import Connection

from alerts.delivery.links import links_of
from alerts.episode.models import AlertFilter
from alerts.episode.queries import find_alerts, get_alert
from alerts.routing.notify import Notifier
from alerts.routing.routes import read_routes
from alerts.settings import AlertSettings
from alerts.sources.joint import take_joint
from catalog.joint import joint_rules
from forecasts.joint import round as round_module
from forecasts.joint.groups import Gathered, groups_of
from forecasts.joint.round import due_groups, end_forgotten, judge_group
from service.postgres import connect, now_of

END = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS, EVENT_H = 21, 12
RULE = "water.zone"
DISTRICT = "510104"


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """A database in which one water zone has weeks of hours, its last ones falsified."""
    with connect(dsn, "test", autocommit=True) as opened:
        _fill(opened)
        yield opened


def _fill(conn: Connection) -> None:
    rng, hours = np.random.default_rng(1), DAYS * 24 + EVENT_H
    names = [
        name
        for (name,) in conn.execute(
            "SELECT sensor FROM sensors WHERE stream = 'water_supply' AND district = %s", [DISTRICT]
        )
    ]
    demand = 10 + 4 * np.sin(np.arange(hours) / 24 * 2 * np.pi)
    demand += np.convolve(rng.normal(size=hours), [0.5] * 4)[:hours]
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "COPY rollup_1h_water_supply (sensor, window_start, revision, n, pressure_mpa_sum,"
            " pressure_mpa_used, flow_m3_h_sum, flow_m3_h_used) FROM STDIN"
        ) as copy,
    ):
        for place, name in enumerate(names):
            flow = 40 * demand + 2 * rng.normal(size=hours) + 10 * place
            pressure = 0.4 - 0.005 * demand + 0.0005 * rng.normal(size=hours)
            if place == 0:  # falsified: what it showed 36 hours before, half a day out of step
                pressure[DAYS * 24 :] = pressure[DAYS * 24 - 36 : DAYS * 24 - 36 + EVENT_H]
            for hour in range(hours):
                at = END + (hour - DAYS * 24) * HOUR
                row = (float(pressure[hour] * 120), 120, float(flow[hour] * 120), 120)
                copy.write_row((name, at, 1, 120, *row))


def _group(conn: Connection) -> Gathered:
    return next(g for g in groups_of(conn, joint_rules()[RULE]) if g.key == DISTRICT)


def _take(conn: Connection) -> int:
    settings = AlertSettings()
    notifier = Notifier(read_routes(settings.routes_file), links_of(settings))
    with conn.transaction():
        return take_joint(conn, notifier, settings, now_of(conn))


def test_a_zone_is_judged_once_an_hour_raised_explained_and_ended(
    conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = _group(conn)
    assert judge_group(conn, group, END) == 1
    assert judge_group(conn, group, END) == 0, "again changes nothing"
    assert group.subject not in {g.subject for g in due_groups(conn, END)}
    assert _take(conn) == 0, "nothing is wrong yet"

    # a round that is killed leaves nothing, and the next does all of it
    def dies(*_: object) -> None:
        raise psycopg.OperationalError("killed before the group's row")

    last = END + EVENT_H * HOUR
    with monkeypatch.context() as patched:
        patched.setattr(round_module.store, "save", dies)
        with pytest.raises(psycopg.OperationalError):
            judge_group(conn, group, last)
    assert conn.execute("SELECT count(*) FROM joint_events").fetchone() == (0,)

    # two processes at once: the hours are judged by one of them
    def judge() -> int:
        with connect(dsn, "test", autocommit=True) as other:
            return judge_group(other, group, last)

    with ThreadPoolExecutor(2) as pool:
        done = [job.result() for job in [pool.submit(judge), pool.submit(judge)]]
    assert sorted(done) == [0, EVENT_H]
    assert conn.execute("SELECT count(*) FROM joint_scores").fetchone() == (EVENT_H + 1,)

    assert _take(conn) == 1
    assert _take(conn) == 0
    (alert,) = find_alerts(conn, AlertFilter(rule=[RULE]))
    assert (alert.stream, alert.sensor, alert.unit) == ("groups", group.subject, "×")
    assert END < alert.raised_at <= last
    assert alert.all_labels["district"] == DISTRICT
    assert alert.explanation is not None
    worst = alert.explanation["signals"][0]
    assert (worst["sensor"], worst["metric"]) == (group.signals[0].sensor, "pressure_mpa")
    row = conn.execute(
        "SELECT body FROM alert_explanations WHERE episode = %s", [alert.id]
    ).fetchone()
    assert row is not None
    assert get_alert(conn, alert.id).alert.explanation == row[0]

    # nobody judges the group any more: its alert does not stand for ever
    assert end_forgotten(conn, last + 49 * HOUR) == 1
    assert _take(conn) == 1
    assert find_alerts(conn, AlertFilter(rule=[RULE])) == []
    assert get_alert(conn, alert.id).alert.status == "cleared"


def test_the_real_groups_of_the_systems_hold_the_sensors_they_name(conn: Connection) -> None:
    for rule in joint_rules().values():
        found = groups_of(conn, rule)
        assert found, f"{rule.id} has no group"
        for group in found:
            assert len(group.signals) >= rule.least
            assert {s.stream for s in group.signals} <= {part.stream for part in rule.signals}
    sections = groups_of(conn, joint_rules()["traffic.road_section"])
    assert any(len({s.stream for s in g.signals}) == 2 for g in sections), "detectors beside links"
    feeders = groups_of(conn, joint_rules()["grid.feeder_group"])
    assert any({s.stream for s in g.signals} == {"feeder", "water_supply"} for g in feeders)
