"""What may break a rule, and why. Keep it short; an entry that excludes nothing fails the check."""

from dataclasses import dataclass

from dashboards.texts import LANGUAGES, say


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One rule, where it does not hold (patterns as in a shell), and the reason."""

    rule: str
    board: str
    panel: str
    reason: str


def _each(key: str) -> list[str]:
    return [say(key, lang) for lang in LANGUAGES]


EXCLUDED = (
    Exclusion("leads-on", "cityops-sensor*", "*", "the lowest level: there is nothing below it"),
    *(
        Exclusion("leads-on", "cityops-platform*", title, "the process's log comes next, no page")
        for title in (*_each("consumers"), *_each("sizes"))
    ),
    *(
        Exclusion("picker-rules", "cityops-wall*", title, "a clock tells the present")
        for title in _each("clock")
    ),
    *(
        Exclusion("picker-rules", "cityops-forecast*", title, "the forecast that stands")
        for title in (*_each("issued"), *_each("may_cross"))
    ),
    *(
        Exclusion("picker-rules", "cityops-forecast*", title, "a record takes its year")
        for title in _each("warned")
    ),
    Exclusion(
        "picker-rules", "cityops-forecast*", "$series", "a series is chosen, whatever the time"
    ),
)
