"""Load frames hold exactly what is asked; history files hold exactly what the live city says."""

import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from catalog.frames import bad_rows, decode, frame_headers
from catalog.registry import stream, streams
from catalog.topics import shard_of
from simulators import backfill, load
from simulators.__main__ import app
from simulators.core.chance import Chance
from simulators.core.city import City
from simulators.core.fleet import fleet_of
from simulators.default import StreamSimulator

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("sensors", [1, 30, 5_000])
def test_load_groups_hold_each_sensor_once(sensors: int) -> None:
    plan = load.Plan(1000, sensors, 1.0)
    seen: Counter[str] = Counter()
    for group in load.groups_of(plan):
        value, count = group.frame(int(NOW.timestamp() * 1e6), 1000, 10**9)
        headers = frame_headers(group.stream, "t", NOW)
        frame = decode(group.stream.name, value, [(k, v) for k, v in headers])
        assert frame.batch.num_rows == count == group.size
        assert not bad_rows(frame.batch)
        ids = set(frame.batch.column("sensor").to_pylist())
        assert {shard_of(i) for i in ids} == {group.shard}
        seen.update(ids)
    assert len(seen) == sensors
    assert set(seen.values()) == {1}


def test_load_frames_never_repeat_a_key() -> None:
    (group,) = load.groups_of(load.Plan(1000, 1, 1.0, ("noise",)))
    keys: set[tuple[object, object]] = set()
    total = 0
    for _ in range(3):
        value, count = group.frame(0, 1000, 700)
        batch = decode("noise", value, frame_headers(stream("noise"), "t", NOW)).batch
        keys |= set(zip(*(batch.column(i).to_pylist() for i in (0, 1)), strict=True))
        total += count
    assert total == len(keys)
    assert group.frame(0, 1000, 7)[1] == 7, "the last frame is cut to the exact number"


def test_held_means_all_acked_at_the_rate() -> None:
    plan = load.Plan(100, 10, 10.0)
    good = load.Report(1000, 1000, 1000, 0, 10.0)
    assert good.held(plan)
    assert not load.Report(1000, 1000, 1000, 0, 11.0).held(plan)
    assert not load.Report(1000, 1000, 999, 1, 10.0).held(plan)


def test_shares_are_exact() -> None:
    assert backfill.shares(10, [1, 1, 1]) == [3, 3, 4]
    assert sum(backfill.shares(12_345, [25, 2, 75, 6])) == 12_345


@pytest.mark.parametrize("count", [10, 60])
def test_backfill_says_what_the_city_says(tmp_path: Path, count: int) -> None:
    plan = backfill.Plan(days=0.25, until=NOW.timestamp(), sensors=count, names=("noise",), seed=4)
    (fleet,) = backfill.fleets(plan)
    told: list[int] = []
    path, rows = backfill.write(plan, fleet, tmp_path, told.append)
    with pa.ipc.open_stream(path) as file:
        expected = backfill.readings_expected(0.25, fleet)
        assert file.schema.metadata == {b"stream": b"noise", b"readings": b"%d" % expected}
        table = file.read_all()
    assert table.num_rows == rows == sum(told)
    assert rows == pytest.approx(expected, abs=count)
    assert len(set(table.column("sensor").to_pylist())) == count
    simulator = StreamSimulator(stream("noise"), 4, fleet_of(stream("noise"), Chance(4), count))
    same = simulator.readings(City(4), NOW.timestamp() - 21_600, NOW.timestamp())
    assert pa.Table.from_batches([same]).equals(table.replace_schema_metadata(None))
    assert not list(tmp_path.glob("*.part"))


def test_backfill_covers_every_stream(tmp_path: Path) -> None:
    plan = backfill.Plan(days=0.02, until=NOW.timestamp())
    for fleet in backfill.fleets(plan):
        path, rows = backfill.write(plan, fleet, tmp_path, lambda _: None)
        assert rows
        assert path.name == f"{fleet.stream.name}.arrows"
    assert len(list(tmp_path.iterdir())) == len(streams())


@pytest.mark.parametrize(
    ("free", "refused"),
    [(10**10, ""), (10**6, "the files alone need"), (30 * 10**6, "files and tables together")],
)
def test_backfill_tells_the_size_before_it_begins_and_refuses_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, refused: str
) -> None:
    monkeypatch.setattr("simulators.backfill.free_bytes", lambda _: free)
    line = ["backfill", "--days", "0.02", "--out", str(tmp_path / "new"), "-s", "grid_frequency"]
    many = CliRunner().invoke(app, [*line, "--sensors", "300"])
    assert "103,680 readings: 300 sensors, 0.02 days; about 1 min to make." in many.stdout
    assert (tmp_path / "new").exists() == (not refused)
    assert (many.exit_code, refused in many.stdout) == (1 if refused else 0, True)
    if free > 10**7:
        anyway = CliRunner().invoke(app, [*line, "--sensors", "300", "--anyway"])
        assert anyway.exit_code == 0


def test_free_bytes_of_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    assert backfill.free_bytes(tmp_path / "a" / "b") == pytest.approx(
        shutil.disk_usage(tmp_path).free, rel=0.1
    )
