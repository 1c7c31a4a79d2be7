"""The audit log's anchors: whoever owns the database rewrites nothing unseen."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from storage import audit
from storage.anchors import Anchors
from tests.support.servers import Spawner, outer_environment, wait_until

REWRITE = """
DO $$ DECLARE one audit; before text := ''; BEGIN
    FOR one IN SELECT * FROM audit ORDER BY seq LOOP
        one.previous_hash := before;
        before := encode(sha256(convert_to(audit_line(one), 'UTF8')), 'hex');
        UPDATE audit SET previous_hash = one.previous_hash, hash = before WHERE seq = one.seq;
    END LOOP;
END $$"""
"""What the owner of the database can do: the whole chain anew."""


@pytest.fixture
def owner(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


def act(conn: Connection, count: int) -> None:
    for number in range(count):
        audit.record(conn, "test", "act", f"target-{number}")


def forge(conn: Connection, change: str) -> None:
    conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")
    conn.execute(change.encode())
    conn.execute(REWRITE.encode())
    conn.execute("ALTER TABLE audit ENABLE TRIGGER USER")


def test_a_chain_that_was_written_anew_is_seen_and_its_rows_are_named(
    owner: Connection, tmp_path: Path
) -> None:
    anchors = Anchors(tmp_path)
    for count in (3, 4, 2):
        act(owner, count)
        assert anchors.add(owner).broken_at is None
    assert anchors.verify(owner).words().startswith("whole: 9 rows, 3 anchors, head ")
    assert anchors.add(owner).anchors == 3, "nothing new, no anchor"
    forge(owner, "UPDATE audit SET who = 'nobody' WHERE seq = 5")
    assert audit.verify(owner).whole, "the chain alone shows nothing"
    found = anchors.verify(owner)
    assert found.broken_at == 4
    assert "of rows 4 to 7 some are not those that were anchored then" in found.why
    seen = anchors.add(owner)
    assert seen.broken_at is not None, "seen at the next anchor, not only when somebody asks"
    assert len(anchors.read()) == 3


def test_rows_that_are_cut_off_the_end_are_missed(owner: Connection, tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    act(owner, 3)
    anchors.add(owner)
    act(owner, 2)
    anchors.add(owner)
    forge(owner, "DELETE FROM audit WHERE seq = 5")
    assert audit.verify(owner).whole
    found = anchors.verify(owner)
    assert (found.broken_at, "cut off" in found.why) == (4, True)


def test_new_anchors_for_a_rewritten_log_want_the_key(owner: Connection, tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    act(owner, 3)
    anchors.add(owner)
    forge(owner, "UPDATE audit SET who = 'nobody' WHERE seq = 2")
    file = tmp_path / "audit" / "anchors"
    line = json.loads(file.read_text())
    row = owner.execute("SELECT hash FROM audit WHERE seq = 3").fetchone()
    assert row is not None
    file.write_text(json.dumps(line | {"hash": row[0]}) + "\n")
    found = anchors.verify(owner)
    assert (found.broken_at, "not signed with this key" in found.why) == (1, True)


def test_key_and_anchors_are_for_their_owner_alone_and_survive_a_torn_line(
    owner: Connection, tmp_path: Path
) -> None:
    anchors = Anchors(tmp_path)
    act(owner, 1)
    anchors.add(owner)
    folder = tmp_path / "audit"
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})
    with (folder / "anchors").open("a") as file:
        file.write('{"seq": 2, "ha')
    act(owner, 1)
    anchors.add(owner)
    assert anchors.verify(owner).anchors == 2


def test_a_restored_database_keeps_the_anchors_it_meets(owner: Connection, tmp_path: Path) -> None:
    anchors = Anchors(tmp_path)
    for _ in range(3):
        act(owner, 1)
        anchors.add(owner)
    forge(owner, "DELETE FROM audit WHERE seq > 2")
    assert anchors.cut(owner) == 1
    act(owner, 1)
    assert anchors.add(owner).anchors == 3
    assert anchors.verify(owner).broken_at is None


def test_keep_anchors_by_itself_and_says_in_red_what_was_changed(
    dsn: str, owner: Connection, spawn: Spawner
) -> None:
    act(owner, 2)
    keep = spawn("storage", "keep", name="keep", env={"CITYOPS_ANCHOR_S": "0.5"})
    state = keep.log.parent
    wait_until(lambda: len(Anchors(state).read()) == 1, 30.0, "an anchor")
    forge(owner, "UPDATE audit SET who = 'nobody' WHERE seq = 1")
    said = "audit log broken at row 1"
    wait_until(lambda: said in keep.health().get("reason", ""), 30.0, "keep says so")
    line = [sys.executable, "-m", "console", "verify-audit"]
    env = outer_environment() | {"CITYOPS_DSN": dsn, "CITYOPS_STATE_DIR": str(state)}
    done = subprocess.run(line, env=os.environ | env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "broken at row 1" in done.stdout) == (1, True)
