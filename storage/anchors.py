"""Anchors of the audit log: its head, signed with a key outside the database and kept outside it.

The log's own chain shows a careless change. Whoever owns the database may write the whole chain
anew; then it no longer meets its anchors, which nobody can make without the key. A row may be
rewritten unseen only before its first anchor, a minute at most. Each anchor is signed together with
the one before it (HMAC-SHA-256, RFC 2104), so that none can be changed or taken out of their midst.
What is cut off their end is seen by a copy kept elsewhere: the file, or the lines in keep's log.
"""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from psycopg import Connection

from storage import audit

FOLDER = "audit"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The log's head at a time, and the signature of it and of all anchors before."""

    seq: int
    hash: str
    at: str
    mac: str


START = Anchor(0, "", "", "")


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at log and anchors found; ``broken_at`` is the first row that may be wrong."""

    rows: int
    head: str
    anchors: int
    broken_at: int | None = None
    why: str = ""

    def words(self) -> str:
        """Return it in one line."""
        if self.broken_at is not None:
            return f"broken at row {self.broken_at}: {self.why}"
        return f"whole: {self.rows} rows, {self.anchors} anchors, head {self.head or '(empty)'}"


class Anchors:
    """The anchors of one platform, in a folder for its owner alone: ``key`` and ``anchors``."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._file = self._folder / "anchors"

    def add(self, conn: Connection) -> Found:
        """Anchor the rows that came since the last anchor, unless something is broken.

        ``conn`` may read the audit log. Rows that were anchored are not gone through again.
        """
        known = self.read()
        last = known[-1] if known else START
        if last.seq and (wrong := _unmet(conn, START, last)):
            return Found(0, "", len(known), *wrong)
        found = audit.verify(conn, last.seq, last.hash)
        if not found.whole:
            return Found(found.rows, found.head, len(known), found.broken_at, _CHANGED)
        if found.rows > last.seq:
            self._write(conn, last, found.rows, found.head)
        return Found(found.rows, found.head, len(known) + (found.rows > last.seq))

    def verify(self, conn: Connection) -> Found:
        """Go through the whole log and meet every anchor."""
        chain, known = audit.verify(conn), self.read()
        if not chain.whole:
            return Found(chain.rows, chain.head, len(known), chain.broken_at, _CHANGED)
        before = START
        for anchor in known:
            if not hmac.compare_digest(self._mac(before, anchor), anchor.mac):
                why = f"the anchor of {anchor.at} is not signed with this key: it was changed"
                return Found(chain.rows, chain.head, len(known), before.seq + 1, why)
            if wrong := _unmet(conn, before, anchor):
                return Found(chain.rows, chain.head, len(known), *wrong)
            before = anchor
        return Found(chain.rows, chain.head, len(known))

    def read(self) -> list[Anchor]:
        """Return all anchors, the oldest first; a last line that a crash has cut is left out."""
        try:
            lines = self._file.read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [Anchor(**json.loads(line)) for line in lines if line.endswith("\n")]

    def cut(self, conn: Connection) -> int:
        """Drop the anchors that a database restored on purpose does not meet; return how many."""
        known = self.read()
        kept = list(takewhile(lambda anchor: _unmet(conn, START, anchor) is None, known))
        if len(kept) < len(known):
            self._file.write_text("".join(map(_line, kept)))
        return len(known) - len(kept)

    def _write(self, conn: Connection, last: Anchor, seq: int, head: str) -> None:
        row: Any = conn.execute("SELECT now()").fetchone()
        bare = Anchor(seq, head, row[0].isoformat(timespec="seconds"), "")
        made = Anchor(bare.seq, bare.hash, bare.at, self._mac(last, bare))
        if self._file.exists() and not self._file.read_bytes().endswith(b"\n"):
            self._file.write_text("".join(map(_line, self.read())))  # a crash has cut its last line
        mode = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self._file, mode, 0o600), "a") as out:
            out.write(_line(made))
            out.flush()
            os.fsync(out.fileno())

    def _mac(self, before: Anchor, anchor: Anchor) -> str:
        said = json.dumps([before.mac, anchor.seq, anchor.hash, anchor.at])
        return hmac.new(self._key(), said.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        file = self._folder / "key"
        if not file.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(32) + "\n")
        return bytes.fromhex(file.read_text().strip())


_CHANGED = "it was changed, or one before it is gone"


def _unmet(conn: Connection, before: Anchor, anchor: Anchor) -> tuple[int, str] | None:
    """Return the first row that may be wrong, and why, unless the log still meets an anchor."""
    row = conn.execute("SELECT hash FROM audit WHERE seq = %s", [anchor.seq]).fetchone()
    if row == (anchor.hash,):
        return None
    rows = f"rows {before.seq + 1} to {anchor.seq}"
    fault = "are not those that were anchored then" if row else "were there then and are cut off"
    return before.seq + 1, f"at {anchor.at} the log had another head: of {rows} some {fault}"


def _line(anchor: Anchor) -> str:
    return json.dumps(asdict(anchor)) + "\n"
