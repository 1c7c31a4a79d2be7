"""What must move together does, by the size the references give."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from catalog.registry import stream
from catalog.sensors import downstream
from simulators.core.city import City
from simulators.core.events import Event
from simulators.core.scenarios import scenarios
from simulators.default import StreamSimulator
from simulators.physics import heating, ponding, power, rain, rivers, weather

BEIJING = timezone(timedelta(hours=8))
NOON = datetime(2026, 7, 14, 12, 0, tzinfo=BEIJING).timestamp()
HOUR = 3600.0
FEEDER = "feeder-510104-01"


def event(name: str, duration_s: float | None = None, start: float = NOON) -> Event:
    scenario = scenarios()[name]
    length = duration_s or scenario.duration_s
    return Event(id=name, name=name, start=start, duration_s=length, where=scenario.where)


def series(city: City, name: str, metric: str, sensor: str) -> np.ndarray:
    batch = StreamSimulator(stream(name), city.seed).readings(city, NOON - 600, NOON + HOUR)
    mine = np.array(batch.column("sensor").to_pylist()) == sensor
    return batch.column(metric).to_numpy(zero_copy_only=False)[mine]


def day_means(name: str, *metrics: str) -> list[np.ndarray]:
    """Return hourly means over all sensors of one day."""
    start = NOON - 12 * HOUR
    batch = StreamSimulator(stream(name), 1).readings(City(1), start, start + 24 * HOUR)
    at = batch.column("observed_at").to_numpy(zero_copy_only=False).astype("int64") / 1e6
    hours = ((at - start) // HOUR).clip(0, 23).astype(int)
    columns = [batch.column(m).to_numpy(zero_copy_only=False) for m in metrics]
    return [np.bincount(hours, c) / np.bincount(hours) for c in columns]


@pytest.mark.parametrize(
    ("k", "oil", "hot_spot"), [(0.8, 73.7, 93.2), (1.0, 87.0, 113.0), (1.2, 102.2, 135.1)]
)
def test_steady_heating_is_that_of_iec_60076_7(k: float, oil: float, hot_spot: float) -> None:
    top = 35.0 + heating.oil_rise(np.array([k]))[0]
    assert top == pytest.approx(oil, abs=0.1)
    rise = heating.HOT_SPOT_K * k**heating.WINDING_EXPONENT
    assert top + rise == pytest.approx(hot_spot, abs=0.1)


def test_oil_lags_load_by_its_time_constant() -> None:
    """150 min after a step of ambient, 63 % of it is there (nature's pace)."""
    hot = City(1, [event("heatwave", scenarios()["heatwave"].natural_s, NOON - 12 * HOUR)])
    calm, fleet = City(1), hot.fleet("transformer")
    at = NOON - 12 * HOUR + np.array([150 * 60.0, 23.9 * HOUR])
    index = np.zeros(2, int)
    rise = [heating.temperatures(c, fleet, at, index)[:, 0] for c in (hot, calm)]
    extra = rise[0] - rise[1]
    assert 0.45 < extra[0] / extra[1] < 0.95


def test_heat_lifts_load() -> None:
    at = np.array([NOON + 300])
    ratio = power.city_load(City(1, [event("heatwave")]), at) / power.city_load(City(1), at)
    excess = float(weather.heat_excess(City(1, [event("heatwave")]), at)[0])
    assert 1.0 + 0.02 * excess < ratio[0] < 1.0 + 0.04 * excess


def test_rain_makes_ponds_and_pumps_empty_them() -> None:
    city = City(1, [event("rainstorm")])
    depth = series(city, "waterlogging", "depth_m", "pond-dongchenggen")
    assert depth[:19].max() == 0.0, "dry before the storm"
    assert depth.max() >= 0.15
    assert depth[-1] < 0.05


def test_a_pump_without_power_leaves_more_water() -> None:
    storm = event("rainstorm")
    dark = Event(id="o", name="feeder_trip", start=NOON, duration_s=HOUR, where=FEEDER)
    ponds = City(1).fleet("waterlogging")
    below = [n for n, parent in enumerate(ponds.parents) if parent == FEEDER]
    at = NOON + np.arange(0, HOUR, 30.0)
    for sensor in range(len(ponds)):
        index = np.full(len(at), sensor)
        lit = ponding.depth(City(1, [storm]), ponds, at, index)
        out = ponding.depth(City(1, [storm, dark]), ponds, at, index)
        if sensor in below and lit.max() > 0.05:
            assert out.max() > lit.max() * 1.1
        elif sensor not in below:
            assert (out == lit).all()


def test_flood_wave_travels_downstream() -> None:
    storm = event("rainstorm", HOUR)
    at = NOON + np.arange(0, 8 * HOUR, 60.0)
    fleet = City(1).fleet("river_level")
    peaks = []
    for gauge in ("river-dongzikou", "river-hejiangting", "river-wangjianglou"):
        index = np.full(len(at), fleet.ids.index(gauge))
        extra = rivers.flow(City(1, [storm]), fleet, at, index)
        extra = extra - rivers.flow(City(1), fleet, at, index)
        assert extra.max() > 10.0
        peaks.append(at[np.argmax(extra)])
    assert peaks[0] + 600 <= peaks[1] <= peaks[2] - 600


def test_only_what_is_below_a_feeder_suffers_its_outage() -> None:
    city, calm = City(1, [event("feeder_trip")]), City(1)
    below = {s.id for s in downstream(FEEDER)}
    assert below
    fell: set[str] = set()
    for name, metric in (("water_supply", "pressure_mpa"), ("traffic_flow", "speed_km_h")):
        simulator = StreamSimulator(stream(name), 1)
        late = (NOON + 300, NOON + 400)
        one, two = simulator.readings(city, *late), simulator.readings(calm, *late)
        drop = one.column(metric).to_numpy() < 0.6 * two.column(metric).to_numpy()
        fell |= set(np.array(one.column("sensor").to_pylist())[drop])
    assert fell == {i for i in below if i.startswith(("water-supply", "traffic-flow"))}


def test_outage_takes_all_three_phases_and_gives_them_back() -> None:
    volts = series(City(1, [event("feeder_trip")]), "feeder", "ua_kv", FEEDER)
    assert (volts == 0).sum() == scenarios()["feeder_trip"].duration_s / 15
    assert volts[0] > 9.3
    assert volts[-1] > 9.3


def test_nitrogen_dioxide_and_noise_follow_traffic() -> None:
    (flow,) = day_means("traffic_flow", "flow_veh_h")
    (no2,) = day_means("air_quality", "no2")
    (leq,) = day_means("noise", "leq_db")
    assert np.corrcoef(flow, no2)[0, 1] > 0.8
    assert np.corrcoef(np.log(flow), leq)[0, 1] > 0.9


def test_pressure_falls_when_demand_rises() -> None:
    pressure, flow = day_means("water_supply", "pressure_mpa", "flow_m3_h")
    assert np.corrcoef(pressure, flow)[0, 1] < -0.95


def test_ozone_and_heat_come_after_the_sun() -> None:
    temp, sun = day_means("weather", "temp_c", "radiation_w_m2")
    (ozone,) = day_means("air_quality", "o3")
    assert 11 <= np.argmax(sun) <= 14
    assert 14 <= np.argmax(temp) <= 17
    assert 14 <= np.argmax(ozone) <= 17


def test_frequency_stays_in_the_normal_band_and_jumps_when_load_is_lost() -> None:
    hertz = series(
        City(1, [event("feeder_trip")]), "grid_frequency", "frequency_hz", "frequency-jinjiang"
    )
    assert np.abs(hertz - 50).max() < 0.2
    calm = series(City(1), "grid_frequency", "frequency_hz", "frequency-jinjiang")
    assert 0.02 < np.max(hertz - calm) < 0.04


def test_a_year_of_rain_is_that_of_the_plain() -> None:
    """900 to 1000 mm a year, three quarters of it June to September, most by night."""
    start = datetime(2026, 1, 1, tzinfo=BEIJING).timestamp()
    at = start + np.arange(0, 365 * 24 * HOUR, 300.0)
    mm = np.zeros_like(at)
    for seed in (1, 2, 3):
        mm += rain.intensity(City(seed), np.array(0.0), np.array(0.0), at) * 300 / 3600 / 3
    assert 650 < mm.sum() < 1150
    month = (at + 8 * HOUR).astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12
    assert 0.6 < mm[(month >= 5) & (month <= 8)].sum() / mm.sum() < 0.9
    hours = (at + 8 * HOUR) % 86_400 / HOUR
    night = (hours >= 20) | (hours < 8)
    assert 0.5 < mm[night].sum() / mm.sum() < 0.8
