"""How alerts of what was unusual end when nothing more can be said of it, in the reference."""

from catalog.contracts import FLAG_FAIL
from verify.oracle.device import Device
from verify.oracle.quality import US, Checked
from verify.oracle.thresholds import Thresholds
from verify.oracle.usual import Baselines


def end(device: Device, baselines: Baselines, thresholds: Thresholds, ticks: int) -> None:
    """End alerts on metrics of which nothing has come for too long, at a tick."""
    if device.newest is None:
        return
    now = device.newest + (ticks - device.newest_tick) * US
    for rule in baselines.rules:
        if baselines.is_unheard(device.usual, rule, now):
            thresholds.end_unusual(device, rule, "cleared", now, "unheard")


def withdraw(
    device: Device, baselines: Baselines, thresholds: Thresholds, reading: Checked
) -> None:
    """Withdraw alerts that were raised while a value stood still that is stuck, as is known now."""
    for rule in baselines.rules:
        alarm = device.rules.alarms.get(rule.name)
        if alarm is None or reading.tests.get(rule.metric, {}).get("flat") != FLAG_FAIL:
            continue
        if alarm.raised_at >= device.traces[rule.metric].still_since:
            thresholds.end_unusual(device, rule, "withdrawn", reading.at, "flat")
