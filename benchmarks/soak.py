"""Memory over time: the processes behind Kafka under a steady load, watched until the end.

What fills by design is filled first: a day of hours (sliding means) and an hour of minutes (the
windows that late readings may still change). ``make soak`` exits 1 when the memory of a process in
the last third lies more than 10 % above that in the middle third, or when readings are left over
that are not worked off within ten minutes.
"""

import json
import os
import time
from contextlib import suppress
from statistics import median
from typing import Any

from benchmarks.measure import memory_mb
from benchmarks.records import declared
from benchmarks.stand import Place, Producing, Running, Stand, open_place
from deploy.errors import StartError
from deploy.wait import wait_until
from engine.layout import rings

RATE = 20_000
SENSORS = 10_000
EVERY_S = 5.0
MINUTE_S, HOUR_S = 60, 3600
DEADLINE_S = 600.0
"""For what a crowded machine has left over."""
GROWTH = 1.10
"""What a process may hold in the last third against the middle one."""
PROCESSES = {
    "sink": ("storage", "sink"),
    "worker": ("streams", "worker"),
    "keep": ("storage", "keep"),
    "alerts-engine": ("alerts", "engine"),
    "alerts-deliver": ("alerts", "deliver"),
}
Seen = dict[str, list[float]]


def run(stand: Stand, minutes: int) -> dict[str, Any]:
    """Send ``RATE`` readings a second for so long; return figures by minute and a verdict each."""
    with open_place(stand) as place:
        ours = {name: place.start(*line) for name, line in PROCESSES.items()}
        pids = stand.pids() | {name: each.child.pid for name, each in ours.items()}
        begin = float(int(time.time()))
        sent = _fill(place, begin)
        _wait_handled(ours, sent)
        print(f"filled with {sent:,} readings of the past; {minutes} min begin", flush=True)
        seen, told = Seen({name: [] for name in pids}), list[dict[str, Any]]()
        upcoming = _minute(place, begin)
        for number in range(minutes):
            producer = upcoming
            producer.go()
            if number + 1 < minutes:
                upcoming = _minute(place, begin + (number + 1) * MINUTE_S)
            sent += _watch(producer, pids, seen)
            told.append({"minute": number + 1, "sent": sent} | _state(ours, seen))
            print(json.dumps(told[-1]), flush=True)
        left = _left_over(ours, sent)
    return {
        "minutes": told,
        "left_over": left,
        "verdicts": [_verdict(*item) for item in seen.items()],
    }


def _fill(place: Place, begin: float) -> int:
    """Send what the worker remembers by design before it is watched; return the readings."""
    past_s = max(ring.places * ring.bucket_s for ring in rings(declared()).values())
    sent = 0
    for spacing_s, span_s in ((HOUR_S, past_s), (MINUTE_S, declared().lateness_s + MINUTE_S)):
        total = span_s // spacing_s * SENSORS
        first = str(begin - span_s - (HOUR_S if spacing_s == HOUR_S else 0))
        options = ("--total", str(total), "--begin", first, "--spacing", str(spacing_s))
        producer = place.producer("frames", "--sensors", str(SENSORS), *options)
        producer.go()
        sent += round(producer.result()["readings"])
        producer.close()
    return sent


def _minute(place: Place, begin: float) -> Producing:
    """Make the readings of one minute of event time, to be sent in one minute."""
    options = ("--rate", str(RATE), "--sensors", str(SENSORS), "--seconds", str(MINUTE_S))
    return place.producer("paced", *options, "--begin", str(begin), "--warm", "inf")


def _watch(producer: Producing, pids: dict[str, int], seen: Seen) -> int:
    """Look at everybody's memory while a minute is sent; return its readings."""
    ends = time.monotonic() + MINUTE_S
    while time.monotonic() < ends:
        for name, pid in pids.items():
            seen[name].append(memory_mb(pid))
        time.sleep(EVERY_S)
    sent = producer.result()
    producer.close()
    return round(sent["readings"])


def _wait_handled(ours: dict[str, Running], sent: int) -> None:
    """Wait until everything sent is stored and judged."""
    for name in ("sink", "worker"):
        wait_until(lambda n=name: ours[n].rows() >= sent, DEADLINE_S, f"{sent} readings in {name}")


def _left_over(ours: dict[str, Running], sent: int) -> int:
    """Return the readings that sink or worker have not handled, given time for it."""
    with suppress(StartError):
        _wait_handled(ours, sent)
    return max(0, *(sent - ours[name].rows() for name in ("sink", "worker")))


def _state(ours: dict[str, Running], seen: Seen) -> dict[str, Any]:
    lag = {f"{name}_lag": ours[name].health().get("lag") for name in ("sink", "worker")}
    load = {"load_average": round(os.getloadavg()[0], 1)}
    return lag | load | {f"{name}_mb": round(values[-1]) for name, values in seen.items()}


def _verdict(name: str, values: list[float]) -> dict[str, Any]:
    third = max(1, len(values) // 3)
    middle, last = median(values[third : 2 * third]), median(values[-third:])
    return {
        "process": name,
        "start_mb": round(values[0]),
        "middle_mb": round(middle),
        "last_mb": round(last),
        "peak_mb": round(max(values)),
        "flat": last <= middle * GROWTH,
    }
