"""Row 24 of the fault matrix: what decides about alerts knows one clock, the database's.

A process whose own clock is days off, or is set back, then delays nothing and repeats nothing:
pauses, groups, escalations and the signature's time come from ``now_of`` or the query itself.
"""

import ast

from deploy.paths import ROOT

AT_THE_EDGE = ("commands/", "delivery/receiver.py")
"""What a person starts: it hands the time in, or shows messages; it decides nothing."""


def wall_clocks(source: str) -> list[str]:
    """Return the calls in a module that read the process's own wall clock."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        *(f.attr for f in calls if isinstance(f, ast.Attribute) and _reads(f)),
        *(f.id for f in calls if isinstance(f, ast.Name) and f.id == "SystemClock"),
    ]


def _reads(call: ast.Attribute) -> bool:
    module = call.value.id if isinstance(call.value, ast.Name) else ""
    return call.attr in ("now", "utcnow", "today") or (module, call.attr) == ("time", "time")


def test_no_decision_reads_a_process_own_clock() -> None:
    room = ROOT / "alerts"
    deciding = [
        path
        for path in room.rglob("*.py")
        if not str(path.relative_to(room)).startswith(AT_THE_EDGE)
    ]
    assert len(deciding) > 30
    assert {p.name: found for p in deciding if (found := wall_clocks(p.read_text()))} == {}


def test_a_clock_of_its_own_would_be_found() -> None:
    for line in ("datetime.now(UTC)", "time.time()", "SystemClock()", "clock.now()"):
        assert wall_clocks(f"at = {line}"), line
    assert not wall_clocks("at = time.monotonic(), now_of(conn), moment.time()")
