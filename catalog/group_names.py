"""How the groups of joint rules are called."""

from functools import cache

from catalog.base import Text, text
from catalog.joint import rule_of_group
from catalog.sensors import sensors
from catalog.site import site


def group_title(subject: str) -> Text:
    """Return what a group is called: its district, its street in it, or the sensor that feeds it.

    A subject that no joint rule knows stands for itself.
    """
    rule = rule_of_group(subject)
    if rule is None:
        return text(subject, subject)
    key = subject.removeprefix(f"{rule.id}-")
    if rule.by == "parent":
        return _titles().get(key, text(key, key))
    code, _, street = key.partition("-")
    district = site().districts.get(code)
    title = district.title if district else text(code, code)
    return text(f"{title.zh}{street}", f"{street}, {title.en}") if street else title


def group_district(subject: str) -> str:
    """Return the district of a group that is made by districts or streets; empty for others."""
    rule = rule_of_group(subject)
    if rule is None or rule.by == "parent":
        known = next((s for s in sensors() if subject.endswith(f"-{s.id}")), None) if rule else None
        return known.district if known else ""
    return subject.removeprefix(f"{rule.id}-").partition("-")[0]


@cache
def _titles() -> dict[str, Text]:
    return {sensor.id: sensor.title for sensor in sensors()}
