"""What it costs that the broker asks everybody who he is: the pipe open and closed, in turn."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from benchmarks.contenders import Sizes, cityops
from benchmarks.stand import Stand, open_stand
from deploy import kafka_access


def compare(sizes: Sizes, sensors: int, rounds: int) -> dict[str, list[int]]:
    """Return readings a second of each round on an open and on a closed broker.

    Both brokers run all the time and share the database, so that a slow moment harms both; a first
    round of each, which pays for cold caches, is not counted.
    """
    found: dict[str, list[int]] = {"open": [], "closed": []}
    with open_stand() as stand:
        secrets = stand.folder / "secrets"
        at, broker = kafka_access.start_closed(stand.folder / "closed", secrets)
        try:
            both = replace(stand.servers, bootstrap=at, broker=broker)
            stands = {"open": stand, "closed": Stand(both, stand.folder, secrets=secrets)}
            for number in range(rounds + 1):
                for name in sorted(stands, reverse=bool(number % 2)):
                    per_s = cityops(stands[name], sizes, sensors).per_s
                    if number:
                        found[name].append(round(per_s))
        finally:
            broker.stop()
    return found


def words(found: dict[str, list[int]]) -> str:
    """Return the figures in two lines and their ratio in a third."""
    lines = [f"{name:6} {median(each):9,.0f}/s  of {each}" for name, each in found.items()]
    ratio = median(found["closed"]) / median(found["open"])
    return "\n".join([*lines, f"closed / open = {ratio:.2f}"])
