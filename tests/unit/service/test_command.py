"""Commands whose Kafka or PostgreSQL is away: one line that says what to do, exit code 1."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
from kafka.errors import KafkaTimeoutError

from catalog.errors import ContractError
from deploy.ports import LOOPBACK, free_port
from service.command import explain
from service.settings import Settings

AWAY = {
    "CITYOPS_KAFKA": f"{LOOPBACK}:{free_port()}",
    "CITYOPS_DSN": f"postgresql://c:secret@{LOOPBACK}:{free_port()}/c",
}
IMPATIENT = f"""
from service.command import run
from service.kafka import producer
run(lambda: producer("{AWAY["CITYOPS_KAFKA"]}", "test", bootstrap_timeout_ms=300))
"""
COMMANDS = {
    ("-m", "storage", "migrate"): "no PostgreSQL: connection to server",
    ("-m", "storage", "dead-letters", "list"): "no PostgreSQL: connection to server",
    ("-m", "alerts", "list"): "no PostgreSQL: connection to server",
    ("-c", IMPATIENT): f"no Kafka answers at {AWAY['CITYOPS_KAFKA']}",
}


def test_what_is_away_is_told_in_one_line_with_exit_code_1() -> None:
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(_run, COMMANDS))
    for done, words in zip(ended, COMMANDS.values(), strict=True):
        assert (done.returncode, done.stdout) == (1, ""), done
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: {words}")
        assert "make run" in line
        assert "secret" not in line


def _run(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    line, env = [sys.executable, *arguments], os.environ | AWAY
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)


def test_only_what_a_person_can_mend_is_told_in_a_line() -> None:
    settings = Settings()
    assert explain(ContractError("bad row", code="x", stage="storing"), settings) == "bad row"
    assert "migrate" in (explain(psycopg.errors.UndefinedTable("t"), settings) or "")
    assert settings.kafka in (explain(KafkaTimeoutError("t"), settings) or "")
    assert explain(psycopg.errors.SyntaxError("x"), settings) is None
    assert explain(ZeroDivisionError(), settings) is None
