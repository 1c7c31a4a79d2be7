"""Row 24 of the fault matrix: what decides about alerts knows one clock, the database's.

A process whose own clock is days off, or is set back, then delays nothing and repeats nothing:
pauses, groups, escalations and the signature's time come from ``now_of`` or the query itself.
"""

import ast

from deploy.paths import ROOT

AT_THE_EDGE = ("commands/", "delivery/receiver.py")
"""What a person starts: it hands the time in, or shows messages; it decides nothing."""
SHOWN: dict[str, int] = {"console/auth.py": 1, "console/login.py": 1, "console/live.py": 1}
"""Sessions, whose times are this process's own, and what the screens show; no act."""


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


def acting(source: str) -> list[str]:
    """Return what acts in a transaction by the process's own clock: it has a ``conn`` in hand."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, functions)]
    return [
        ast.unparse(node).splitlines()[0]
        for node in found
        if {"conn", "c"} & {argument.arg for argument in node.args.args}
        and wall_clocks(ast.unparse(node))
    ]


def test_no_act_of_a_page_or_an_api_reads_a_process_own_clock() -> None:
    files = [p for room in ("console", "records") for p in (ROOT / room).rglob("*.py")]
    assert len(files) > 90
    found = {f"{p.relative_to(ROOT)}": acting(p.read_text()) for p in files}
    assert {name: len(acts) for name, acts in found.items() if acts} == SHOWN, found


def test_an_act_by_a_clock_of_its_own_would_be_found() -> None:
    assert acting("do(lambda conn, who: acknowledge(conn, who, desk.clock.now()))")
    assert acting("def deed(conn, who):\n    end(conn, datetime.now(UTC))")
    assert not acting("def deed(conn, who):\n    end(conn, now_of(conn))")
    assert not acting("def show(now):\n    age(desk.clock.now())")


def test_a_clock_of_its_own_would_be_found() -> None:
    for line in ("datetime.now(UTC)", "time.time()", "SystemClock()", "clock.now()"):
        assert wall_clocks(f"at = {line}"), line
    assert not wall_clocks("at = time.monotonic(), now_of(conn), moment.time()")
