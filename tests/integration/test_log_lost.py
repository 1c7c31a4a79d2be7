"""Kafka's log lost, or restored from an older copy, under sink, worker and alerts engine."""

import shutil
from collections.abc import Iterator

import pytest

from catalog.topics import all_topics
from service.kafka import admin_client
from tests.support.lost_log import LONG_S, STREAMS, Copies, Platform, recovered, work_off
from tests.support.servers import OwnServers, Spawner, wait_until


@pytest.fixture
def platform(own_servers: OwnServers, dsn: str, spawn: Spawner) -> Platform:
    return Platform(own_servers, dsn, spawn)


@pytest.fixture
def copies(platform: Platform, database_server: str) -> Iterator[Copies]:
    made = Copies(platform, database_server)
    yield made
    made.drop()


@pytest.mark.timeout(300)
@pytest.mark.chaos
def test_a_lost_log_stops_everybody_until_new_log_and_then_all_of_the_new_one_counts(
    platform: Platform,
) -> None:
    platform.start()
    work_off(platform, 12)
    platform.kill()
    assert platform.own.broker is not None
    platform.own.broker.kill9()
    shutil.rmtree(platform.own.folder / "kafka" / "data")
    platform.own.start_broker()
    platform.make_topics()
    platform.send(40)  # the new log has grown past every offset of the old one
    platform.start(healthy=False)
    wait_until(lambda: platform.says("is another log"), LONG_S, "sink and worker say so")
    wait_until(lambda: len(platform.alerts()) == 1, LONG_S, "an alert says so")
    assert platform.rows() == list(range(12)), "nothing of it is read"
    assert "is another log" in platform.new_log()
    recovered(platform)


@pytest.mark.timeout(300)
@pytest.mark.chaos
def test_a_log_restored_from_an_older_copy_is_gone_on_with_where_it_was_written_on(
    platform: Platform, copies: Copies
) -> None:
    platform.start()
    work_off(platform, 12)
    copies.take_log()
    work_off(platform, 8)
    copies.put_back(log=True)
    platform.send(40)
    platform.start(healthy=False)
    wait_until(lambda: platform.says("was restored from an older copy"), LONG_S, "both say so")
    wait_until(lambda: len(platform.alerts()) == 1, LONG_S, "an alert says so")
    platform.new_log()
    recovered(platform)


@pytest.mark.timeout(300)
@pytest.mark.chaos
@pytest.mark.parametrize("log_too", [False, True], ids=["database", "database and log"])
def test_a_database_restored_older_than_the_log_reads_again_what_came_since(
    platform: Platform, copies: Copies, log_too: bool
) -> None:
    """Offsets and checkpoints are older as well: nobody need be asked, each row is there once."""
    platform.start()
    work_off(platform, 12)
    copies.take_database()
    work_off(platform, 5)
    if log_too:
        copies.take_log()
        work_off(platform, 8)
    copies.put_back(log=log_too, database=True)
    platform.sent = 17
    platform.start()
    wait_until(lambda: platform.rows() == list(range(17)), LONG_S, "what came since")
    work_off(platform, 10)
    wait_until(lambda: platform.minute() == 27, LONG_S, "the minute")
    assert (platform.flags(), platform.alerts()) == (0, [])


@pytest.mark.timeout(300)
@pytest.mark.chaos
def test_a_log_restored_older_than_a_restored_database_is_not_gone_on_with_in_silence(
    platform: Platform, copies: Copies
) -> None:
    platform.start()
    work_off(platform, 12)
    copies.take_log()
    work_off(platform, 5)
    copies.take_database()
    work_off(platform, 8)
    copies.put_back(log=True, database=True)
    platform.sent = 17
    platform.start(healthy=False)
    wait_until(lambda: platform.says("was restored from an older copy"), LONG_S, "both say so")
    wait_until(lambda: len(platform.alerts()) == 1, LONG_S, "an alert says so")
    platform.send(20)
    platform.new_log()
    recovered(platform)


@pytest.mark.timeout(300)
@pytest.mark.chaos
def test_topics_made_anew_under_a_running_platform_stop_it_until_new_log(
    platform: Platform,
) -> None:
    platform.start()
    work_off(platform, 12)
    admin = admin_client(platform.settings.kafka)
    ours = all_topics("city", STREAMS)
    admin.delete_topics(list(ours))
    wait_until(lambda: not set(ours) & set(admin.list_topics()), LONG_S, "topics gone")
    admin.close()
    platform.make_topics()
    wait_until(
        lambda: (platform.revive(healthy=False), platform.says("is another log"))[1],
        LONG_S,
        "both say",
    )
    wait_until(lambda: len(platform.alerts()) == 1, LONG_S, "an alert says so")
    platform.send(20)
    platform.new_log()
    recovered(platform)
