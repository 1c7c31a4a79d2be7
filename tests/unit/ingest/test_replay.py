"""Replay: maps become readings, refusals have lines, a resumed run is exact."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import FatalError
from catalog.registry import streams
from ingest.readings import FieldError
from ingest.replay.command import MAPS
from ingest.replay.map import load_map
from ingest.replay.run import BATCH, Refusal, Replay, shift_seconds
from ingest.replay.state import StateFile, digest

AIR = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,wd,WSPM,station\n"
JUNCTIONS = ("280", "269", "300", "256", "289", "415", "302", "306", "307", "317", "14", "422")
PUMPS = (*(f"PU{n}" for n in range(1, 12)), "V2")
WATER = ["DATETIME", *(f"P_J{j}" for j in JUNCTIONS), *(f"F_{p}" for p in PUMPS), "ATT_FLAG"]


class Gateway:
    """Keeps what is sent; refuses sensors named ``bad``; breaks off when told to."""

    def __init__(self, break_after: int | None = None) -> None:
        self.stored: list[dict[str, Any]] = []
        self._left = break_after

    def send(self, readings: list[dict[str, Any]]) -> list[FieldError]:
        errors = [
            FieldError(i, "sensor", "sensor", "bad")
            for i, reading in enumerate(readings)
            if reading["sensor"] == "bad"
        ]
        if not errors:
            if self._left == 0:
                raise ConnectionError
            self._left = None if self._left is None else self._left - 1
            self.stored += readings
        return errors


class AtOnce:
    def is_due(self, at: datetime) -> bool:
        return True

    def wait(self, at: datetime) -> None:
        raise AssertionError("nothing to wait for")


def replay(
    folder: Path,
    text: str,
    name: str,
    *,
    file: str = "sample.csv",
    refused: Callable[[Refusal], None] = lambda _: None,
    sensor: str | None = None,
) -> Replay:
    path = folder / file
    path.write_text(text, encoding="utf-8")
    map_path = MAPS / f"{name}.toml"
    stream = next(s for s in streams().values() if f'stream = "{s.name}"' in map_path.read_text())
    plan = load_map(map_path, stream, sensor)
    return Replay(path, plan, StateFile(folder, digest(path, name)), refused)


def sent(made: Replay) -> list[dict[str, Any]]:
    gateway = Gateway()
    list(made.run(gateway, AtOnce()))
    return gateway.stored


def test_every_shipped_map_fits_its_stream() -> None:
    paths = sorted(MAPS.glob("*.toml"))
    assert len(paths) >= 7
    for path in paths:
        fits = [s for s in streams().values() if f'stream = "{s.name}"' in path.read_text("utf-8")]
        assert len(fits) == 1, path
        load_map(path, fits[0])


def test_air_is_converted_and_missing_left_out(tmp_path: Path) -> None:
    row = "1,2015,11,1,8,83.0,,9.0,104.0,1900.0,7.0,2.9,1023.2,0.6,0.0,E,1.1,Testville\n"
    assert sent(replay(tmp_path, AIR + row, "prsa_air")) == [
        {
            "sensor": "prsa-Testville",
            "observed_at": "2015-11-01T00:00:00+00:00",
            "pm25": 83.0,
            "so2": 9.0,
            "no2": 104.0,
            "co": pytest.approx(1.9),
            "o3": 7.0,
        }
    ]


def test_mph_become_km_h_named_by_the_file(tmp_path: Path) -> None:
    text = "timestamp,value\n2015-09-01 11:25:00,50\n"
    (reading,) = sent(replay(tmp_path, text, "nab_speed", file="speed_x1.csv"))
    assert (reading["sensor"], reading["observed_at"]) == ("speed_x1", "2015-09-01T16:25:00+00:00")
    assert reading["speed_km_h"] == pytest.approx(80.4672)


def test_one_row_of_a_network_is_many_sensors(tmp_path: Path) -> None:
    text = ",".join(WATER) + "\n04/07/16 01," + ",".join(["10"] * 24) + ",0\n"
    readings = {r["sensor"]: r for r in sent(replay(tmp_path, text, "batadal"))}
    assert len(readings) == 24
    assert readings["batadal-J14"]["pressure_mpa"] == pytest.approx(0.0980665)
    assert readings["batadal-PU1"]["flow_m3_h"] == pytest.approx(36.0)


def test_sensor_option_replaces_the_name(tmp_path: Path) -> None:
    text = "date,OT\n2016-07-01 00:00:00,30.5\n"
    (reading,) = sent(replay(tmp_path, text, "etth1", sensor="tr-{1}"))
    assert (reading["sensor"], reading["oil_temp_c"]) == ("tr-{1}", 30.5)


def test_refusals_name_line_and_rule_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = (
        "2016-07-01 00:00:00,1\n"  # line 2, good
        "yesterday,2\n"
        "2016-07-01 02:00:00,hot\n"
        "2016-07-01 03:00:00,\n"
        "2016-07-01 04:00:00,5,6\n"
        "2016-07-01 05:00:00,inf\n"
        "2016-07-01 06:00:00,7\n"
    )
    found: list[Refusal] = []
    made = replay(tmp_path, "date,OT\n" + rows, "etth1", refused=found.append)
    assert [r["oil_temp_c"] for r in sent(made)] == [1.0, 7.0]
    assert [(r.line, r.error.rule) for r in found] == [
        (3, "time"),
        (4, "number"),
        (5, "no_metric"),
        (6, "columns"),
        (7, "number"),
    ]
    assert made.progress.accepted == 2
    assert made.progress.refused == {"time": 1, "number": 2, "no_metric": 1, "columns": 1}


def test_what_the_gateway_refuses_has_its_line(tmp_path: Path) -> None:
    text = "No,year,month,day,hour,TEMP,PRES,RAIN,WSPM,station\n"
    text += "1,2015,1,1,1,1,1000,0,1,ok\n2,2015,1,1,2,2,1000,0,1,bad\n"
    plan = (MAPS / "prsa_weather.toml").read_text("utf-8").replace("prsa-{station}", "{station}")
    (tmp_path / "m.toml").write_text(plan)
    (tmp_path / "f.csv").write_text(text)
    found: list[Refusal] = []
    loaded = load_map(tmp_path / "m.toml", streams()["weather"])
    made = Replay(tmp_path / "f.csv", loaded, StateFile(tmp_path, "k"), found.append)
    assert [r["sensor"] for r in sent(made)] == ["ok"]
    assert [(r.line, r.sensor, r.error.rule) for r in found] == [(3, "bad", "sensor")]


def test_a_broken_run_resumes_without_loss_or_repeat(tmp_path: Path) -> None:
    start, count = datetime(2016, 7, 1), 2 * BATCH + 100
    lines = [f"{start + timedelta(minutes=i)},{i}" for i in range(count)]
    text = "date,OT\n" + "\n".join(lines) + "\n"
    first, second = Gateway(break_after=1), Gateway()
    with pytest.raises(ConnectionError):
        list(replay(tmp_path, text, "etth1").run(first, AtOnce()))
    assert len(first.stored) == BATCH
    resumed = replay(tmp_path, text, "etth1")
    list(resumed.run(second, AtOnce()))
    both = [r["oil_temp_c"] for r in first.stored + second.stored]
    assert both == [float(i) for i in range(count)]
    assert (resumed.progress.accepted, resumed.progress.done) == (count, True)


def test_pace_sends_what_is_due_before_it_waits(tmp_path: Path) -> None:
    gateway, waits = Gateway(), []

    class Paced:
        due = datetime(2016, 6, 30, 16, tzinfo=UTC)

        def is_due(self, at: datetime) -> bool:
            return at <= self.due

        def wait(self, at: datetime) -> None:
            waits.append(len(gateway.stored))
            self.due = at

    text = "date,OT\n2016-07-01 00:00:00,1\n2016-07-01 01:00:00,2\n2016-07-01 02:00:00,3\n"
    list(replay(tmp_path, text, "etth1").run(gateway, Paced()))
    assert waits == [1, 2]
    assert len(gateway.stored) == 3


def test_shift_never_leads_into_the_future() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)

    class Fixed:
        def now(self) -> datetime:
            return now

        def monotonic(self) -> float:
            return 0.0

    first, last = datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC)
    for speed, anchor in ((1.0, first), (60.0, last), (None, last)):
        shift = shift_seconds(Fixed(), first, last, speed)
        assert anchor + timedelta(seconds=shift) == now
        assert math.isfinite(shift)


def test_map_keeps_only_wanted_rows(tmp_path: Path) -> None:
    extra = '[[where]]\ncolumn = "station"\nvalues = ["A"]\n'
    (tmp_path / "m.toml").write_text((MAPS / "prsa_weather.toml").read_text("utf-8") + extra)
    text = "year,month,day,hour,TEMP,PRES,RAIN,WSPM,station\n"
    (tmp_path / "f.csv").write_text(text + "2015,1,1,1,1,1000,0,1,A\n2015,1,1,1,1,1000,0,1,B\n")
    plan = load_map(tmp_path / "m.toml", streams()["weather"])
    made = Replay(tmp_path / "f.csv", plan, StateFile(tmp_path, "k"))
    assert [r["sensor"] for r in sent(made)] == ["prsa-A"]
    assert (made.progress.rows, made.progress.filtered, made.progress.refused) == (2, 1, {})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"transformer"', '"noise"', "for stream noise"),
        ("oil_temp_c", "oil", "oil: transformer has load_pct"),
        ("Asia/Shanghai", "Mars/Base", "no time zone 'Mars/Base'"),
        ("column =", "colum =", "colum: Extra inputs"),
        ("[[sensors]]", "[[sensors", "map "),
    ],
)
def test_a_wrong_map_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text((MAPS / "etth1.toml").read_text("utf-8").replace(old, new))
    with pytest.raises(FatalError, match=says):
        load_map(path, streams()["transformer"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("date,OT\n", "a header and no rows"),
        ("date,TEMP\n2016-07-01 00:00:00,1\n", "no column OT; it has date, TEMP"),
        ("date,OT,ot ,OT\n", "OT is there more than once"),
        ("date,OT\n01.07.2016,1\n", "the first: time data '01.07.2016' does not match"),
    ],
)
def test_a_file_that_cannot_be_replayed_says_why(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(FatalError, match=says):
        replay(tmp_path, text, "etth1").survey()


def test_only_plain_numbers_are_numbers(tmp_path: Path) -> None:
    cells = ["1_000", "٥", "1,5", "0x10", "5e1", " 51 "]
    rows = [f'2016-07-01 {hour:02}:00:00,"{cell}"\n' for hour, cell in enumerate(cells)]
    made = replay(tmp_path, "date,OT\n" + "".join(rows), "etth1")
    assert [r["oil_temp_c"] for r in sent(made)] == [50.0, 51.0]
    assert made.progress.refused == {"number": 4}
