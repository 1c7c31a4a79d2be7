"""A process waits at its start for what is away; it dies only of what waiting cannot mend."""

import threading

import psycopg
import pytest
from kafka.errors import KafkaConnectionError

from service import waiting
from service.vitals import Vitals
from service.waiting import wait_for


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE_S", 0.01)


def test_it_asks_again_until_all_answers_and_says_meanwhile_what_it_waits_for() -> None:
    vitals, reasons = Vitals("worker"), list[str]()
    starting = psycopg.errors.CannotConnectNow("the database system is starting up")
    away = [KafkaConnectionError("nobody"), ConnectionRefusedError("refused"), starting]

    def attempt() -> str:
        reasons.append(vitals.health().reason)
        if away:
            raise away.pop(0)
        return "there"

    assert wait_for("the servers", attempt, vitals, threading.Event()) == "there"
    assert reasons[0] == "starting"
    assert [reason.partition(":")[0] for reason in reasons[1:]] == ["waits for the servers"] * 3
    assert "starting up" in reasons[3]
    assert vitals.health().reason == "starting"


def test_it_ends_when_the_process_is_told_to() -> None:
    stop = threading.Event()

    def attempt() -> None:
        stop.set()
        raise ConnectionRefusedError

    assert wait_for("Kafka", attempt, Vitals("gateway"), stop) is None


def test_what_waiting_cannot_mend_is_raised() -> None:
    def attempt() -> None:
        raise psycopg.errors.InvalidPassword("no")

    with pytest.raises(psycopg.errors.InvalidPassword):
        wait_for("PostgreSQL", attempt, Vitals("sink"), threading.Event())
