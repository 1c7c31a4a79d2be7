"""Early warnings: a rule on the forecast of what a threshold rule looks at.

Nobody declares them: each threshold rule on a quantity that is forecast per sensor has one. Its id
is the rule's with ``_early`` behind it, its severity a level milder than what is expected.
"""

from typing import Literal

from catalog.base import Flap, Frozen, Name, Severity, Text

SUFFIX = "_early"
AHEAD_H = 6
RAISE, END = 0.5, 0.25
"""A warning is raised at this chance of an hour within the window, and taken back below that."""
LABEL = "early"
"""The label of such an alert, ``true``."""


class EarlyRule(Frozen):
    """Raise when the forecast says that a limit will probably be crossed within hours.

    ``forecasts`` finds it, the alerts engine raises it; while a rule's warnings have not shown
    skill they are on trial and raise nothing. ``of`` is the id of the rule whose limit it is.
    """

    kind: Literal["early"] = "early"
    name: Name
    title: Text
    of: str
    metric: Name
    latch: bool = False
    flap: Flap = Flap()
    advice: Text


def early_rule(rule_id: str) -> str:
    """Return the id of the early warning of a rule."""
    return rule_id + SUFFIX


def milder(severity: int) -> int:
    """Return the severity at which a breach is announced: what is expected is not there yet."""
    return min(severity + 1, int(Severity.BLUE))
