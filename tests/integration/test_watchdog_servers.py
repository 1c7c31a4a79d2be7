"""Signs of life of the two servers, as the watchdog asks for them."""

import os
import signal

import pytest

from deploy import signs
from tests.support.servers import OwnServers


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_the_servers_answer_before_any_login_and_not_when_they_are_stopped(
    own_servers: OwnServers,
) -> None:
    bootstrap, dsn = own_servers.start_broker(), own_servers.start_database()
    assert own_servers.broker and own_servers.database
    ports = {"kafka": int(bootstrap.rpartition(":")[2])}
    ports["postgres"] = int(dsn.rpartition(":")[2].partition("/")[0])
    for name, child in (("kafka", own_servers.broker), ("postgres", own_servers.database)):
        assert signs.answers(name, ports) is True
        os.kill(child.pid, signal.SIGSTOP)
        assert signs.answers(name, ports) is False
        os.kill(child.pid, signal.SIGCONT)
