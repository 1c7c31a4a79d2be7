"""The simulated signs answer where records ask them, and go dark with their feeder."""

from pathlib import Path

import httpx
import pytest

from catalog.plan.device import devices
from deploy.paths import Layout
from deploy.plan import port_wishes, processes
from deploy.ports import free_port
from deploy.runtime import Addresses
from deploy.up import _own
from records.plans.devices import Fleet
from service.clock import SystemClock
from simulators.core.city import City
from simulators.core.events import Event
from simulators.physics.power import feeders_out
from simulators.signs import Signs

CHOSEN = dict.fromkeys(port_wishes(), 1) | {"signs": 8901}


def told(name: str, folder: Path) -> dict[str, str]:
    process = next(p for p in processes() if p.name == name)
    return _own(Layout(folder), process, CHOSEN, Addresses("k", "postgresql://x")).environment


def test_records_ask_where_the_city_answers(tmp_path: Path) -> None:
    port = free_port()
    assert told("city", tmp_path)["CITYOPS_SIGNS_PORT"] == "8901"
    address = told("records", tmp_path)["CITYOPS_DEVICES"].replace("8901", str(port))
    stop = Signs(SystemClock().monotonic).serve(port)[1]
    fleet = Fleet(address)
    try:
        assert all(
            httpx.get(address.partition("=")[2].replace("{id}", id)).json()["status"] == "ok"
            for id in devices()["sign"]
        )
        assert fleet.has("sign")
    finally:
        fleet.close()
        stop()


def test_signs_of_ones_own_are_not_overridden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYOPS_DEVICES", "sign=https://signs.example/{id}")
    assert "CITYOPS_DEVICES" not in told("records", tmp_path)


def test_signs_are_dark_while_their_feeder_is_out() -> None:
    sign = devices()["sign"]["sign-08-10"]
    trip = Event(id="x", name="feeder_trip", start=100.0, duration_s=60.0, where=sign.parent or "")
    city, signs = City(1, [trip]), Signs(lambda: 0.0)
    for at, dark in ((99.0, False), (100.0, True), (159.0, True), (160.0, False)):
        signs.without_power(feeders_out(city, at))
        found = {id for id, s in signs.by_id.items() if not s.powered}
        assert (sign.id in found) is dark
        assert all(devices()["sign"][id].parent == sign.parent for id in found)
